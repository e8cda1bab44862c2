"""Several steps in one question: as single steps, for the student's objects and for any other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fairmark.isolation.bridge import Bridge, StudentError
from fairmark.isolation.reach import invoke, items, read, write


class Net:
    """A network of a student's."""

    def __init__(self):
        self.linear = SimpleNamespace(W=np.ones((2, 3)), b=[1, 2])
        self.calls = []

    @property
    def rate(self):
        raise ValueError("no rate yet")

    def scaled(self, x, *, by=1):
        """Changes ``x`` in place."""
        x *= by
        self.calls.append(by)
        return x + 1

    def rows(self):
        """A generator."""
        yield from [(1, self.linear), (2, "b")]


@pytest.fixture(params=["here", "over the bridge"])
def net(request, start):
    """A network, in this process or in the student's."""
    return Net() if request.param == "here" else start(net=Net()).fetch(["net"])["net"]


class TestReach:
    def test_read_and_write(self, net):
        """Paths lead through objects; what is data comes as such."""
        write(net, {"linear.W": np.zeros(2), "linear.c": 3, "new": "x"})
        W, b, c, new = read(net, "linear.W", "linear.b", "linear.c", "new")
        assert (W.tolist(), b, c, new) == ([0, 0], [1, 2], 3, "x")
        assert read(net, "linear")[0] is net.linear
        assert read(net) == []

    def test_invoke(self, net):
        """Arrays that the method changes are changed for the caller."""
        x = np.ones(2)
        assert invoke(net, "scaled", x, by=4).tolist() == [5, 5] and x.tolist() == [4, 4]
        assert net.calls == [4]

    def test_items(self, net):
        """Data and objects, in order; a list is one already."""
        first, second = items(invoke(net, "rows"))
        assert first == (1, net.linear) and second == (2, "b") and items(net.calls) == []

    def test_errors_are_the_students(self, net):
        """What fails, fails as a single step would."""
        for step in (
            lambda: read(net, "linear.W", "linear.V"),
            lambda: write(net, {"inner.W": 1}),
            lambda: invoke(net, "backward", 1),
        ):
            with pytest.raises(AttributeError, match=r"has no attribute '(V|inner|backward)'"):
                step()
        with pytest.raises(ValueError, match="no rate yet"):
            read(net, "rate")
        with pytest.raises(TypeError):
            items(net)


@pytest.mark.parametrize(
    "step",
    [
        lambda h: read(h, "linear.__class__"),
        lambda h: read(h, "__dict__.x"),
        lambda h: write(h, {"linear.__dict__": {}}),
        lambda h: invoke(h, "__setattr__", "a", 1),
    ],
)
def test_how_python_keeps_an_object_is_out_of_reach(start, step):
    """Along a path too."""
    with pytest.raises(TypeError, match="a test cannot use __"):
        step(start(net=Net()).fetch(["net"])["net"])


def test_it_is_one_question(start, monkeypatch):
    """Each question takes a tenth of a millisecond, which is what this is for."""
    net = start(net=Net()).fetch(["net"])["net"]
    asked, ask = [], Bridge.ask
    monkeypatch.setattr(Bridge, "ask", lambda *args: (asked.append(args[1]), ask(*args))[1])
    write(net, {"linear.W": 1, "linear.b": 2})
    read(net, "linear.W", "linear.b", "linear")
    invoke(net, "scaled", 2.0)
    with pytest.raises(StudentError):
        invoke(net, "rows", 1)
    assert asked == ["write", "read", "invoke", "invoke"]
