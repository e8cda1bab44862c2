"""What a test cell can do with a student's objects, and what it is told when they fail."""

from __future__ import annotations

import copy
import gc
import inspect
import numbers
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fairmark.checks import CheckFailed
from fairmark.isolation.bridge import Handle, StudentError
from fairmark.isolation.codec import Limits


class Layer:
    """A small class of a student's."""

    def __init__(self, width=2):
        self.W = np.ones(width)
        self.inner = SimpleNamespace(rate=0.5)

    def __call__(self, x):
        return x * 2

    def __len__(self):
        return 3

    def __getitem__(self, key):
        return key

    def __setitem__(self, key, value):
        self.last = key, value


class TestHandle:
    def test_only_data_cross_by_value(self, start):
        """Names that the student lacks are left out."""
        found = start(a=[1, {"b": np.ones(2)}], f=len, Layer=Layer).fetch(["a", "f", "Layer", "c"])
        assert found.keys() == {"a", "f", "Layer"} and found["a"][0] == 1
        assert type(found["f"]) is Handle and type(found["Layer"]) is Handle
        assert repr(found["f"]) == "<an object of the student (builtin_function_or_method)>"
        assert repr(found["Layer"]) == "<an object of the student (type)>"

    def test_what_is_allowed(self, start):
        """Calls, attributes, items, iteration, length and truth."""
        found = start(
            Layer=Layer, rows=range(4), none=range(0), keep={}.setdefault, named=lambda self: self
        ).fetch(["Layer", "rows", "none", "keep", "named"])
        layer = found["Layer"](width=4)
        assert layer.W.tolist() == [1] * 4 and layer.inner.rate == 0.5 and len(layer) == 3
        assert layer(np.ones(2)).tolist() == [2, 2] and layer[1:2, "a"] == (slice(1, 2), "a")
        layer[0] = "x"
        assert found["named"](self=1) == 1
        layer.state = (torch.ones(2), torch.zeros(1, requires_grad=True))
        assert layer.last == (0, "x") and layer.state[1].requires_grad
        rows = found["rows"]
        assert [rows[2], len(rows), *rows] == [2, 4, 0, 1, 2, 3] and 3 in rows and 7 not in rows
        assert layer and not found["none"] and list(found["none"]) == []
        assert hasattr(layer, "W") and not hasattr(layer, "V")
        inside = layer.inner
        assert found["keep"]("a", [inside])[0] is inside

    def test_identity(self, start):
        """One object of the student is one handle, as long as somebody holds it."""
        found = start(first=len, second=len, third=print).fetch(["first", "second", "third"])
        first, second, third = found.values()
        assert first is second and first == second and first != third
        assert {first: 1}[second] == 1 and first in [third, second]

    def test_data_are_copies(self, start):
        """A change of a copy does not reach the student."""
        bridge = start(layer=Layer())
        layer = bridge.fetch(["layer"])["layer"]
        layer.W[0] = 5
        assert layer.W.tolist() == [1, 1]

    @pytest.mark.parametrize(
        "reaching",
        [
            lambda h: issubclass(h, dict),
            lambda h: type("Sub", (h,), {}),
            lambda h: inspect.getsource(h),
            lambda h: h.__globals__,
            lambda h: h.__dict__,
            lambda h: h.__name__,
            lambda h: setattr(h, "__class__", dict),
            lambda h: delattr(h, "loss"),
            lambda h: vars(h),
            lambda h: dir(h),
            lambda h: copy.copy(h),
            lambda h: copy.deepcopy([h]),
            lambda h: pickle.dumps(h),
            lambda h: np.asarray(h),
            lambda h: np.array([h, 1.0]),
            lambda h: np.allclose(h, 1.0),
            lambda h: torch.as_tensor(h),
            lambda h: torch.tensor([h]),
            lambda h: torch.ones(1) + h,
            lambda h: np.ones(1) + h,
            lambda h: np.float64(1) * h,
            lambda h: h + 1,
            lambda h: h < 1,
            lambda h: float(h),
            lambda h: range(3)[h],
            lambda h: h(print),
            lambda h: h([{"a": (SimpleNamespace(),)}]),
            lambda h: setattr(h, "loss", np.mean),
        ],
    )
    def test_all_else_is_a_type_error(self, reach, reaching):
        """Neither type nor source nor copy nor number, and no object of the grader's goes in."""
        handle = reach(lambda value: value)
        with pytest.raises(TypeError):
            reaching(handle)
        assert handle(2) == 2

    def test_isinstance_is_false(self, reach):
        """Also for abstract classes, which a test may ask about data."""
        handle = reach([1].__iter__())
        kinds = (dict, torch.nn.Module, np.ndarray, numbers.Real, torch.nn.Parameter)
        assert not any(isinstance(handle, kind) for kind in kinds)

    def test_a_handle_of_another_student(self, start):
        """It is no object of this one."""
        mine, other = (start(f=len).fetch(["f"])["f"] for _ in range(2))
        with pytest.raises(TypeError, match="another student"):
            mine([other])

    def test_handles_nobody_holds_are_released(self, start):
        """Many more may come and go than may be held at once."""
        bridge = start(Limits(max_handles=50), make=lambda: Layer())
        make = bridge.fetch(["make"])["make"]
        for _ in range(200):
            make()
        held = [make() for _ in range(40)]
        with pytest.raises(StudentError, match="more than 50 objects"):
            held += [make() for _ in range(20)]
        del held
        gc.collect()
        assert make().inner.rate == 0.5

    def test_an_object_that_comes_again_after_its_handle_is_gone(self, reach):
        """Its new handle is as good as the first."""
        layer = reach(Layer())
        for _ in range(3):
            assert layer.inner.rate == 0.5
            kept = layer.inner
            del kept
        kept = layer.inner
        assert kept is layer.inner and kept.rate == 0.5


