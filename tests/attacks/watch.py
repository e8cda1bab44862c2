"""Runs a command within a time, and finds what it leaves running."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LARGEST = 4 << 30  # bytes of a file: enough to show a point, and not to fill the disk
GRACE = 3.0  # seconds that what was started may take to end after the command itself


@dataclass
class Done:
    """How a command ended: ``code`` is None where it had to be killed after ``seconds``."""

    code: int | None
    log: str
    seconds: float
    survivors: list[str]


def run(command: list[str], cwd: Path, env: dict[str, str], limit: float) -> Done:
    """Run ``command``; nothing of it is left running on return, but what was is told.

    Orphans become children of this process, so that none gets out of sight, whatever it does with
    sessions and groups.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = set(children(os.getpid()))
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:  # a pipe would stay open as long as any child lives
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST)),
        )
        code = None
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            seconds, survivors = time.monotonic() - began, []
        else:
            seconds, survivors = time.monotonic() - began, _left(before)
        finally:
            _kill_all(before)
            process.wait()
        log.seek(0)
        text = log.read(20_000_000).decode("utf-8", "replace")
    return Done(code, text, seconds, survivors)


def children(pid: int) -> list[int]:
    """The processes whose parent is ``pid``, zombies excluded."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def _left(before: set[int]) -> list[str]:
    deadline = time.monotonic() + GRACE
    while (left := set(children(os.getpid())) - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    names = []
    for pid in sorted(left):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            names.append(b" ".join(words).decode("utf-8", "replace").strip()[:120])
    return names


def _kill_all(before: set[int]) -> None:
    for _ in range(200):
        todo = [pid for pid in children(os.getpid()) if pid not in before]
        for pid in todo:
            for each in [pid, *_descendants(pid)]:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        for pid in todo:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        if not todo:
            return


def _descendants(pid: int) -> list[int]:
    below = children(pid)
    return below + [deeper for child in below for deeper in _descendants(child)]
