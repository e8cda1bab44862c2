"""In a fork of the zygote, the first that is done: cut what ties it to the zygote, become its role.

A fork is a student's kernel, a grader process, or a zygote of its own for one of many processes
that grade side by side; :mod:`fairmark.kernel.zygote` starts them all.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def become(request: dict[str, Any], fds: list[int], parent: int) -> None:
    """Become the kernel or the grader process that was asked for, and never return."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        end_with(parent, signal.SIGKILL)
        fds = keep_only(fds)
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
            os.write(fds[0], json.dumps({"failed": last_line()}).encode())
    finally:
        os._exit(0)


def become_zygote(connection: int, serve: Callable[[socket.socket], None], parent: int) -> None:
    """Become a zygote that is controlled over ``connection`` alone, and never return.

    It is terminated with the zygote that it was forked from. What SIGTERM does is for ``serve``
    to set; it was blocked before the fork.
    """
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        end_with(parent, signal.SIGTERM)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        (number,) = keep_only([connection])
        serve(socket.socket(fileno=number))
        status = 0
    finally:
        os._exit(status)


def end_with(parent: int, number: int) -> None:
    """Get this signal when ``parent`` ends; end at once if it has ended already."""
    prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def keep_only(fds: list[int]) -> list[int]:
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


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def last_line() -> str:
    """The error that is being handled, in one line."""
    return traceback.format_exception_only(*sys.exc_info()[:2])[-1].strip()[:500]
