"""Bridges whose other end is a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

import pytest

from fairmark.isolation.bridge import Bridge
from fairmark.isolation.servant import Servant

from .worlds import LIMITS, OPEN, SECONDS, pair, serve_next


def serve_all(servant):
    """As a kernel does: once for each test cell."""
    while serve_next(servant):
        pass


@pytest.fixture(autouse=True)
def _closed():
    """Sockets are shut down first, which ends what waits for them."""
    yield
    for sock in OPEN:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    OPEN.clear()


@pytest.fixture
def start():
    """Starts a second process that serves the names it is given, cell after cell."""
    started = []

    def begin(limits=LIMITS, **names):
        ours, theirs = pair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            with contextlib.suppress(BaseException):
                serve_all(Servant(theirs, names, limits))
            os._exit(0)
        theirs.close()
        bridge = Bridge(ours, None, limits)
        bridge.pid = pid
        started.append(pid)
        bridge.begin(1, SECONDS)
        return bridge

    yield begin
    for pid in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture
def reach(start):
    """The handle or copy of one object of the student."""
    return lambda thing: start(thing=thing).fetch(["thing"])["thing"]
