"""What zygotes left behind that were killed, and its removal by the next one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import tempfile
from pathlib import Path

from .scratch import LOCK, PREFIX, remove_tree


def clean_up(place: Path | None = None) -> None:
    """Remove what zygotes left behind that were killed: their folders, and processes of forks.

    ``place`` is where their folders are, else where this process has its temporary files. A zygote
    holds a lock in its folder for as long as it lives.
    """
    for folder in Path(place or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with open(folder / LOCK) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for file in folder.glob("*.pid"):
                    _kill_group_in_sandbox(file.read_text())
                remove_tree(folder)


def _kill_group_in_sandbox(record: str) -> None:
    """Kill the processes of a group and session where each is surely one of ours: sandboxed.

    The leader died with its zygote; what it had started may live on. The numbers may also have been
    given to somebody else since, so only processes under a seccomp filter and without privileges
    to gain are taken. A record that the zygote had no time to write is none.
    """
    numbers = [int(word) for word in record.split()]
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            if [os.getpgid(pid), os.getsid(pid)] != numbers:
                continue
            status = (entry / "status").read_text()
            if "\nNoNewPrivs:\t1\n" in status and "\nSeccomp:\t2\n" in status:
                os.kill(pid, signal.SIGKILL)
