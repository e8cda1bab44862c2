"""Warm kernels that tests start and talk to, and what can be seen of processes from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from fairmark.kernel import launcher
from fairmark.kernel.launcher import Fork
from fairmark.kernel.manager import WarmManager, WarmSpecManager

MODULES = ["numpy"]  # what the kernels of most tests find imported
PATIENCE = 60.0  # seconds, on a machine that does much else at the same time


class Running:
    """A warm kernel; ``settings`` are traits of its provisioner."""

    def __init__(self, cwd: Path | None = None, **settings: Any) -> None:
        self.loop = asyncio.Runner()
        self.manager = WarmManager(
            kernel_name="python3",
            kernel_spec_manager=WarmSpecManager(settings={"modules": MODULES, **settings}),
        )
        more = {"cwd": str(cwd)} if cwd else {}
        try:
            self.loop.run(self.manager.start_kernel(**more))
        except BaseException:
            self.loop.close()
            raise
        self.fork: Fork = self.manager.provisioner.fork
        self.client = self.manager.client()
        self.client.start_channels()
        self.loop.run(self.client.wait_for_ready(timeout=PATIENCE))

    def run(self, code: str) -> str:
        """Run a cell: what it printed and how it failed, up to its end or that of the kernel."""
        return self.loop.run(self._run(code))

    async def _run(self, code: str) -> str:
        asked, text = self.client.execute(code, stop_on_error=False), ""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                message = await self.client.get_iopub_msg(timeout=0.1)
            except Empty:
                if self.fork.poll() is not None:
                    return text
                continue
            content = message["content"]
            if message["parent_header"].get("msg_id") == asked:
                text += content.get("text", "") + content.get("ename", "")
                if content.get("execution_state") == "idle":
                    await self.client.get_shell_msg(timeout=PATIENCE)
                    return text
        raise AssertionError(f"the cell did not end; so far: {text}")

    def start(self, code: str) -> None:
        """Have a cell run, without waiting for anything."""
        self.client.execute(code, stop_on_error=False)

    def close(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.loop.run(self.manager.shutdown_kernel(now=True))
        self.loop.close()


@contextlib.contextmanager
def running(**settings: Any) -> Iterator[Running]:
    """A warm kernel that ends with the block."""
    kernel = Running(**settings)
    try:
        yield kernel
    finally:
        kernel.close()


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """An empty folder with a name so short that Unix sockets fit into it."""
    folder = Path(tempfile.mkdtemp(prefix="fm", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let this process have its temporary files there, with zygotes that end with the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        patch.setattr(launcher, "_running", {})
        yield
        launcher.close_all()


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether ``holds()`` comes true before patience runs out."""
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it for its parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def marked(marker: str) -> list[int]:
    """The living processes that were started with ``marker`` in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (entry / "environ").read_bytes() and alive(int(entry.name)):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def sockets_below(folder: Path) -> list[str]:
    """The Unix sockets that are bound to a name below ``folder``."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in lines if f" {folder}/" in line]
