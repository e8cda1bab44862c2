"""In a fork of the zygote: become a student's kernel, confined before any student code runs."""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from fairmark.isolation.servant import Servant

from . import app, sandbox, syscalls

# What a kernel imports while it starts and runs its first cell: imported once, before the forks.
for _name in (
    *("faulthandler", "pdb", "ipykernel.debugger", "tornado.platform.asyncio"),
    *("IPython.core.debugger", "IPython.core.oinspect", "IPython.core.completerlib"),
    *("IPython.core.logger", "IPython.extensions.storemagic"),
):
    importlib.import_module(_name)


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
        sys.path[:] = [path for path in sys.path if _lies_in(path, readable)]
    kernel_app = app.enter(request["connection"])
    kernel_app.kernel.servant = Servant(socket.socket(fileno=bridge_fd), kernel_app.shell.user_ns)
    if request["confined"]:
        syscalls.confine_syscalls()
    _import_from_own_folder()
    os.write(status_fd, json.dumps({"ready": True}).encode())
    os.close(status_fd)
    kernel_app.start()


def _import_from_own_folder() -> None:
    """Let modules beside the notebook be found, after the standard library as in any kernel.

    Before this process is confined, an import must not find a student's module.
    """
    places = (i for i, path in enumerate(sys.path) if path.endswith("-packages"))
    sys.path.insert(next(places, len(sys.path)), "")


def _lies_in(path: str, folders: list[Path]) -> bool:
    """Whether ``path`` can be read: a place that cannot would turn imports into errors."""
    real = Path(os.path.realpath(path))
    return not {real, *real.parents}.isdisjoint(folders)


def _environment(folder: Path) -> None:
    """Let everything that looks for a place to write find the kernel's own folder."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    os.environ.update(
        HOME=str(folder / "home"),
        TMPDIR=str(folder / "tmp"),
        IPYTHONDIR=str(folder / "home"),
        MPLCONFIGDIR=str(folder / "home" / "matplotlib"),
    )
    tempfile.tempdir = None  # what the zygote found, to be found anew
