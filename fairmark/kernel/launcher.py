"""The trusted end of a zygote: starts it, asks it for forks, and ends it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from . import door as doors
from .fork import Fork
from .leftovers import clean_up
from .zygote import MESSAGE

STEP = 0.02  # seconds that one thread listens while others may wait to
END = 20  # seconds that it may take to end
START = 120  # seconds that a zygote may take to import everything
# What a zygote, and so every notebook, gets of the environment: no secret is among it.
PASSED_ON = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
# One thread each: many notebooks are graded side by side, and a fork must not find threads running.
INLINE = "module://matplotlib_inline.backend_inline"  # as in any other kernel
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class LaunchError(RuntimeError):
    """A process could not be started; the message says why in one line."""


class Launcher:
    """A zygote that imports ``modules``; it is waited for when the first fork is asked for.

    With ``door``, the path of another zygote's, it is a fork of that one, with everything imported,
    and ready at once. Raises then OSError where there is nobody at that door, and
    :class:`LaunchError` where no zygote comes of it.

    ``spent`` has the seconds of CPU of all forks that have ended, by role, and under "zygote" those
    of the zygote itself; ``peak`` the most bytes of memory that one of that role had.
    """

    def __init__(self, modules: Sequence[str] = (), door: str = "") -> None:
        self.forks: dict[int, Fork] = {}
        self.spent: dict[str, float] = {}
        self.peak: dict[str, int] = {}
        self._count = 0
        self._folder: Path | None = None  # of the zygote, once it is ready
        self._ended = False
        self._lock = threading.RLock()
        self.process: subprocess.Popen | None = None  # None for what came through a door
        if door:
            self._control = doors.connected(door)
            self._folder = Path(self._folder_when_ready())
        else:
            clean_up()
            self._start(list(modules))

    def _start(self, modules: list[str]) -> None:
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
            setup = {"control": theirs.fileno(), "modules": modules, "path": _import_path()}
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(json.dumps(setup).encode())

    @property
    def folder(self) -> Path:
        """The folder of the zygote, when it is ready; LaunchError where it does not get ready."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(self._folder_when_ready())
        return self._folder

    @property
    def door(self) -> str:
        """Where others get forks of this zygote, when it is ready; LaunchError as for ``folder``.

        What came through a door itself has none.
        """
        return str(self.folder / doors.NAME)

    def _folder_when_ready(self) -> str:
        ready, _, _ = select.select([self._control], [], [], START)
        answer = json.loads((ready and self._received()) or b"{}")
        if "ready" in answer:
            return answer["ready"]
        self.close()
        why = answer.get("failed") or ("it ended" if ready else f"not ready after {START} s")
        raise LaunchError(f"the process that kernels are forked from did not start: {why}")

    @property
    def alive(self) -> bool:
        """Whether forks can be asked for."""
        if self.process:
            return self.process.poll() is None
        self.hear(0, lambda: False)
        return not self._ended

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
        while not (enough() or self._ended):
            left = max(0.0, deadline - monotonic())
            with self._lock:
                if enough() or self._ended:  # another thread has heard it
                    return
                ready, _, _ = select.select([self._control], [], [], min(left, STEP))
                data = self._received() if ready else None
                if data:
                    self._note(json.loads(data))
            if data == b"":
                self._all_ended()
                return
            if data is None and left <= 0:
                return

    def _received(self) -> bytes:
        """The next message of the zygote, empty where it is gone."""
        try:
            return self._control.recv(MESSAGE)
        except ConnectionResetError:  # it went without having heard all that it was told
            return b""

    def _note(self, event: dict[str, Any]) -> None:
        fork = self.forks.get(event.get("forked") or event.get("ended"))
        if fork and "forked" in event:
            fork.pid = event["pid"]
        elif fork and "ended" in event:
            fork.status, fork.why = event["status"], event["why"]
            fork.cpu, fork.peak = event["cpu"], event["peak"]
        if "ended" in event:
            role = event["role"]
            self.spent[role] = self.spent.get(role, 0.0) + event["cpu"]
            self.spent["zygote"] = event["zygote"]
            self.peak[role] = max(self.peak.get(role, 0), event["peak"])

    def _all_ended(self) -> None:
        self._ended = True
        for fork in self.forks.values():
            if fork.status is None:
                fork.status = -signal.SIGKILL

    def close(self) -> None:
        """End the zygote and, with it, all of its forks and their folders."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if self.process and self._folder is None:  # it has no fork, but may be busy importing
            self.process.terminate()
        self.hear(END, lambda: False)  # to the end, when folders are gone
        self._ended = True
        self._control.close()
        if not self.process:
            return
        try:
            self.process.wait(END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_running: dict[tuple[str, ...], Launcher] = {}
_doors: dict[tuple[str, ...], str] = {}
_starting = threading.Lock()


def launcher_for(modules: Sequence[str]) -> Launcher:
    """The zygote with these modules, started at the first call in this process.

    To have it warm in time, this may be called before it is needed. Where :func:`use_doors` has
    named a door for these modules, and one gets through, it is a fork of the zygote there.
    """
    key = tuple(modules)
    with _starting:
        found = _running.get(key)
        if found and not found.alive:
            found.close()
            found = None
        if found is None:
            found = _running[key] = _through_door(key) or Launcher(key)
    return found


def use_doors(doors: Mapping[tuple[str, ...], str]) -> None:
    """Let :func:`launcher_for` try these doors for these modules, from now on in this process.

    A door that cannot be reached, on another machine or of a zygote that has ended, does no harm:
    this process starts a zygote of its own then.
    """
    _doors.update(doors)


def _through_door(modules: tuple[str, ...]) -> Launcher | None:
    with contextlib.suppress(OSError, LaunchError):
        return Launcher(door=_doors[modules]) if modules in _doors else None
    return None


def spent() -> dict[str, float]:
    """CPU seconds of what the zygotes of this process have forked, by role, and their own."""
    total: Counter[str] = Counter()
    for launcher in _running.values():
        total.update(launcher.spent)
    return dict(total)


@atexit.register
def close_all() -> None:
    """End every zygote of this process."""
    while _running:
        _running.popitem()[1].close()


def _forget() -> None:
    """In a fork of this process, which has no part in its zygotes: they end without it."""
    while _running:
        launcher = _running.popitem()[1]
        launcher._ended = True
        launcher._control.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | dict.fromkeys(ONE_THREAD, "1") | {"MPLBACKEND": INLINE, "LOGNAME": "student"}


def _import_path() -> list[str]:
    """Where this process imports from, without folders that depend on where it was started."""
    here = {"", ".", os.getcwd()}
    return [entry for entry in sys.path if entry not in here and os.path.isabs(entry)]
