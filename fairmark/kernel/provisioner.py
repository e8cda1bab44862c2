"""A Jupyter kernel provisioner whose kernels are forked warm and confined.

A kernelspec asks for it by the name ``fairmark-warm`` in its metadata; see
:mod:`fairmark.kernel.manager`. Every limit is a trait, set in ``nbgrader_config.py`` as
``c.WarmProvisioner.memory = ...``.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import select
import socket
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool, Integer, List, Unicode

from . import sandbox
from .launcher import Fork, LaunchError, launcher_for
from .sandbox import Limits
from .scratch import copy_files

PORTS = ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")


class WarmProvisioner(KernelProvisionerBase):
    """Starts each kernel as a fork of a zygote, in a sandbox and in a folder of its own.

    The folder ``cwd`` that a client asks for is not used itself: its files, but for notebooks, are
    copied to the kernel's own, which is removed when the kernel ends.
    """

    modules = List(help="What the zygote imports before kernels are forked from it.")
    confined = Bool(
        True,
        help="Whether kernels are confined by Landlock and seccomp. Where the system cannot do it, "
        "no kernel starts unless this is False; then student code may do all that you may do.",
    ).tag(config=True)
    memory = Integer(
        Limits.memory, help="Bytes of memory that the processes of a kernel may take, together."
    ).tag(config=True)
    processes = Integer(
        Limits.processes, help="How many processes a kernel may have at a time."
    ).tag(config=True)
    threads = Integer(
        Limits.threads, help="How many threads these may have at a time, together."
    ).tag(config=True)
    file_bytes = Integer(
        Limits.file_bytes, help="Size of the largest file that a kernel may write."
    ).tag(config=True)
    disk_bytes = Integer(
        Limits.disk_bytes, help="Bytes on disk of all files that it may write, together."
    ).tag(config=True)
    open_files = Integer(
        Limits.open_files, help="How many files each of its processes may have open."
    ).tag(config=True)
    cpu_seconds = Integer(
        Limits.cpu_seconds, help="Seconds of CPU time after which each of them is ended."
    ).tag(config=True)
    readable = List(
        Unicode(), help="Files and folders outside of the environment that student code may read."
    ).tag(config=True)
    hidden = List(help="Folders that student code must not see; no kernel starts where it could.")
    start_timeout = Integer(30, help="Seconds that a fork may take to become a kernel.").tag(
        config=True
    )

    fork: Fork | None = None
    bridge: socket.socket | None = None  # our end of the connection to the servant in the kernel
    process = None  # jupyter_client looks for it; there is no Popen here

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel process, running or not yet waited for."""
        return self.fork is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """No argument and nothing of this process's environment is passed on.

        Kernels are made before they are asked for; what clients set by arguments is set already.
        """
        kwargs.pop("env", None)
        given = [*self.kernel_spec.argv, *(kwargs.pop("extra_arguments", None) or [])]
        for argument in given:
            if not argument.startswith(("--log-level", "--HistoryManager.hist_file")):
                self.log.warning(f"an argument for the kernel is not used: {argument}")
        return {**kwargs, "cmd": []}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork, confine and start a kernel; return when its sockets are bound.

        Raises :class:`LaunchError`.
        """
        readable = self.check()
        launcher = launcher_for(self.modules)
        folder = launcher.new_folder()
        work = folder / "work"
        work.mkdir()
        for notice in copy_files(Path(kwargs.get("cwd") or work), work, self.disk_bytes // 2):
            self.log.warning(notice)
        info = self._connection_info(folder)
        self.bridge, theirs = socket.socketpair()
        status, told = socket.socketpair()
        with theirs, told, status:
            self.fork = launcher.fork(
                "kernel",
                folder,
                [told.fileno(), theirs.fileno()],
                connection={**info, "key": info["key"].decode()},
                confined=self.confined,
                readable=[str(path) for path in readable],
                limits=self._limits(),
            )
            told.close()
            self._await_start(status)
        return info

    def check(self) -> list[Path]:
        """What a kernel may read. Raises :class:`LaunchError` where none can be confined."""
        if not self.confined:
            return []
        readable = [*_python_paths(), *map(Path, self.readable)]
        missing = [path for path in self.readable if not Path(path).exists()]
        if missing:
            raise LaunchError(f"c.WarmProvisioner.readable: {missing[0]} is not there")
        try:
            sandbox.check()
            sandbox.refuse_if_exposed(list(map(Path, self.hidden)), readable)
        except sandbox.SandboxUnavailable as error:
            raise LaunchError(
                f"student code cannot be confined here: {error}; to run it unconfined all the same "
                "set c.WarmProvisioner.confined = False"
            ) from error
        return readable

    def _connection_info(self, folder: Path) -> KernelConnectionInfo:
        return {
            "transport": "ipc",
            "ip": str(folder / "k"),  # absolute: each side would take another for its own folder
            "key": secrets.token_hex(32).encode(),
            "signature_scheme": "hmac-sha256",
            **{name: number for number, name in enumerate(PORTS, start=1)},
        }

    def _limits(self) -> dict[str, int]:
        return {limit.name: getattr(self, limit.name) for limit in fields(Limits)}

    def _await_start(self, status: socket.socket) -> None:
        ready, _, _ = select.select([status], [], [], self.start_timeout)
        answer = json.loads((ready and status.recv(4096)) or b"{}")
        if not answer.get("ready"):
            self.fork.kill()
            self.bridge.close()
            why = answer.get("failed") or self.fork.why or ("it ended" if ready else "it hangs")
            raise LaunchError(f"a forked kernel did not start: {why}")

    async def poll(self) -> int | None:
        """None while the kernel runs, else its exit status."""
        return self.fork.poll() if self.fork else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended, and forget it."""
        status = self.fork.poll() if self.fork else 0
        while status is None:
            await asyncio.sleep(0.005)
            status = self.fork.poll()
        self.fork = None
        return status

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and everything that it started; 0 only asks."""
        if self.fork and signum:
            self.fork.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and everything that it started; its folder goes with it."""
        if self.fork:
            self.fork.kill()

    async def terminate(self, restart: bool = False) -> None:
        """The same as :meth:`kill`: there is nothing of a student's to wait for."""
        await self.kill(restart)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Student code is not asked to end, it is ended."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Close the bridge; make sure that nothing runs on."""
        await self.kill(restart)
        if self.bridge:
            self.bridge.close()


@lru_cache(maxsize=1)
def _python_paths() -> tuple[Path, ...]:
    """:func:`sandbox.python_paths`, found once in a process: it looks up hundreds of names."""
    return tuple(sandbox.python_paths())
