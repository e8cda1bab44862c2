"""A process that a zygote has forked, as the zygote sees it: its end, and what goes with it."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .leftovers import clean_up
from .scratch import remove_tree
from .usage import groups_below


@dataclass
class Child:
    """A kernel or a grader process; it leads a process group of its own."""

    id: int
    pid: int
    role: str
    folder: Path
    limits: dict[str, int] = field(default_factory=dict)
    why: str = ""  # the limit for which it was killed

    @property
    def record(self) -> Path:
        """Where its process group and session stand, for a clean-up after a crash."""
        return self.folder.with_suffix(".pid")

    def kill(self, why: str = "") -> None:
        """Kill the whole group. The pid is not free for others until the zygote has reaped it."""
        self.why = self.why or why
        kill_group(self.pid)

    def bury(self) -> dict[str, Any]:
        """Collect it when it has ended, all of its group and its folder; what there is to tell."""
        self.kill()  # before its pid is free again
        _, status, used = os.wait4(self.pid, 0)
        _reap_group(self.pid)
        remove_tree(self.folder)
        self.record.unlink(missing_ok=True)
        return {
            "ended": self.id,
            "status": os.waitstatus_to_exitcode(status),
            "why": self.why,
            "role": self.role,
            "cpu": used.ru_utime + used.ru_stime,
            "peak": used.ru_maxrss * 1024,
        }


def bury_zygote(pid: int, place: Path) -> None:
    """Collect a zygote that was forked from this one, and has its folder in ``place``.

    Where it was killed, its forks died with it. What they had started is in its session and has
    become a child of this process.
    """
    groups = groups_below(pid)
    _, status = os.waitpid(pid, 0)
    if status:
        for group in groups.keys() - {pid}:
            kill_group(group)
            _reap_group(group)
        clean_up(place)


def kill_group(group: int) -> None:
    """Kill the processes of a group, if there are any."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _reap_group(group: int) -> None:
    """Wait until nothing of a killed group is left that could still write to its folder.

    Whatever loses its parent becomes a child of this process.
    """
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)
