"""The side of the bridge in the student's kernel: it carries out what the grader asks.

Nothing here is trusted by the grader, and student code can change all of it. All that is needed
is imported at the start, since the kernel cannot read this package once it is confined.
"""

from __future__ import annotations

import contextlib
import operator
import select
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .arrays import raw_bytes
from .codec import Encoder, decode
from .limits import Limits, Malformed, TooMuch
from .reach import read_here, write_here
from .wire import Frames

_NAMES = 50  # bases of an error's class
_MESSAGE = 2000  # characters
_KIND = 60
_CLOSED, _WAITING, _STUDENT = range(3)


def id_of_test(cell: int) -> str:
    """The id of the request, which nobody sends, to which the outputs of a test cell belong."""
    return f"test-{cell}"


class _Request(NamedTuple):
    """What the grader asks; ``lost`` are the numbers in it that no object has."""

    cell: int
    number: int
    operation: str
    args: list
    arrays: list[tuple[Any, bytes]]
    lost: list[int]


class Servant:
    """Serves the grader on ``sock``; ``names`` are the globals of the student.

    There is one for a kernel: it holds the objects that the grader has handles of.
    """

    def __init__(
        self, sock: socket.socket, names: dict[str, Any], limits: Limits | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._frames = Frames(sock, self._limits)
        self._names = names
        self._poll = select.poll()
        self._things: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}  # by id of what _things holds
        self._last = 0
        self._over = 0  # the last test cell that was served
        self._first: _Request | None = None  # of the cell that has begun
        self.closed = False  # whether the grader is gone
        self._mode, self._late = _CLOSED, False

    def fileno(self) -> int:
        """What becomes readable when a test cell begins."""
        return self._frames.sock.fileno()

    def begun(self) -> int:
        """The number of the test cell that has begun and is to be served; 0 where none has.

        What is left of a cell that was broken off is passed over.
        """
        try:
            self.closed = self.closed or not self._frames.fill()
            while (frame := self._frames.take()) is not None:
                self._first = self._request(frame)
                if self._first.cell > self._over:
                    return self._first.cell
        except (OSError, Malformed):
            self.closed = True
        return 0

    def serve(self) -> None:
        """Answer until the grader ends the cell that has begun, is gone, or SIGINT arrives.

        An interrupt in student code is an answer of its own. Runs in the main thread.
        """
        request, self._first = self._first, None
        self._over, self._late = request.cell, False
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            while self._carry_out(request) and (frame := self._receive()) is not None:
                request = self._request(frame)
        except (KeyboardInterrupt, OSError, Malformed):
            return
        finally:
            self._mode = _CLOSED
            signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)

    def _interrupt(self, signum: int, frame: Any) -> None:
        """Break off student code or a wait, but never a step that moves bytes of the stream."""
        if self._mode == _CLOSED:
            self._late = True
        else:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def _breakable(self, mode: int) -> Iterator[None]:
        self._mode = mode
        try:
            if self._late:
                raise KeyboardInterrupt
            yield
        finally:
            self._mode, self._late = _CLOSED, False

    def _request(self, frame: bytes) -> _Request:
        """What ``frame`` asks; objects that the grader has released are forgotten."""
        lost: list[int] = []
        asked = decode(frame, self._limits, lambda number: self._thing(number, lost))
        cell, number, operation, args, released = asked.value
        for gone in released:
            self._numbers.pop(id(self._things.pop(gone, None)), None)
        return _Request(cell, number, operation, args, asked.arrays, lost)

    def _carry_out(self, request: _Request) -> bool:
        """Answer one request; False where it is the last of the cell."""
        if request.operation == "end":
            return False
        try:
            with self._breakable(_STUDENT):
                answer = self._answer(*request[1:])
        except KeyboardInterrupt:
            self._mode = _CLOSED  # it may have come before the block had begun
            self._frames.put(self._encoded([request.number, "interrupted", None, []]))
            return False
        self._frames.put(answer)
        return True

    def _receive(self) -> bytes | None:
        """The next frame; None at the end of the stream. Sends on meanwhile."""
        while (frame := self._frames.take()) is None:
            wanted = select.POLLIN | (select.POLLOUT if self._frames.sending else 0)
            self._poll.register(self._frames.sock, wanted)
            with self._breakable(_WAITING):
                self._poll.poll()
            self._frames.flush()
            if not self._frames.fill():
                return None
        return frame

    def _answer(
        self, number: int, operation: str, args: list, sent: list[tuple[Any, bytes]], lost: list
    ) -> bytes:
        """The answer to one request; student code runs here, so anything may be raised."""
        try:
            if lost:
                raise LookupError("the student's object is no longer there")
            status, value = self._carried_out(operation, args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # exit() in student code is an error like any other
            status, value = "error", _described(error)
        try:
            return self._encoded([number, status, value, self._changed(sent)])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, TooMuch) and (operation, status) == ("fetch", "ok"):
                error = self._with_name(value, error)
            return self._encoded([number, "error", _described(error), []])

    def _carried_out(self, operation: str, args: list) -> tuple[str, Any]:
        if operation == "fetch":
            names = [name for name in args[0] if name in self._names]
            return "ok", {name: self._names[name] for name in names}
        if operation == "iter":
            return "ok", _Iterator(iter(args[0]))
        if operation != "next":
            return "ok", _OPERATIONS[operation](*args)
        try:
            return "ok", next(*args)
        except StopIteration:
            return "end", None

    def _with_name(self, names: dict[str, Any], error: TooMuch) -> TooMuch:
        """``error`` with the first name whose value cannot cross even alone."""
        for name, value in names.items():
            try:
                Encoder(self._limits, lambda thing: 0).message(value)
            except TooMuch as alone:
                return TooMuch(f"{name}: {alone}")
        return error

    def _changed(self, sent: list[tuple[Any, bytes]]) -> list[tuple[int, Any]]:
        """The arrays that no longer have the bytes that they came with, by their place."""
        return [
            (place, array)
            for place, (array, raw) in enumerate(sent)
            if raw_bytes(array, self._limits) != raw
        ]

    def _encoded(self, answer: list) -> bytes:
        last = self._last
        try:
            return Encoder(self._limits, self._refer).message(answer)
        except BaseException:
            for number in range(last + 1, self._last + 1):  # the grader never hears of these
                self._numbers.pop(id(self._things.pop(number)), None)
            raise

    def _refer(self, thing: Any) -> tuple[int, str]:
        number = self._numbers.get(id(thing))
        if number is None:
            if len(self._things) >= self._limits.max_handles:
                raise TooMuch(f"a test holds more than {self._limits.max_handles:,} objects")
            self._last = number = self._last + 1
            self._things[number] = thing
            self._numbers[id(thing)] = number
        return number, type.__dict__["__name__"].__get__(type(thing))[:_KIND]

    def _thing(self, number: int, lost: list[int]) -> Any:
        if number not in self._things:
            lost.append(number)
        return self._things.get(number)


class _Iterator:
    """Keeps an iterator a reference, whatever class it is of."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __next__(self) -> Any:
        return next(self._items)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda thing, args, named: thing(*args, **named),
    "getattr": getattr,
    "setattr": setattr,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "len": len,
    "bool": bool,
    "read": read_here,
    "write": write_here,
    "invoke": lambda thing, name, args, named: getattr(thing, name)(*args, **named),
    "items": list,
}


def _described(error: BaseException) -> list:
    """The name of the error's class, those of its bases, and what it says."""
    if isinstance(error, TooMuch):
        return ["ValueError", ["ValueError"], str(error)]
    try:
        name = str(type(error).__name__)
        bases = [str(base.__name__)[:_KIND] for base in type(error).__mro__[:_NAMES]]
        text = str.__str__(str(error))
        plain = [part[:_MESSAGE].encode("utf-8", "replace").decode() for part in (name, text)]
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ["Exception", ["Exception"], "an error that cannot say what it is"]
    return [plain[0], bases, plain[1]]
