"""Both ends of a bridge for tests: a second process that serves, or a kernel that lies."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from types import SimpleNamespace

from fairmark.isolation.bridge import Bridge
from fairmark.isolation.codec import Limits, decode, encode

LIMITS = Limits()
SECONDS = 20  # of an honest cell; nothing here comes near
SHORT = 0.2

OPEN: list[socket.socket] = []


def pair():
    """Two sockets that are closed after the test."""
    made = socket.socketpair()
    OPEN.extend(made)
    return made


def serve_next(servant):
    """Wait for a test cell and serve it; whether there was one."""
    while not (cell := servant.begun()) and not servant.closed:
        select.select([servant], [], [])
    if cell:
        servant.serve()
    return bool(cell)


def frame(data):
    """``data`` as it is on the stream."""
    return struct.pack(">I", len(data)) + data


def answer(number, status="ok", value=None, changed=()):
    """An answer as the servant writes it; references are numbers."""
    return frame(
        encode([number, status, value, list(changed)], LIMITS, lambda thing: thing.payload)
    )


class Kernel:
    """A kernel that says what it likes, on the other end of a bridge."""

    def __init__(self, script, bell=None, limits=LIMITS):
        ours, self.sock = pair()
        self.bridge = Bridge(ours, bell, limits)
        self.thread = threading.Thread(target=self.run, args=[script], daemon=True)
        self.bridge.begin(1, SHORT)
        self.thread.start()

    def run(self, script):
        """Play ``script``; the bridge may hang up at any time."""
        with contextlib.suppress(OSError, struct.error):
            script(self)

    def asked(self):
        """The number of the next question."""
        length = struct.unpack(">I", self.sock.recv(4, socket.MSG_WAITALL))[0]
        data = self.sock.recv(length, socket.MSG_WAITALL)
        return decode(data, LIMITS, lambda number: number).value[1]

    def says(self, *args, **kwargs):
        """Answer the next question."""
        self.sock.sendall(answer(self.asked(), *args, **kwargs))


def reference(payload):
    """An object that is sent as a reference with this ``payload``."""
    return SimpleNamespace(payload=payload)
