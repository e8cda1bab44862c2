"""Workers that share nothing with the coordinator but an address."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.running import short_folder
from tests.pipeline.course import Course

from .machine import Machine
from .running import files_of, rows_of

pytestmark = pytest.mark.pipeline


@pytest.fixture
def address() -> Iterator[str]:
    """A scheduler, and two workers, each in a folder of its own and with one for its files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    there = f"tcp://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        homes = [stack.enter_context(short_folder()) for _ in range(3)]
        words = ["scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard"]
        stack.enter_context(dask(homes[0], *words))
        for home in homes[1:]:
            stack.enter_context(dask(home, "worker", there, "--nthreads=1", "--no-dashboard"))
        yield there


@contextlib.contextmanager
def dask(home: Path, *words: str) -> Iterator[None]:
    """A Dask command that runs in ``home``, as its administrator would start it."""
    (home / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        cwd=home,
        env=os.environ | {"TMPDIR": str(home / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_by_address(machine: Machine, undisturbed: Course, address: str) -> None:
    """Two workers on separate folders grade the class as the workers of one machine do."""
    done = machine.grade(f"--scheduler={address}")
    assert done.code == 0, done.lines
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)


def test_nobody_there(machine: Machine) -> None:
    """Without a scheduler at the address, one line says so and nothing is written."""
    quick = "import fairmark.autograde.engine as engine\nengine.PATIENCE = 4"
    done = machine.grade("--scheduler=tcp://127.0.0.1:9", before=quick)
    assert done.code == 1
    assert done.says("no scheduler at tcp://127.0.0.1:9")
    assert machine.finished() == {}
