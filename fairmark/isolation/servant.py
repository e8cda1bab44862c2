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
from typing import Any

from .arrays import raw_bytes
from .codec import Decoded, Encoder, decode
from .limits import Limits, TooMuch

_NAMES = 50  # bases of an error's class
_MESSAGE = 2000  # characters
_KIND = 60
_CLOSED, _WAITING, _STUDENT = range(3)


class Servant:
    """Serves the grader on ``sock``; ``names`` are the globals of the student.

    There is one for a kernel: it holds the objects that the grader has handles of.
    """

    def __init__(
        self, sock: socket.socket, names: dict[str, Any], limits: Limits | None = None
    ) -> None:
        from .wire import Frames

        self._limits = limits or Limits()
        self._frames = Frames(sock, self._limits)
        self._names = names
        self._things: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}  # by id of what _things holds
        self._last = 0
        self._mode, self._late = _CLOSED, False
