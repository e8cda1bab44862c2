"""A Dask scheduler and workers as on other machines: each in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.kernel.running import eventually


class Remote:
    """Processes that are started by hand, below ``folder``; they end with the context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scheduler: subprocess.Popen | None = None
        self.workers: list[subprocess.Popen] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start_scheduler(self) -> None:
        """Start one, at the same address every time."""
        words = ["--host=127.0.0.1", f"--port={self.port}", "--no-dashboard", "--no-show"]
        self.scheduler = self._start("scheduler", "scheduler", *words)
        assert eventually(self._answers)

    def start_workers(self, count: int) -> None:
        """Start workers of one thread each, which share no folder with anybody."""
        words = [self.address, "--nthreads=1", "--no-dashboard"]
        self.workers = [self._start("worker", f"worker{n}", *words) for n in range(count)]

    def stop(self) -> None:
        """Kill them all, as when the power goes."""
        for process in [self.scheduler, *self.workers]:
            if process:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.scheduler, self.workers = None, []

    def _start(self, what: str, name: str, *words: str) -> subprocess.Popen:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        with (place / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *words],
                cwd=place,
                env=os.environ | {"TMPDIR": str(place)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False
