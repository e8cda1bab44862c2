"""In a fork of the zygote: become a student's kernel, confined before any student code runs."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from ipykernel import debugger  # noqa: F401  (imported by every kernel, so once here)
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import InteractiveShell

from fairmark.isolation.servant import Servant

from . import sandbox, syscalls


class Shell(ZMQInteractiveShell):
    """The shell of a kernel; ``!command`` goes without a terminal, which needs a new session."""

    system = InteractiveShell.system_raw


class Kernel(IPythonKernel):
    """A Python kernel that can also answer the grader, in its main thread."""

    shell_class = Shell
    servant: Servant


class KernelApp(IPKernelApp):
    """An IPython kernel that is told its sockets instead of reading them from a file."""

    kernel_class = Kernel

    def init_connection_file(self) -> None:
        """There is none: ``become_kernel`` has set what it would hold."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """Nobody else is to connect."""

    def log_connection_info(self) -> None:
        """Nobody reads it; what else the method does is kept."""
        self._ports = {
            name: getattr(self, f"{name}_port")
            for name in ("shell", "iopub", "stdin", "hb", "control")
        }


def become_kernel(request: dict[str, Any], status_fd: int, bridge_fd: int) -> None:
    """Turn this process into a kernel; returns when the kernel has ended.

    Landlock holds for a thread and those that it starts, so it comes before the kernel starts any;
    seccomp can be laid on all threads, and comes when the kernel has bound its sockets.
    """
    folder = Path(request["folder"])
    os.chdir(folder / "work")
    _environment(folder)
    limits = sandbox.Limits(**request["limits"])
    sandbox.limit_resources(limits)
    if request["confined"]:
        sandbox.drop_privileges()
        readable = [Path(path) for path in request["readable"]]
        sandbox.confine_files(readable, [folder])
        sys.path[:] = [path for path in sys.path if _lies_in(Path(path), readable)]
    connection = dict(request["connection"])
    app = KernelApp.instance()
    app.session.key = connection.pop("key").encode()
    del connection["signature_scheme"]
    for name, value in connection.items():
        setattr(app, name, value)
    app.initialize(request["arguments"])
    app.kernel.servant = Servant(socket.socket(fileno=bridge_fd), app.shell.user_ns)
    if request["confined"]:
        syscalls.confine_syscalls()
    os.write(status_fd, json.dumps({"ready": True}).encode())
    os.close(status_fd)
    app.start()


def _lies_in(path: Path, folders: list[Path]) -> bool:
    """Whether ``path`` can be read: a place that cannot would turn imports into errors."""
    return any(path.resolve().is_relative_to(folder) for folder in folders)


def _environment(folder: Path) -> None:
    """Let everything that looks for a place to write find the kernel's own folder."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    os.environ.update(
        HOME=str(folder / "home"),
        TMPDIR=str(folder / "tmp"),
        IPYTHONDIR=str(folder / "home" / ".ipython"),
        MPLCONFIGDIR=str(folder / "home" / "matplotlib"),
    )
