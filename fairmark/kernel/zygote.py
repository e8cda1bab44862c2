"""The zygote: a clean process that has imported what notebooks need, and forks for each of them.

It is started by :mod:`fairmark.kernel.launcher` with an environment that holds no secrets, runs no
thread and no student code. Its forks become student kernels and grader processes. It watches the
kernels, kills the whole process group of one that ends or takes too much, removes their folders,
and does the same for all of them when the process that started it is gone, however that ended.

Processes that grade side by side need not import everything once each: whoever of the same user
connects to the socket ``door`` in the zygote's folder gets a zygote that is a fork of this one,
with that connection as its control socket. It ends with the connection, or with this zygote.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from .door import door_in, same_user
from .forking import PR_SET_CHILD_SUBREAPER, become, become_zygote, last_line, prctl
from .offspring import Child, bury_zygote
from .scratch import locked_folder, remove_tree
from .usage import groups_below, usage
from .warm import warm_up

MESSAGE = 65_536  # bytes of the longest message on the control socket
TICK = 0.1  # seconds between two looks at what the kernels take
THOROUGH = 5  # every so many looks, one also finds what is dear to find


class Zygote:
    """Serves the control socket: JSON messages, with file descriptors for the forks.

    Requests are ``{"fork": id, "role": "kernel" or "grader", ...}`` and ``{"signal": number,
    "id": id}``; answers are ``{"forked": id, "pid": pid}`` and, once a fork has ended,
    ``{"ended": id, "status": exit code, "why": limit, "role": role, "cpu": seconds, "peak": bytes,
    "zygote": seconds of CPU that this process has taken since it was ready}``.
    """

    def __init__(
        self, control: socket.socket, folder: Path, door: socket.socket | None = None
    ) -> None:
        self.control = control
        self.folder = folder
        self.door = door
        self.children: dict[int, Child] = {}
        self.zygotes: set[int] = set()  # the processes that came to be through the door
        self.stopped = False
        self.looks, self.looked = 0, 0.0  # how often at what kernels take, and when last
        self.began = process_time()
        self.woken, self.waker = os.pipe()
        for end in (self.woken, self.waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: Any) -> None:
        self.stopped = True

    def serve(self) -> None:
        """Answer until the other end of the control socket is closed, then end everything.

        SIGTERM, which was blocked, ends it in order too.
        """
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        heard = [self.control, self.woken, *([self.door] if self.door else [])]
        try:
            while not self.stopped:
                timeout = TICK if any(child.limits for child in self.children.values()) else None
                ready, _, _ = select.select(heard, [], [], timeout)
                if self.woken in ready:
                    os.read(self.woken, MESSAGE)
                self._reap()
                if self.control in ready and not self._answer():
                    return
                if self.door in ready:
                    self._open_door()
                self._watch()
        finally:
            self._end()

    def _end(self) -> None:
        for pid in self.zygotes:
            os.kill(pid, signal.SIGTERM)
        for child in self.children.values():
            child.kill()
        while self.children or self.zygotes:
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
            become(request, fds, parent)
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(OSError):  # whoever of the two comes first makes the group
            os.setpgid(pid, pid)
        limits = request.get("limits", {})
        child = Child(request["fork"], pid, request["role"], Path(request["folder"]), limits)
        child.record.write_text(f"{pid} {os.getsid(0)}")
        self.children[pid] = child
        self._tell({"forked": request["fork"], "pid": pid})

    def _open_door(self) -> None:
        """Fork a zygote for whoever stands at the door; nobody else has its connection then."""
        connection, _ = self.door.accept()
        with connection:
            if not same_user(connection):
                return
            parent = os.getpid()
            serve = partial(_serve_next, self.folder.parent)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            pid = os.fork()
            if pid == 0:
                become_zygote(connection.fileno(), serve, parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        self.zygotes.add(pid)

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.control.send(json.dumps(message).encode())

    def _reap(self, options: int = os.WEXITED | os.WNOHANG) -> None:
        """Collect every process that has ended; what it leaves behind goes with it."""
        while self.children or self.zygotes:
            try:
                found = os.waitid(os.P_ALL, 0, options | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            child = self.children.pop(found.si_pid, None)
            if child:
                self._tell({**child.bury(), "zygote": process_time() - self.began})
            elif found.si_pid in self.zygotes:
                self.zygotes.remove(found.si_pid)
                bury_zygote(found.si_pid, self.folder.parent)
            else:
                os.waitpid(found.si_pid, 0)  # it had lost its parent
            options |= os.WNOHANG

    def _watch(self) -> None:
        """Kill each kernel whose processes together take more than they may, once a tick."""
        watched = {child.pid: child for child in self.children.values() if child.limits}
        if not watched or monotonic() < self.looked + TICK:
            return
        self.looks += 1
        thorough = self.looks % THOROUGH == 0
        groups = groups_below(os.getpid(), thorough)
        for pid, child in watched.items():
            if not child.why:
                pids, limit = groups.get(pid, []), child.limits["memory"]
                too_much = usage(pids, child.folder, limit, thorough).over(child.limits)
                if too_much:
                    child.kill(too_much)
        self.looked = monotonic()


@contextlib.contextmanager
def _new_folder(place: Path) -> Iterator[Path]:
    """A folder in ``place``, for temporary files of this process too, and removed in the end.

    SIGTERM is blocked: it must not come between a folder and its removal.
    """
    folder = locked_folder(place)
    try:
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "tmp")
        yield folder
    finally:
        remove_tree(folder)


def _serve_next(place: Path, control: socket.socket) -> None:
    """Be a zygote that came through the door; its folder is in ``place``."""
    with _new_folder(place) as folder:
        zygote = Zygote(control, folder)
        _say(control, {"ready": str(folder)})
        zygote.serve()


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
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    with _new_folder(Path(tempfile.gettempdir())) as folder:
        try:
            prctl(PR_SET_CHILD_SUBREAPER, 1)
            _warm_up(setup["modules"], folder)
            zygote = Zygote(control, folder, door_in(folder))
        except Exception:
            _say(control, {"failed": last_line()})
            return
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1):
            os.dup2(null, standard)
        os.close(null)
        _say(control, {"ready": str(folder)})
        zygote.serve()


def _warm_up(modules: Iterable[str], folder: Path) -> None:
    """Import everything; SIGTERM ends this process at once meanwhile, and without a trace."""

    def give_up(*_: Any) -> None:
        remove_tree(folder)
        os._exit(1)

    signal.signal(signal.SIGTERM, give_up)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    warm_up(modules)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _say(control: socket.socket, what: dict[str, str]) -> None:
    with contextlib.suppress(OSError):  # nobody waits for it any more: there is no request
        control.send(json.dumps(what).encode())


if __name__ == "__main__":
    main()
