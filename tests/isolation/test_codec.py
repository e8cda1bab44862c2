"""Values cross by copy, exactly or not at all."""

from __future__ import annotations

import enum
import math
import subprocess
import sys
from collections import OrderedDict, namedtuple
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fairmark.isolation.codec import Encoder, Limits, TooMuch, decode, encode

from .any_values import deep, values

LIMITS = Limits()
DTYPES = ["?", "i1", "u1", ">i2", "<u4", "i8", "f2", ">f4", "f8", "g", "c8", ">c16", "S3", "<U2"]
QUICK = settings(max_examples=150, deadline=timedelta(seconds=2))


def crossed(value, limits=LIMITS):
    """``value`` as it arrives."""
    return decode(encode(value, limits), limits).value


def same(one, two):
    """Whether two values have the same types and contents all the way down."""
    return repr(one) == repr(two) and type(one) is type(two)


class TestRoundTrip:
    @QUICK
    @given(values)
    def test_nested_data_arrive_as_they_were(self, value):
        """Types and contents are the same, order of keys included."""
        arrived = crossed(value)
        assert arrived == value and type(arrived) is type(value)

    @QUICK
    @given(
        st.sampled_from(DTYPES).flatmap(
            lambda d: npst.arrays(np.dtype(d), npst.array_shapes(min_dims=0, min_side=0))
        )
    )
    def test_arrays_of_every_kind(self, array):
        """0-d, empty, byte-swapped and text arrays come with dtype, shape and bytes."""
        arrived = crossed(array)
        assert type(arrived) is np.ndarray and arrived.flags.owndata
        assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
        assert arrived.tobytes() == array.tobytes()

    @pytest.mark.parametrize(
        "array",
        [
            np.arange(12.0).reshape(3, 4)[:, ::-2],
            np.asfortranarray(np.ones((2, 3))),
            np.broadcast_to(np.float32(2), (3, 2)),
            np.array(["2020-01-01", "NaT"], "M8[D]"),
            np.array([3], "m8[25s]"),
            np.zeros((0, 3)),
        ],
        ids=str,
    )
    def test_arrays_in_any_layout(self, array):
        """Strides do not matter; whether the array may be written to stays."""
        arrived = crossed(array)
        np.testing.assert_array_equal(arrived, array)
        assert arrived.dtype == array.dtype and arrived.flags.writeable == array.flags.writeable

    @pytest.mark.parametrize(
        "scalar",
        [np.float64(0.1), np.float16(2), np.longdouble(1) / 3, np.int8(-3), np.bool_(True),
         np.complex64(1j), np.str_("ab"), np.bytes_(b"ab"), np.datetime64("2020-01-01", "s")],
        ids=repr,
    )  # fmt: skip
    def test_numpy_scalars_keep_their_type(self, scalar):
        """np.float64 is a float as well, and np.str_ a str; neither becomes one."""
        arrived = crossed(scalar)
        assert type(arrived) is type(scalar) and arrived == scalar

    @pytest.mark.parametrize(
        "number", [0.0, -0.0, math.inf, -math.inf, math.nan, 2**64, -(2**63) - 1, 2**4000,
                   Decimal("NaN"), Decimal("-0E-5"), Decimal("1e9999"), True, -1], ids=str
    )  # fmt: skip
    def test_special_numbers(self, number):
        """Signs of zero, infinities, NaN and integers of any size that is allowed."""
        assert same(crossed(number), number)

    @pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
    def test_generators_go_on_where_they_stood(self, name):
        """The next numbers are the same on both sides."""
        generator = np.random.Generator(getattr(np.random, name)(3))
        generator.integers(5, size=3, dtype=np.uint32)
        arrived = crossed(generator)
        assert arrived.normal(size=700).tolist() == generator.normal(size=700).tolist()

    @pytest.mark.parametrize(
        "dtype", ["float32", "bfloat16", "float16", "complex64", "int64", "bool", "uint8"]
    )
    @pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
    def test_tensors(self, dtype, shape):
        """Dtype and shape stay, on an empty tensor too."""
        tensor = torch.ones(shape).to(getattr(torch, dtype))
        arrived = crossed(tensor)
        assert arrived.dtype == tensor.dtype and torch.equal(arrived, tensor)

    def test_tensors_bring_requires_grad_and_the_gradient_of_a_leaf(self):
        """A parameter crosses as a tensor; a tensor that was computed has no gradient."""
        weight = torch.nn.Parameter(torch.ones(2))
        made = (3 * weight).sum()
        made.backward()
        arrived, computed, view = crossed([weight, made, torch.ones(2, 3, dtype=torch.cfloat).mH])
        assert type(arrived) is torch.Tensor and arrived.requires_grad and arrived.is_leaf
        assert arrived.grad.tolist() == [3, 3] and arrived.tolist() == [1, 1]
        assert computed.requires_grad and computed.item() == 6 and view.shape == (3, 2)

    def test_subclasses_cross_as_their_base(self):
        """Whatever a subclass says about itself, its plain contents cross."""

        class Liar(list):
            def __iter__(self):
                return iter("lie")

            def __len__(self):
                return 7

        class Number(float):
            def __float__(self):
                return 7.0

        class Array(np.ndarray):
            def __array__(self, *args, **kwargs):
                return np.zeros(3)

        Pair = namedtuple("Pair", "a b")
        Colour = enum.IntEnum("Colour", "RED")
        given = [Liar([1]), Number(2), Pair(1, 2), OrderedDict(a=1), Colour.RED, torch.Size([2]),
                 np.ones(1).view(Array)]  # fmt: skip
        arrived = crossed(given)
        assert [type(v) for v in arrived] == [list, float, tuple, dict, int, tuple, np.ndarray]
        assert arrived[:6] == [[1], 2, (1, 2), {"a": 1}, 1, (2,)] and arrived[6].tolist() == [1]

    def test_an_array_sent_twice_is_one_array(self):
        """Both sides see the arrays of a message once each, in the same order."""
        x, y = np.ones(2), torch.ones(3)
        encoder = Encoder(LIMITS)
        arrived = decode(encoder.message([x, {"again": x}, y, (y,)]), LIMITS)
        one, two, three, four = arrived.value
        assert one is two["again"] and three is four[0] and one is not x
        assert [id(a) for a in encoder.arrays] == [id(x), id(y)]
        assert [id(a) for a, _ in arrived.arrays] == [id(one), id(three)]

    def test_what_is_no_data_becomes_a_reference(self):
        """Functions, classes, arrays of objects and sparse tensors are referred to."""
        things = [print, dict, np.array([None]), torch.eye(2).to_sparse(), np.zeros(1, "f8,i4")]
        data = encode(
            things, LIMITS, lambda thing: next(i for i, t in enumerate(things) if t is thing)
        )
        assert decode(data, LIMITS, lambda place: ("got", place)).value == [
            ("got", i) for i in range(5)
        ]
        with pytest.raises(TypeError, match="type"):
            encode(print, LIMITS)

    def test_torch_is_not_imported_before_a_tensor_arrives(self):
        """A notebook without torch does not wait for it."""
        code = (
            "import sys, fairmark.isolation.bridge, fairmark.isolation.servant\n"
            "from fairmark.isolation.codec import Limits, decode, encode\n"
            "decode(encode([1.5, print], Limits(), lambda f: 0), Limits(), lambda n: n)\n"
            "assert 'torch' not in sys.modules\n"
            f"decode(bytes.fromhex('{encode(torch.ones(2), LIMITS).hex()}'), Limits())\n"
            "assert 'torch' in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestTooMuch:
    def test_the_limits_themselves_are_allowed(self):
        """50 levels, and not 51."""
        assert crossed(deep(50)) == deep(50)
        with pytest.raises(TooMuch, match="nested more than 50 levels deep"):
            encode(deep(51), LIMITS)

    def test_a_list_that_contains_itself(self):
        """It is as deep as can be, and soon found out."""
        loop = []
        loop.append(loop)
        with pytest.raises(TooMuch, match="or contains itself"):
            encode(loop, LIMITS)
        wide = 0
        for _ in range(45):
            wide = [wide] * 10
        with pytest.raises(TooMuch, match="more than 1,000,000 items"):
            encode(wide, LIMITS)

    @pytest.mark.parametrize(
        "value",
        [b"x" * 64_000_001, "x" * 64_000_001, np.broadcast_to(0.0, (10**5, 10**5)),
         torch.zeros(1).expand(10**9), [np.zeros(5_000_000), np.zeros(5_000_000)]],
        ids=["bytes", "text", "array", "tensor", "several"],
    )  # fmt: skip
    def test_large_values(self, value):
        """The limit is on the whole message, and stated in MB."""
        with pytest.raises(TooMuch, match="larger than 64 MB"):
            encode(value, LIMITS)

    @pytest.mark.parametrize(
        "value", [2**4097, Decimal("1e10001"), Decimal("1e999999"), Fraction(1, 3**3000),
                  "\ud800", np.array(["\ud800"])], ids=repr
    )  # fmt: skip
    def test_numbers_and_text_that_cannot_cross(self, value):
        """They are named, not cut."""
        with pytest.raises(TooMuch):
            encode(value, LIMITS)
