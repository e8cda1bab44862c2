"""A kernel that says what it likes: the test cell fails, in time, and nothing else happens."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from fairmark.isolation.bridge import Gone, StudentError, TimedOut
from fairmark.isolation.codec import Limits, encode
from fairmark.isolation.reach import items, read, write

from .worlds import LIMITS, SECONDS, SHORT, Kernel, answer, frame, pair, reference


def drip(kernel):
    """A long answer, one byte at a time."""
    kernel.asked()
    for byte in frame(b"\xc0" * 10_000):
        kernel.sock.sendall(bytes([byte]))
        time.sleep(0.01)


def flood(kernel):
    """Answers to earlier questions without end."""
    kernel.asked()
    while True:
        kernel.sock.sendall(answer(0) * 100)


def slow_flood(kernel):
    """The same, slow enough that they are read one by one."""
    kernel.asked()
    while True:
        kernel.sock.sendall(answer(0))
        time.sleep(0.005)


def shaped(*message):
    """An answer with other parts than an answer has."""
    return lambda k: k.sock.sendall(frame(encode([k.asked(), *message], LIMITS)))


ERROR = ["ValueError", ["ValueError"], "no"]
UNREADABLE = {
    "a number that was not asked": lambda k: k.sock.sendall(answer(k.asked() + 1)),
    "an answer before the question": lambda k: k.sock.sendall(answer(2**40)),
    "a huge length": lambda k: k.sock.sendall(b"\xff\xff\xff\xff" + b"x" * 100),
    "no msgpack": lambda k: k.sock.sendall(frame(b"\xc1")),
    "no list": lambda k: k.sock.sendall(frame(encode(1, LIMITS))),
    "nothing": lambda k: k.sock.sendall(frame(b"")),
    "a bomb of layers": lambda k: k.sock.sendall(frame(b"\xd6\x14\0\0\0\1" * 1000)),
    "an empty list": lambda k: k.sock.sendall(frame(encode([], LIMITS))),
    "a number that is true": lambda k: k.sock.sendall(answer(True)),
    "too few parts": shaped("ok"),
    "too many parts": shaped("ok", {}, [], 1),
    "changes that are none": shaped("ok", {}, None),
    "an unknown status": shaped("passed", {}, []),
    "the end of no iteration": shaped("end", None, []),
    "another type": shaped("ok", [1], []),
    "names that were not asked for": shaped("ok", {"np": 1}, []),
    "an error of nothing": shaped("error", None, []),
    "an error of other parts": shaped("error", ["a", "b", "c"], []),
    "bases that are no names": shaped("error", ["a", [1], "c"], []),
    "a change of nothing": shaped("ok", {}, [(0, np.ones(2))]),
    "a change before the first": shaped("ok", {}, [(-1, np.ones(2))]),
    "a change by a truth": shaped("ok", {}, [(True, np.ones(2))]),
    "a change of other parts": shaped("ok", {}, [0, 1]),
    "a reference that is a text": lambda k: k.says(value={"x": reference("1")}),
    "a reference below zero": lambda k: k.says(value={"x": reference((-1, "a"))}),
    "a reference of a long kind": lambda k: k.says(value={"x": reference((1, "a" * 999))}),
    "nothing but old answers": flood,
}
DEAD = {
    "closed at once": lambda k: k.sock.close(),
    "closed after the question": lambda k: (k.asked(), k.sock.close()),
    "closed within an answer": lambda k: (k.asked(), k.sock.sendall(b"\0\0\0\x09"), k.sock.close()),
}
LATE = {
    "silence": lambda k: None,
    "half an answer": lambda k: k.sock.sendall(b"\0\0\0\x09abc"),
    "half a length": lambda k: k.sock.sendall(b"\0\0"),
    "a byte at a time": drip,
    "old answers, slowly": slow_flood,
}


class TestHostileKernel:
    @staticmethod
    def fails(kernel, error, text):
        """The question raises ``error`` in time, and so does the next one."""
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(error, match=text):
                try:
                    kernel.bridge.fetch(["x"])
                except Exception:
                    pytest.fail("a check could go on after this")
        assert time.monotonic() - begun < SHORT + 0.3
        kernel.bridge.end()

    @pytest.mark.parametrize("script", UNREADABLE.values(), ids=UNREADABLE.keys())
    def test_answers_that_cannot_be_read(self, script):
        """They break the bridge for good."""
        kernel = Kernel(script)
        self.fails(kernel, Gone, "could not be read")
        kernel.bridge.begin(2, SHORT)
        self.fails(kernel, Gone, "could not be read")

    @pytest.mark.parametrize("script", DEAD.values(), ids=DEAD.keys())
    def test_a_kernel_that_dies(self, script):
        """The test says so, and so does the next."""
        kernel = Kernel(script)
        self.fails(kernel, Gone, "the kernel died")
        kernel.bridge.begin(2, SHORT)
        self.fails(kernel, Gone, "the kernel died")

    @pytest.mark.parametrize("script", LATE.values(), ids=LATE.keys())
    def test_answers_that_are_late(self, script):
        """The deadline is that of the whole cell, whatever arrives meanwhile."""
        self.fails(Kernel(script), TimedOut, "took too long")

    def test_the_bell(self):
        """What rings means that no answer will come; it is over with the cell."""
        bell, rope = pair()
        kernel = Kernel(lambda k: (k.asked(), k.asked(), k.says(value={})), bell)
        kernel.bridge.begin(1, SECONDS)
        rope.send(b"!")
        self.fails(kernel, Gone, "stopped answering")
        bell.recv(1)
        kernel.bridge.begin(2, SHORT)
        assert kernel.bridge.fetch(["x"]) == {}

    def test_an_answer_of_an_earlier_cell(self):
        """It is passed over, whatever it says."""
        late = threading.Event()

        def script(kernel):
            number = kernel.asked()
            late.wait()
            kernel.sock.sendall(answer(number, value={"x": 1}))
            kernel.asked()  # the end of the cell
            kernel.says(value={"x": 2})

        kernel = Kernel(script)
        self.fails(kernel, TimedOut, "too long")
        late.set()
        kernel.bridge.begin(2, SECONDS)
        assert kernel.bridge.fetch(["x"]) == {"x": 2}

    def test_a_kernel_that_does_not_read(self):
        """A question that is too large for the socket does not block; later ones are whole."""
        go = threading.Event()

        def script(kernel):
            kernel.says(value={"f": reference((1, "f"))})
            go.wait()
            while True:
                kernel.says(value={"f": 3})

        kernel = Kernel(script)
        f = kernel.bridge.fetch(["f"])["f"]
        with pytest.raises(TimedOut):
            f(np.zeros(2_000_000))
        kernel.bridge.end()
        kernel.bridge.begin(2, SECONDS)
        go.set()
        assert kernel.bridge.fetch(["f"]) == {"f": 3}

    @pytest.mark.parametrize(
        "operation, value",
        [(len, -1), (len, 2**70), (len, "3"), (bool, 1), (iter, [1]),
         (lambda h: setattr(h, "a", 1), 1), (lambda h: write(h, {"a": 1}), 1),
         (lambda h: read(h, "a", "b"), [1]), (lambda h: read(h, "a"), (1,)), (items, (1, 2))],
    )  # fmt: skip
    def test_operations_with_answers_of_another_type(self, operation, value):
        """Python would believe some of them, or fail in its own words."""
        kernel = Kernel(lambda k: (k.says(value={"h": reference((1, "h"))}), k.says(value=value)))
        handle = kernel.bridge.fetch(["h"])["h"]
        with pytest.raises(Gone, match="could not be read"):
            operation(handle)

    def test_changes_that_do_not_fit(self):
        """Only the bytes of an array change: neither its shape nor its dtype nor its kind."""
        zeros = [np.zeros(3), np.zeros(2, int), torch.zeros(2), "0", None, reference((1, "h"))]
        changed = [(0, value) for value in zeros] + [(1, torch.zeros(1, 2)), (1, np.zeros(2))]
        changed += [(1, torch.zeros(2, dtype=torch.int32)), (1, "0"), (2, np.zeros(2))]
        kernel = Kernel(
            lambda k: (k.says(value={"h": reference((1, "h"))}), k.says(changed=changed))
        )
        x, y, fixed = np.ones(2), torch.ones(2), np.ones(2)
        fixed.flags.writeable = False
        kernel.bridge.fetch(["h"])["h"](x, y, fixed)
        assert x.tolist() == y.tolist() == fixed.tolist() == [1, 1]

    def test_too_many_references(self):
        """No more handles are made than may be held."""
        bombs = [reference((i, "f")) for i in range(51)]
        kernel = Kernel(lambda k: k.says(value={"x": bombs}), limits=Limits(max_handles=50))
        with pytest.raises(Gone, match="could not be read"):
            kernel.bridge.fetch(["x"])

    def test_an_error_by_any_name(self):
        """Names are looked up among the errors of Python only."""
        bases = ["CheckFailed", "eval", "KeyboardInterrupt", "__import__", "StopIteration"]
        kernel = Kernel(lambda k: k.says("error", ["1; x", bases, "m"]))
        with pytest.raises(StudentError) as caught:
            kernel.bridge.fetch(["x"])
        assert type(caught.value).__mro__[1:3] == (StudentError, Exception)
