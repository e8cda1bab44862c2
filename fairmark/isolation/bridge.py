"""The grader's side of the bridge: it asks, the servant in the student's kernel answers.

What answers may be hostile: it can be late, early, false, or no message at all. Each of these ends
the test cell with :class:`Gone` or :class:`TimedOut`; none stops or fools the grader.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import select
import socket
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from .arrays import copy_into
from .codec import Encoder, decode
from .errors import Gone, StudentError, TimedOut, student_error
from .handle import Handle, number_of
from .limits import Limits, Malformed
from .wire import Frames

__all__ = ["Bridge", "Gone", "Handle", "StudentError", "TimedOut"]

DIED = "the kernel died while this test ran"
STOPPED = "the student's code stopped answering while this test ran"
UNREADABLE = "the kernel gave an answer that could not be read"
TOO_LONG = "the student's code took too long in this test"
_STALE = 1000  # answers to earlier questions; an honest servant leaves one for a cell at most
_LAST_WORD = 0.2  # seconds for the end of a cell to be sent
_KIND = 200  # characters

# What an answer may be; for any other operation it may be anything.
_ANSWERS: dict[str, Callable[..., bool]] = {
    "fetch": lambda value, names: type(value) is dict and value.keys() <= set(names),
    "setattr": lambda value, *_: value is None,
    "setitem": lambda value, *_: value is None,
    "iter": lambda value, _: type(value) is Handle,
    "len": lambda value, _: type(value) is int and 0 <= value < 2**63,
    "bool": lambda value, _: type(value) is bool,
    "read": lambda value, _, paths: type(value) is list and len(value) == len(paths),
    "write": lambda value, *_: value is None,
    "items": lambda value, _: type(value) is list,
}


class Bridge:
    """Questions to the student's side, within test cells that have a deadline.

    ``bell`` is a socket or file descriptor that becomes readable when the student's side will not
    answer any more; it is watched, never read.
    """

    def __init__(self, sock: socket.socket, bell: Any = None, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._frames = Frames(sock, self._limits)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        if bell is not None:
            self._poll.register(bell, select.POLLIN)
        self._cell = self._asked = self._old = 0
        self._deadline: float | None = None
        self._failure: BaseException | None = None
        self._broken: Gone | None = None
        self._handles: dict[int, _Watch] = {}
        self._released: set[int] = set()

    def begin(self, cell: int, seconds: float) -> None:
        """Start a test cell; ``cell`` is above the numbers of all earlier cells.

        Without any ``seconds`` nothing is asked of the student's side.
        """
        self._cell, self._failure = cell, self._broken
        if not seconds:
            self._failure = self._failure or Gone(STOPPED)
        self._deadline = time.monotonic() + seconds

    def fetch(self, names: Sequence[str]) -> dict[str, Any]:
        """The student's globals of these names; those that the student lacks are left out.

        A cell that needs none is not kept from running by a kernel that is gone.
        """
        if not names:
            return {}
        return self.ask("fetch", list(names))

    def end(self) -> None:
        """Tell the servant that the test cell is over; it may be gone already."""
        self._deadline = None
        if self._broken:
            return
        with contextlib.suppress(OSError):
            self._frames.put(self._question(0, "end", [])[0])
            by = time.monotonic() + _LAST_WORD
            while self._frames.sending and time.monotonic() < by:
                self._poll.modify(self._frames.sock, select.POLLOUT)
                self._poll.poll(_LAST_WORD * 1000 / 4)
                self._frames.flush()

    def ask(self, operation: str, *args: Any) -> Any:
        """What the student's side answers to ``operation``.

        Raises :class:`StudentError` for an error in student code, StopIteration at the end of an
        iteration, TypeError for arguments that may not cross, :class:`Gone` and
        :class:`TimedOut`; after these two each further question of the cell raises the same.
        """
        if self._failure is not None:
            raise type(self._failure)(*self._failure.args)
        if self._deadline is None:
            raise RuntimeError("student code can only be asked in a test cell")
        self._old = 0
        self._asked += 1 + secrets.randbits(20)  # what is next cannot be foretold
        frame, sent = self._question(self._asked, operation, list(args))
        try:
            self._frames.put(frame)
            while (answer := self._next_answer()) is None:
                self._wait()
            status, value = self._read(operation, args, answer, sent)
        except OSError:
            raise self._break(DIED) from None
        except Malformed:
            raise self._break(UNREADABLE) from None
        except (Gone, TimedOut) as failure:
            self._failure = failure
            raise
        if status == "end":
            raise StopIteration
        if status == "error":
            raise student_error(*value)
        return value

    def _question(self, number: int, operation: str, args: list) -> tuple[bytes, list]:
        encoder = Encoder(self._limits, self._refer)
        released = sorted(self._released)  # more may join them at any moment
        frame = encoder.message([self._cell, number, operation, args, released])
        self._released.difference_update(released)
        return frame, encoder.arrays

    def _wait(self) -> None:
        """Until something has arrived; sends on meanwhile."""
        left = self._deadline - time.monotonic()
        wanted = select.POLLIN | (select.POLLOUT if self._frames.sending else 0)
        self._poll.modify(self._frames.sock, wanted)
        ready = dict(self._poll.poll(math.ceil(left * 1000))) if left > 0 else {}
        if not ready:
            raise TimedOut(TOO_LONG)
        events = ready.get(self._frames.sock.fileno())
        if events is None:
            raise Gone(STOPPED)
        if events & select.POLLOUT:
            self._frames.flush()
        if events & ~select.POLLOUT and not self._frames.fill():
            raise self._break(DIED)

    def _next_answer(self) -> list | None:
        """The answer to the last question, if it is here; answers to earlier ones are dropped."""
        while self._old < _STALE:
            if self._deadline < time.monotonic():
                raise TimedOut(TOO_LONG)
            frame = self._frames.take()
            if frame is None:
                return None
            answer = decode(frame, self._limits, self._resolve).value
            if type(answer) is not list or [type(a) for a in answer[:2]] != [int, str]:
                raise Malformed("no answer")
            if answer[0] == self._asked:
                return answer
            if answer[0] > self._asked:
                raise Malformed("an answer to a question that was not asked")
            self._old += 1
        raise Malformed("nothing but old answers")

    def _read(
        self, operation: str, args: Sequence[Any], answer: list, sent: list
    ) -> tuple[str, Any]:
        """The status and the value of ``answer``, once what it changed in place is changed."""
        if len(answer) != 4 or type(answer[3]) is not list:
            raise Malformed("no answer")
        _, status, value, changes = answer
        if status == "interrupted":
            raise TimedOut(TOO_LONG)
        if status == "error":
            _check_error(value)
        elif status == "ok":
            if operation in _ANSWERS and not _ANSWERS[operation](value, *args):
                raise Malformed("an answer of a wrong type")
        elif status != "end" or operation != "next":
            raise Malformed("an unknown status")
        for change in changes:
            _check_change(change, len(sent))
        for place, theirs in changes:
            copy_into(sent[place], theirs)
        return status, value

    def _break(self, reason: str) -> Gone:
        """The error for a stream that is of no further use; the servant, if any, sees its end."""
        self._broken = self._failure = Gone(reason)
        with contextlib.suppress(OSError):
            self._frames.sock.shutdown(socket.SHUT_RDWR)
        return Gone(reason)

    def _refer(self, value: Any) -> int:
        if type(value) is not Handle:
            raise TypeError(
                "only data and the student's own objects can be passed to student code,"
                f" not an object of type {type(value).__name__}"
            )
        return number_of(value, self)

    def _resolve(self, payload: Any) -> Handle:
        if type(payload) is not tuple or [type(part) for part in payload] != [int, str]:
            raise Malformed("a reference that cannot be read")
        number, kind = payload
        if not 0 <= number < 2**63 or len(kind) > _KIND:
            raise Malformed("a reference that cannot be read")
        watch = self._handles.get(number)
        handle = watch() if watch else None
        if handle is None:
            if len(self._handles) >= self._limits.max_handles:
                raise Malformed("too many references")
            handle = Handle(self, number, kind)
            self._handles[number] = _Watch(handle, self._forget, number)
            self._released.discard(number)
        return handle

    def _forget(self, watch: _Watch) -> None:
        """Nobody holds the handle any more: the next question says so."""
        if self._handles.get(watch.number) is watch:
            del self._handles[watch.number]
            self._released.add(watch.number)


class _Watch(weakref.ref):
    __slots__ = ("number",)

    def __new__(cls, handle: Handle, forget: Callable[[_Watch], None], number: int) -> _Watch:
        watch = super().__new__(cls, handle, forget)
        watch.number = number
        return watch

    def __init__(self, handle: Handle, forget: Callable[[_Watch], None], number: int) -> None:
        super().__init__(handle, forget)


def _check_error(value: Any) -> None:
    if type(value) is not list or [type(part) for part in value] != [str, list, str]:
        raise Malformed("an error that cannot be read")
    if any(type(base) is not str for base in value[1]):
        raise Malformed("an error that cannot be read")


def _check_change(change: Any, count: int) -> None:
    if type(change) is not tuple or len(change) != 2 or type(change[0]) is not int:
        raise Malformed("a change that cannot be read")
    if not 0 <= change[0] < count:
        raise Malformed("a change of an array that was not sent")
