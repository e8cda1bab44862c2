"""Bytes that nobody honest wrote are refused at once, whatever they say."""

from __future__ import annotations

import contextlib
import struct
import time
from datetime import timedelta

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairmark.isolation.codec import Limits, Malformed, decode, encode

from .any_values import deep, values

LIMITS = Limits()
SMALL = Limits(max_bytes=2000, max_depth=6, max_items=200)
QUICK = settings(max_examples=150, deadline=timedelta(seconds=2))


def head(code, count):
    """The head of a value of kind ``code``."""
    return msgpack.Packer().pack_ext_type(code, struct.pack(">I", count))


def row(*tokens):
    """A message of these tokens; bytes that begin with an extension head stay as they are."""
    return b"".join(
        t if isinstance(t, bytes) and t[:1] == b"\xd6" else msgpack.packb(t) for t in tokens
    )


LIST, TUPLE, DICT, SET, ARRAY, SCALAR, TENSOR, INT = 20, 21, 22, 23, 12, 11, 10, 17
SHAPE2 = row(head(TUPLE, 1), 2)
HOSTILE = {
    "nothing": b"",
    "two values": row(1, 2),
    "a native list": msgpack.packb([1]),
    "a native empty list": msgpack.packb([]),
    "a native map": msgpack.packb({1: 2}),
    "a timestamp": msgpack.packb(msgpack.Timestamp(1)),
    "a claim of 4 billion items": b"\xdd\xff\xff\xff\xff",
    "a claim of 4 billion pairs": b"\xdf\xff\xff\xff\xff",
    "a claim of 4 billion bytes": b"\xc6\xff\xff\xff\xff",
    "a claim of a long extension": b"\xc9\xff\xff\xff\xff\x14",
    "text that is not UTF-8": b"\xa2\xff\xfe",
    "a byte that means nothing": b"\xc1",
    "an unknown kind": row(head(99, 0)),
    "a head of two bytes": msgpack.packb(msgpack.ExtType(LIST, b"\0\0")),
    "more parts than there are": row(head(LIST, 3), 1),
    "4 billion parts": row(head(LIST, 2**32 - 1)),
    "a bomb of layers": head(LIST, 1) * 100_000,
    "a pair without its half": row(head(DICT, 3), 1, 2, 3),
    "a list as a key": row(head(DICT, 2), head(LIST, 0), 1),
    "a dict in a set": row(head(SET, 1), head(DICT, 0)),
    "a slice of one": row(head(25, 1), 1),
    "a whole number as text": row(head(INT, 1), "1" * 9000),
    "a whole number of a megabyte": row(head(INT, 1), b"\x01" * 10**6),
    "an endless decimal": row(head(16, 1), "1e999999999"),
    "a long decimal": row(head(16, 1), "1" * 100_000),
    "a decimal that is none": row(head(16, 1), "one"),
    "a fraction of zero": row(head(15, 2), 1, 0),
    "a fraction of floats": row(head(15, 2), 1.5, 2),
    "a complex number of text": row(head(14, 2), "1", "2"),
    "an array of objects": row(head(ARRAY, 4), "|O", SHAPE2, True, b"\0" * 16),
    "an array of records": row(head(ARRAY, 4), "f8,f8", SHAPE2, True, b"\0" * 32),
    "a subarray": row(head(ARRAY, 4), "(2,)f8", SHAPE2, True, b"\0" * 32),
    "an array of no width": row(head(ARRAY, 4), "<U0", SHAPE2, True, b""),
    "a dtype of arabic digits": row(head(ARRAY, 4), "<f\u0668", SHAPE2, True, b"\0" * 16),
    "too few bytes": row(head(ARRAY, 4), "<f8", SHAPE2, True, b"\0" * 15),
    "a negative shape": row(head(ARRAY, 4), "<f8", head(TUPLE, 2), -2, -1, True, b"\0" * 16),
    "a shape of floats": row(head(ARRAY, 4), "<f8", head(TUPLE, 1), 2.0, True, b"\0" * 16),
    "a shape of truths": row(head(ARRAY, 4), "<f8", head(TUPLE, 1), True, True, b"\0" * 8),
    "an empty array of long axes": row(head(ARRAY, 4), "<f8", head(TUPLE, 2), 2**62, 0, True, b""),
    "hundred axes": row(head(ARRAY, 4), "|b1", head(TUPLE, 100), *[1] * 100, True, b"\0"),
    "a truth of 2": row(head(ARRAY, 4), "|b1", SHAPE2, True, b"\1\2"),
    "characters beyond Unicode": row(head(SCALAR, 2), "<U1", b"\xff" * 4),
    "a scalar without bytes": row(head(SCALAR, 1), "<f8"),
    "an array that never was": row(head(1, 1), 0),
    "a reference": row(head(2, 1), 0),
    "a generator of another kind": row(head(13, 2), "RandomState", head(DICT, 0)),
    "whole numbers with a gradient": row(head(TENSOR, 5), "int64", SHAPE2, True, None, b"\0" * 16),
    "half a gradient": row(head(TENSOR, 5), "float32", SHAPE2, True, b"\0" * 4, b"\0" * 8),
    "a tensor of another dtype": row(head(TENSOR, 5), "load", SHAPE2, True, None, b"\0" * 8),
}  # fmt: skip


