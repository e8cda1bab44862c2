"""The trusted end of a zygote: starts it, asks it for forks, and ends it."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from .scratch import LOCK, PREFIX, remove_tree
from .zygote import MESSAGE

STEP = 0.02  # seconds that one thread listens while others may wait to
START = 120  # seconds that a zygote may take to import everything
# What a zygote, and so every notebook, gets of the environment: no secret is among it.
PASSED_ON = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
# One thread each: many notebooks are graded side by side, and a fork must not find threads running.
INLINE = "module://matplotlib_inline.backend_inline"  # as in any other kernel
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class LaunchError(RuntimeError):
    """A process could not be started; the message says why in one line."""


@dataclass(eq=False)
class Fork:
    """A process that a zygote forked, seen from the process that asked for it."""

    launcher: Launcher
    id: int
    folder: Path  # its own; gone when the process is
    pid: int = 0
    status: int | None = None  # the exit code, negative for a signal, once it has ended
    why: str = ""  # the limit for which it was killed

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


class Launcher:
    """A zygote that imports ``modules``; it is waited for when the first fork is asked for."""

    def __init__(self, modules: Sequence[str]) -> None:
        clean_up()
        self.forks: dict[int, Fork] = {}
        self._count = 0
        self._folder: Path | None = None  # of the zygote, once it is ready
        self._lock = threading.RLock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                # -P: neither the current folder nor that of a script is a place to import from
                [sys.executable, "-P", "-m", "fairmark.kernel.zygote"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            setup = {
                "control": theirs.fileno(),
                "modules": list(modules),
                "path": _import_path(),
            }
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(json.dumps(setup).encode())

    @property
    def folder(self) -> Path:
        """The folder of the zygote, when it is ready; LaunchError where it does not get ready."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(self._folder_when_ready())
        return self._folder

    def _folder_when_ready(self) -> str:
        ready, _, _ = select.select([self._control], [], [], START)
        answer = json.loads((ready and self._control.recv(MESSAGE)) or b"{}")
        if "ready" in answer:
            return answer["ready"]
        self.close()
        why = answer.get("failed") or ("it ended" if ready else f"not ready after {START} s")
        raise LaunchError(f"the process that kernels are forked from did not start: {why}")

    @property
    def alive(self) -> bool:
        """Whether forks can be asked for."""
        return self.process.poll() is None

    def new_folder(self) -> Path:
        """An empty folder for the next fork, which is removed when that ends."""
        with self._lock:
            self._count += 1
            folder = self.folder / str(self._count)
        folder.mkdir(mode=0o700)
        return folder

    def fork(self, role: str, folder: Path, fds: Sequence[int], **more: Any) -> Fork:
        """A new process of that role, with copies of ``fds``, and ``folder`` for its own.

        Raises :class:`LaunchError` where the zygote is gone.
        """
        fork = Fork(self, int(folder.name), folder)
        self.forks[fork.id] = fork
        request = {"fork": fork.id, "role": role, "folder": str(folder), **more}
        self.tell(request, fds)
        self.hear(START, lambda: fork.pid != 0)
        if not fork.pid:
            raise LaunchError("the process that kernels are forked from has ended")
        return fork

    def tell(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one message to the zygote; that it is gone shows when its answer is missing."""
        with self._lock, contextlib.suppress(OSError):
            socket.send_fds(self._control, [json.dumps(message).encode()], list(fds))

    def hear(self, seconds: float, enough: Callable[[], bool]) -> None:
        """Take in what the zygote says until ``enough()``, for ``seconds`` at most.

        What one thread hears may be what another waits for, so nobody waits for long at a time.
        """
        deadline = monotonic() + seconds
        while not enough():
            left = max(0.0, deadline - monotonic())
            with self._lock:
                if enough():  # another thread has heard it
                    return
                ready, _, _ = select.select([self._control], [], [], min(left, STEP))
                data = self._control.recv(MESSAGE) if ready else None
                if data:
                    self._note(json.loads(data))
            if data == b"":
                self._all_ended()
                return
            if data is None and left <= 0:
                return

    def _note(self, event: dict[str, Any]) -> None:
        fork = self.forks.get(event.get("forked") or event.get("ended"))
        if fork is None:
            return
        if "forked" in event:
            fork.pid = event["pid"]
        else:
            fork.status, fork.why = event["status"], event["why"]

    def _all_ended(self) -> None:
        for fork in self.forks.values():
            if fork.status is None:
                fork.status = -signal.SIGKILL

    def close(self) -> None:
        """End the zygote and, with it, all of its forks and their folders."""
        self._control.close()
        if self._folder is None:  # it has no fork, but may be busy importing
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_running: dict[tuple[str, ...], Launcher] = {}
_starting = threading.Lock()


def launcher_for(modules: Sequence[str]) -> Launcher:
    """The zygote with these modules, started at the first call in this process.

    To have it warm in time, this may be called before it is needed.
    """
    key = tuple(modules)
    with _starting:
        found = _running.get(key)
        if found is None or not found.alive:
            found = _running[key] = Launcher(key)
    return found


@atexit.register
def close_all() -> None:
    """End every zygote of this process."""
    while _running:
        _running.popitem()[1].close()


def _forget() -> None:
    """In a fork of this process, which has no part in its zygotes: they end without it."""
    while _running:
        _running.popitem()[1]._control.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | dict.fromkeys(ONE_THREAD, "1") | {"MPLBACKEND": INLINE, "LOGNAME": "student"}


def _import_path() -> list[str]:
    """Where this process imports from, without folders that depend on where it was started."""
    here = {"", ".", os.getcwd()}
    return [entry for entry in sys.path if entry not in here and os.path.isabs(entry)]


def clean_up() -> None:
    """Remove what zygotes left behind that were killed: their folders, and processes of forks.

    A zygote holds a lock in its folder for as long as it lives.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
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
