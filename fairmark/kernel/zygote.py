"""The zygote: a clean process that has imported what notebooks need, and forks for each of them.

It is started by :mod:`fairmark.kernel.launcher` with an environment that holds no secrets, runs no
thread and no student code. Its forks become student kernels and grader processes. It watches the
kernels, kills the whole process group of one that ends or takes too much, removes their folders,
and does the same for all of them when the process that started it is gone, however that ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import sandbox
from .scratch import locked_folder, remove_tree
from .usage import groups_below, usage

MESSAGE = 65_536  # bytes of the longest message on the control socket
TICK = 0.1  # seconds between two looks at what the kernels take
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OWN = ("fairmark.isolation.grader", "fairmark.kernel.child")  # what the forks go on with


@dataclass
class Child:
    """A process that was forked, as the zygote sees it; it leads a process group of its own."""

    id: int
    pid: int
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
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Zygote:
    """Serves the control socket: JSON messages, with file descriptors for the forks.

    Requests are ``{"fork": id, "role": "kernel" or "grader", ...}`` and ``{"signal": number,
    "id": id}``; answers are ``{"forked": id, "pid": pid}`` and, once a fork has ended,
    ``{"ended": id, "status": exit code, "why": limit}``.
    """

    def __init__(self, control: socket.socket, folder: Path) -> None:
        self.control = control
        self.folder = folder
        self.children: dict[int, Child] = {}
        self.woken, self.waker = os.pipe()
        for end in (self.woken, self.waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Answer until the other end of the control socket is closed, then end everything."""
        try:
            while True:
                timeout = TICK if any(child.limits for child in self.children.values()) else None
                ready, _, _ = select.select([self.control, self.woken], [], [], timeout)
                if self.woken in ready:
                    os.read(self.woken, MESSAGE)
                self._reap()
                if self.control in ready and not self._answer():
                    return
                self._watch()
        finally:
            for child in self.children.values():
                child.kill()
            while self.children:
                self._reap(os.WEXITED)

    def _answer(self) -> bool:
        """Carry out one request; False at the end of the connection."""
        try:
            data, fds, _, _ = socket.recv_fds(self.control, MESSAGE, 8)
        except ConnectionResetError:  # it was closed before all that was said had been heard
            return False
        if not data:
            return False
        request = json.loads(data)
        if "fork" in request:
            self._fork(request, fds)
        else:
            for child in self.children.values():
                if child.id == request["id"]:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(child.pid, request["signal"])
        return True

    def _fork(self, request: dict[str, Any], fds: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _go_on(request, fds, parent)
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(OSError):  # whoever of the two comes first makes the group
            os.setpgid(pid, pid)
        child = Child(request["fork"], pid, Path(request["folder"]), request.get("limits", {}))
        child.record.write_text(f"{pid} {os.getsid(0)}")
        self.children[pid] = child
        self._tell({"forked": request["fork"], "pid": pid})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.control.send(json.dumps(message).encode())

    def _reap(self, options: int = os.WEXITED | os.WNOHANG) -> None:
        """Collect every process that has ended; with a kernel, all of its group goes."""
        while self.children:
            try:
                found = os.waitid(os.P_ALL, 0, options | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            child = self.children.pop(found.si_pid, None)
            if child:
                child.kill()  # before its pid is free again
            _, status = os.waitpid(found.si_pid, 0)
            if child:
                _reap_group(child.pid)
                remove_tree(child.folder)
                child.record.unlink(missing_ok=True)
                code = os.waitstatus_to_exitcode(status)
                self._tell({"ended": child.id, "status": code, "why": child.why})
            options |= os.WNOHANG

    def _watch(self) -> None:
        """Kill each kernel whose processes together take more than they may."""
        watched = {child.pid: child for child in self.children.values() if child.limits}
        if not watched:
            return
        groups = groups_below(os.getpid())
        for pid, child in watched.items():
            if not child.why:
                used = usage(groups.get(pid, []), child.folder, child.limits["memory"])
                too_much = used.over(child.limits)
                if too_much:
                    child.kill(too_much)


def _reap_group(group: int) -> None:
    """Wait until nothing of a killed group is left that could still write to its folder.

    Whatever loses its parent becomes a child of this process.
    """
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _go_on(request: dict[str, Any], fds: list[int], parent: int) -> None:
    """In the fork: become what was asked for, and never return."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        fds = _keep_only(fds)
        os.dup2(1, 2)  # which is nowhere: nothing writes to the instructor's terminal
        _seed()
        if request["role"] == "kernel":
            from .child import become_kernel

            become_kernel(request, *fds)
        else:
            from fairmark.isolation.grader import become_grader

            become_grader(request, *fds)
    except BaseException:
        with contextlib.suppress(OSError):
            os.write(fds[0], json.dumps({"failed": _last_line()}).encode())
    finally:
        os._exit(0)


def _keep_only(fds: list[int]) -> list[int]:
    """Close every file but ``fds`` and the three standard ones; they are numbered from 3 then."""
    high = min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 64)
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, high) for fd in fds]
    os.closerange(3, high)
    kept = [os.dup2(fd, number, inheritable=False) for number, fd in enumerate(moved, start=3)]
    os.closerange(3 + len(kept), high + 64)
    return kept


def _seed() -> None:
    """Give this fork random numbers of its own, as a process that was started has them."""
    import random

    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(None)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _last_line() -> str:
    return traceback.format_exception_only(*sys.exc_info()[:2])[-1].strip()[:500]


def warm_up(modules: Iterable[str]) -> None:
    """Import ``modules``; what cannot be imported is left for the notebook to find out.

    Raises :class:`RuntimeError` where an import has started a thread: a fork of such a process
    may hang.
    """
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            for name in (*modules, *OWN):
                # a module that ends the process or fails is no reason not to import the others
                with contextlib.suppress(Exception, SystemExit):
                    importlib.import_module(name)
    for name in OWN:
        importlib.import_module(name)
    with contextlib.suppress(sandbox.SandboxUnavailable):  # whoever needs it has checked before
        sandbox.prepare()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    if threads > 1:
        raise RuntimeError(f"importing what the notebooks use started {threads - 1} threads")
    gc.collect()
    gc.freeze()  # forks share the pages of what is imported as long as nobody touches them


def main() -> None:
    """Read the set-up from stdin, get ready, say so, and serve its control socket."""
    text = sys.stdin.read()
    if not text:
        return  # the process that started this one has gone already
    setup = json.loads(text)
    sys.path[:] = setup["path"]
    control = socket.socket(fileno=setup["control"])
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this
    try:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        warm_up(setup["modules"])
    except Exception:
        _say(control, {"failed": _last_line()})
        return
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(null, standard)
    os.close(null)
    # from here on, to terminate is to end in order, and not between a folder and its removal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    folder = locked_folder()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "tmp")
        _say(control, {"ready": str(folder)})
        Zygote(control, folder).serve()
    finally:
        remove_tree(folder)


def _say(control: socket.socket, what: dict[str, str]) -> None:
    with contextlib.suppress(OSError):  # nobody waits for it any more: there is no request
        control.send(json.dumps(what).encode())


if __name__ == "__main__":
    main()