class TestChangesInPlace:
    def test_arrays_and_tensors_at_any_depth(self, reach):
        """Positional or keyword, also when the call fails after it."""

        def spoil(x, pair, more):
            for array in (x, *pair, *more["k"]):
                array *= 2
            raise ValueError

        arrays = [np.ones(2), np.ones((2, 3)).T, torch.ones(2)]
        with pytest.raises(ValueError):
            reach(spoil)(arrays[0], (arrays[1], arrays[2]), more={"k": [arrays[0]]})
        assert [a.flatten().tolist() for a in arrays] == [[4, 4], [2] * 6, [2, 2]]

    def test_by_items_and_attributes(self, reach):
        """Whatever student code is handed an array may change it."""

        class Greedy:
            def __setitem__(self, key, value):
                value[:] = 7

            def __setattr__(self, name, value):
                value[0] = 8

        greedy, x, y = reach(Greedy()), np.ones(2), torch.ones(2)
        greedy[0], greedy.y = x, y
        assert x.tolist() == [7, 7] and y.tolist() == [8, 1]

    def test_tensors_that_require_grad(self, reach):
        """The student sees the gradient; a step on .data arrives."""

        def step(w):
            w.data -= w.grad
            return w.requires_grad, w.grad.tolist()

        w = torch.nn.Parameter(torch.ones(2))
        (3 * w).sum().backward()
        assert reach(step)(w) == (True, [3, 3]) and w.tolist() == [-2, -2]

    def test_arrays_that_are_read_only(self, reach):
        """The student cannot write to them either, as in one process."""
        x = np.ones(2)
        x.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            reach(lambda x: x.fill(2))(x)

    @pytest.mark.parametrize("change", [
        lambda x: x.resize((3, 5), refcheck=False), lambda x: setattr(x, "dtype", np.int64)
    ])  # fmt: skip
    def test_another_shape_or_dtype_is_left_alone(self, reach, change):
        """There is no array on this side that it would fit into."""
        x = np.ones((2, 2))
        reach(lambda x: (x.fill(0), change(x))[0])(x)
        assert x.tolist() == [[1, 1], [1, 1]]


class Broken(KeyError):
    """An error of a student's own class."""


class Unsayable(Exception):
    def __str__(self):
        raise OSError


def raiser(error):
    """A function that raises ``error``."""

    def fail():
        raise error

    return fail


class TestErrors:
    @pytest.mark.parametrize(
        "error, kind, text",
        [
            (ZeroDivisionError("by zero"), ZeroDivisionError, "by zero"),
            (Broken("missing"), KeyError, "'missing'"),
            (NotImplementedError(), NotImplementedError, ""),
            (UnicodeDecodeError("utf-8", b"", 0, 1, "bad"), ValueError, "bad"),
            (FileNotFoundError(2, "none"), FileNotFoundError, "none"),
            (AssertionError("\ud800" + "x" * 5000), AssertionError, "x"),
            (ExceptionGroup("several", [ValueError()]), StudentError, "several"),
            (SystemExit(3), StudentError, "3"),
            (GeneratorExit(), StudentError, ""),
            (StopIteration(1), StudentError, "1"),
            (StopAsyncIteration(1), StudentError, "1"),
            (type("Check Failed" * 20, (TypeError,), {})("own"), TypeError, "own"),
            (type("x" * 70_000_000, (OSError,), {})("long"), OSError, "long"),
            (Unsayable(), StudentError, "cannot say"),
        ],
        ids=lambda part: type(part).__name__[:20],
    )
    def test_student_errors(self, reach, error, kind, text):
        """They are StudentErrors and errors of their builtin kind; the message is bounded."""
        with pytest.raises(StudentError) as caught:
            reach(raiser(error))()
        assert isinstance(caught.value, kind) and text in str(caught.value)
        assert len(str(caught.value)) <= 2000 and len(type(caught.value).__name__) <= 60
        assert type(caught.value).__name__.isidentifier()
        assert not isinstance(caught.value, StopIteration | StopAsyncIteration | SystemExit)

    def test_a_name_is_only_a_name(self, reach):
        """A student's CheckFailed is not that of the checks."""
        with pytest.raises(StudentError) as caught:
            reach(raiser(type("CheckFailed", (Exception,), {})("I passed")))()
        assert type(caught.value).__name__ == "CheckFailed"
        assert not isinstance(caught.value, CheckFailed)

    def test_errors_of_iteration_and_of_conversion(self, start):
        """A StopIteration is the end only where the iterator itself says so."""

        class Grumpy(list):
            def __bool__(self):
                raise ValueError("no")

        def rows():
            yield 1
            raise IndexError("row 2")

        found = start(
            rows=rows, many=lambda: [print] * 2, big=b"x" * 70_000_000, f=raiser(NameError("big"))
        )
        got = found.fetch(["rows", "many", "f"])
        with pytest.raises(IndexError, match="row 2"):
            list(got["rows"]())
        with pytest.raises(NameError):
            got["f"]()
        with pytest.raises(StudentError, match="big: the value is larger than 64 MB"):
            found.fetch(["rows", "big"])
        with pytest.raises(TypeError, match="no len"):
            len(got["rows"])
        assert len(got["many"]()) == 2 and next(got["rows"]()) == 1