class TestMalformed:
    @pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
    def test_hostile_messages(self, data):
        """Each is refused at once, and in no other way."""
        start = time.monotonic()
        with pytest.raises(Malformed) as caught:
            decode(data, LIMITS)
        assert time.monotonic() - start < 1 and len(str(caught.value)) < 100

    @pytest.mark.parametrize(
        "name, where, value",
        [("MT19937", "pos", 10**6), ("MT19937", "pos", -1), ("MT19937", "key", [1]),
         ("MT19937", "key", np.zeros(3, np.uint32)), ("PCG64", "inc", "1"),
         ("PCG64", "inc", 2**128)],
    )  # fmt: skip
    def test_random_states_that_read_outside_their_buffer(self, name, where, value):
        """NumPy itself would take some of them, and crash."""
        state = getattr(np.random, name)(0).state
        state["state"][where] = value
        with pytest.raises(Malformed):
            decode(row(head(13, 2), name) + encode(state, LIMITS), LIMITS)

    def test_positions_of_philox(self):
        """Its buffer has four places."""
        state = np.random.Philox(0).state | {"buffer_pos": 5}
        with pytest.raises(Malformed):
            decode(row(head(13, 2), "Philox") + encode(state, LIMITS), LIMITS)

    def test_keys_that_share_a_hash(self):
        """A dict or set of them would take for ever to build."""
        keys = [(2**61 - 1) * i for i in range(50_000)]
        for data in [head(SET, len(keys)), head(24, len(keys)), head(DICT, 2 * len(keys))]:
            filler = msgpack.packb(None) if data == head(DICT, 2 * len(keys)) else b""
            with pytest.raises(Malformed, match="slow"):
                decode(data + b"".join(encode(k, LIMITS) + filler for k in keys), LIMITS)
        many = set(range(10_000))
        assert decode(encode(many, LIMITS), LIMITS).value == many

    def test_limits_of_the_receiver(self):
        """Items, depth and size are counted on this side as well."""
        for value in [[0] * 201, deep(7), b"x" * 2001]:
            with pytest.raises(Malformed):
                decode(encode(value, LIMITS), SMALL)

    @QUICK
    @given(st.binary(max_size=60))
    def test_arbitrary_bytes(self, data):
        """They are a value or they are Malformed."""
        self.check(data)

    @settings(max_examples=250, deadline=timedelta(seconds=2))
    @given(values, st.data())
    def test_mutated_messages(self, value, data):
        """A message with any bytes replaced, cut or doubled is a value or Malformed."""
        value = [value, np.arange(3.0), torch.ones(2), np.array("ab"), np.random.default_rng(0)]
        message = bytearray(encode(value, LIMITS))
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(message)))
            end = data.draw(st.integers(start, min(start + 6, len(message))))
            message[start:end] = data.draw(st.binary(max_size=6))
        self.check(bytes(message))

    @staticmethod
    def check(data):
        """Decode with low limits, so that a claim which is believed would be seen."""
        with contextlib.suppress(Malformed):
            decode(data, SMALL, lambda payload: payload)
