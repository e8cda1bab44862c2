"""A process that a zygote has forked, seen from the process that asked for it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launcher import Launcher


@dataclass(eq=False)
class Fork:
    """A kernel or a grader process; :meth:`Launcher.fork` makes it."""

    launcher: Launcher
    id: int
    folder: Path  # its own; gone when the process is
    pid: int = 0
    status: int | None = None  # the exit code, negative for a signal, once it has ended
    why: str = ""  # the limit for which it was killed
    cpu: float = 0.0  # seconds that it took, once it has ended, with children that it waited for
    peak: int = 0  # the most bytes of memory that it had at a time

    def poll(self) -> int | None:
        """The exit status, or None while the process runs."""
        self.launcher.hear(0, lambda: False)
        return self.status

    def wait(self, seconds: float) -> int | None:
        """Wait for the end of the process, ``seconds`` at most; the exit status if it came."""
        self.launcher.hear(seconds, lambda: self.status is not None)
        return self.status

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group."""
        self.launcher.tell({"signal": int(number), "id": self.id})

    def kill(self) -> None:
        """Kill the whole process group and wait until it is gone."""
        if self.poll() is None:
            self.signal(signal.SIGKILL)
            self.wait(10)
        self.launcher.forks.pop(self.id, None)

    def abandon(self) -> None:
        """Have the whole process group killed, without waiting for it."""
        self.signal(signal.SIGKILL)
        self.launcher.forks.pop(self.id, None)
