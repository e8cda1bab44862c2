"""Run a function in a fork that is confined as a student's kernel is; see what becomes of it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyseccomp

from fairmark.kernel import sandbox, syscalls
from fairmark.kernel.sandbox import Limits

LIBC = ctypes.CDLL(None, use_errno=True)
NOBODY = 65534
PARENT = os.getpid()
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTTY}
SMALL = Limits(memory=512 * sandbox.MEGABYTE, file_bytes=sandbox.MEGABYTE, cpu_seconds=30)


class Confined:
    """Runs functions in forks that are confined as a kernel is."""

    readable = sandbox.python_paths()

    def __init__(self, scratch: Path, uid: int | None = None) -> None:
        self.scratch, self.uid = scratch, uid

    def __call__(self, function: Callable[[], Any], limits: Limits = SMALL) -> Any:
        """What ``function`` returns there, or the OSError that it raises."""
        reader, writer = os.pipe()
        readable = self.readable
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._run(function, limits, readable, writer)
        os.close(writer)
        with open(reader, "rb") as pipe, killed(pid):
            ready, _, _ = select.select([pipe], [], [], 20)
            text = pipe.read() if ready else b""
        outcome = json.loads(text or '{"failed": "it ended or hung without an answer"}')
        if "errno" in outcome:
            return OSError(outcome["errno"], outcome["text"])
        assert "value" in outcome, outcome["failed"]
        return outcome["value"]

    def _run(self, function, limits, readable, writer) -> None:
        try:
            os.setpgid(0, 0)
            os.chdir(self.scratch)
            tempfile.tempdir = str(self.scratch)
            if self.uid is not None:
                os.setgroups([])
                os.setresgid(self.uid, self.uid, self.uid)
                os.setresuid(self.uid, self.uid, self.uid)
                readable = [path for path in readable if sandbox._reachable(path)]
            LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)
            sandbox.limit_resources(limits)
            sandbox.drop_privileges()
            sandbox.confine_files(readable, [self.scratch])
            syscalls.confine_syscalls()
            outcome = {"value": function()}
        except OSError as error:
            outcome = {"errno": error.errno, "text": str(error)}
        except BaseException as error:
            outcome = {"failed": f"{type(error).__name__}: {error}"}
        finally:
            os.write(writer, json.dumps(outcome).encode())
            os._exit(0)


@contextlib.contextmanager
def killed(pid: int) -> Iterator[None]:
    """End the process, and what it has started, on the way out."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def refused(outcome: Any) -> bool:
    """Whether it ended in an error that says that this is not allowed."""
    return isinstance(outcome, OSError) and outcome.errno in REFUSED


def call_number(name: str) -> int:
    """The number of a system call, also where libseccomp is too old to know it."""
    found = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    return found if found >= 0 else syscalls.NUMBERS[name]


def call(name: int | str, *arguments: int) -> int:
    """A system call by name or number, with errors as Python has them."""
    number = name if isinstance(name, int) else call_number(name)
    result = LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def in_a_child(attempt: Callable[[], Any]) -> int:
    """What ``attempt`` fails with in a child of this process, raised here."""
    pid = os.fork()
    if pid == 0:
        try:
            attempt()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))
    return code
