"""Frames on a stream socket: four bytes of length, big-endian, and then as many bytes.

Nothing here waits. What is half read or half sent stays, so that a wait which is broken off, by a
deadline or an interrupt, leaves both directions of the stream in step.
"""

from __future__ import annotations

import socket

from .limits import Limits, Malformed

HEAD = 4
_CHUNK, _LARGE = 1 << 14, 1 << 19


class Frames:
    """The frames of one socket, in both directions."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self.sock = sock
        self._limits = limits
        self._inbox, self._outbox = bytearray(), bytearray()
        self._sent = 0
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGE)

    @property
    def sending(self) -> bool:
        """Whether something is left to send."""
        return bool(self._outbox)

    def put(self, frame: bytes) -> None:
        """Line up ``frame`` and send what can be sent now; raises OSError."""
        self._outbox += len(frame).to_bytes(HEAD, "big")
        self._outbox += frame
        self.flush()

    def flush(self) -> None:
        """Send what can be sent now; raises OSError where the other side is gone."""
        try:
            while self._outbox:
                with memoryview(self._outbox) as whole, whole[self._sent :] as rest:
                    sent = self.sock.send(rest, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                self._sent += sent
                if self._sent == len(self._outbox):
                    self._outbox.clear()
                    self._sent = 0
        except BlockingIOError:
            return

    def fill(self) -> bool:
        """Read what has arrived, up to a bound; False at the end of the stream. Raises OSError."""
        try:
            size = _LARGE if len(self._inbox) >= _CHUNK else _CHUNK  # room costs time as well
            chunk = self.sock.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        self._inbox += chunk
        return bool(chunk)

    def take(self) -> bytes | None:
        """The next frame that has arrived whole, or None.

        Raises :class:`Malformed` for a length above the limit, before anything is kept for it.
        """
        if len(self._inbox) < HEAD:
            return None
        length = int.from_bytes(self._inbox[:HEAD], "big")
        if length > self._limits.max_bytes:
            raise Malformed("a message that is too large")
        end = HEAD + length
        if len(self._inbox) < end:
            return None
        with memoryview(self._inbox) as whole, whole[HEAD:end] as body:
            frame = bytes(body)
        del self._inbox[:end]
        return frame
