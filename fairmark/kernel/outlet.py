"""How a kernel's outputs leave it: one thread sends them, and it is woken no more than need be.

ipykernel hands every message to a thread with an event loop, through a socket inside of the
process, and does so several times for a cell that prints nothing. Here it is a queue, and streams
that hold nothing are left alone. As there, nothing is sent by the main thread, which an interrupt
could break off in the middle of a message.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread, OutStream


class Outlet(IOPubThread):
    """Sends what any thread hands it, in order; nothing in a process that was forked from here."""

    def __init__(self, socket: zmq.Socket, session: Any) -> None:
        # what the base class makes beside this is an event loop with sockets that wake it
        self.session = session
        self.socket = socket
        self.background_socket = _Handover(self)
        self.io_loop = None
        self._stopped = False
        self._pid = os.getpid()
        self._tasks: SimpleQueue[Callable[[], Any]] = SimpleQueue()
        self._later: dict[Callable[[], Any], float] = {}  # what is due, and when
        self.thread = threading.Thread(target=self._run, name="IOPub", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self.thread.start()

    def stop(self) -> None:
        """Send what is waiting, and nothing after it."""
        self._stopped = True
        if self.thread.is_alive():
            self._tasks.put(lambda: None)
            self.thread.join(30)

    def schedule(self, f: Callable[[], Any]) -> None:
        """Have ``f`` called by the thread; by this one if that is none any more."""
        if self.thread.is_alive():
            self._tasks.put(f)
        else:
            f()

    def call_later(self, seconds: float, f: Callable[[], Any]) -> None:
        """Have ``f`` called by the thread after some time."""
        self._tasks.put(lambda: self._later.setdefault(f, monotonic() + seconds))

    def _really_send(self, msg: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        if self.socket and os.getpid() == self._pid:
            self.socket.send_multipart(msg, *args, **kwargs)

    def _run(self) -> None:
        while not self._stopped or not self._tasks.empty():
            due = min(self._later.values(), default=None)
            with contextlib.suppress(Empty):
                self._do(self._tasks.get(timeout=due and max(0.0, due - monotonic())))
            for f in [f for f, at in self._later.items() if at <= monotonic()]:
                del self._later[f]
                self._do(f)

    def _do(self, f: Callable[[], Any]) -> None:
        with contextlib.suppress(Exception):  # one message that cannot be sent is not the last
            f()


class _Handover:
    """What is sent here goes to the thread."""

    def __init__(self, outlet: Outlet) -> None:
        self.io_thread = outlet

    def send_multipart(self, *args: Any, **kwargs: Any) -> None:
        self.io_thread.send_multipart(*args, **kwargs)


class Stream(OutStream):
    """Standard output or standard error of a kernel and of the processes forked from it."""

    _flushing = False

    def write(self, string: str) -> int | None:
        """Keep ``string`` to be sent soon; in a forked process it goes through this one's file."""
        if self._is_master_process() or not self._should_watch:
            return super().write(string)
        os.write(self._original_stdstream_fd, string.encode(errors="replace"))
        return len(string)

    def flush(self) -> None:
        """Have sent what is kept, if there is anything."""
        if self._buffers or self._flushing:  # in this order: the thread takes them while it flushes
            super().flush()

    def _flush(self) -> None:
        self._flushing = True
        try:
            super()._flush()
        finally:
            self._flushing = False

    def _schedule_flush(self) -> None:
        if not self._flush_pending:
            self._flush_pending = True
            self.pub_thread.call_later(self.flush_interval, self._flush)
