"""A class of two hundred, while workers and the coordinator are killed at random."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.running import short_folder
from tests.pipeline.course import Course

from .machine import CLASS, Machine, copied, small_course
from .running import files_of, rows_of

pytestmark = pytest.mark.chaos
SUBMISSIONS = 200
LIVES = 5  # runs whose coordinator is killed, before one that may end by itself


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two hundred submissions, of each kind of the small class the same number or one more."""
    course = small_course(tmp_path_factory.mktemp("big") / "course")
    edits = [edit for student, edit in CLASS.items() if student != "eve"]  # who only takes time
    for number in range(SUBMISSIONS):
        course.submit(f"s{number:03}", edits[number % len(edits)])
    return course


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for the files of the runs."""
    with short_folder() as folder:
        yield folder


def test_chaos(big: Course, tmp_path: Path, temporary: Path) -> None:
    """Every mark is there once, and is the one of an undisturbed run."""
    calm = Machine(copied(big, tmp_path / "calm"), temporary)
    assert calm.grade(workers=2).code == 0
    stormy = Machine(copied(big, tmp_path / "stormy"), temporary)
    chance = random.Random(7)
    for _ in range(LIVES):
        with stormy.grading(workers=2) as process, killing_workers(stormy, process, chance):
            before = len(stormy.finished())
            stormy.wait_for(process, chance.randrange(1, 25))
            process.kill()
        assert before < len(stormy.finished()) < SUBMISSIONS
    with stormy.grading(workers=2) as process, killing_workers(stormy, process, chance) as killed:
        said, _ = process.communicate(timeout=900)
    assert killed, "no worker was killed"
    assert process.returncode == 0, said
    assert rows_of(stormy.course.root) == rows_of(calm.course.root)
    assert files_of(stormy.course.root) == files_of(calm.course.root)
    stormy.assert_clean()


@contextlib.contextmanager
def killing_workers(
    machine: Machine, process: subprocess.Popen, chance: random.Random
) -> Iterator[list[int]]:
    """Kill a worker of a run every few seconds, for as long as the context lasts."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not over.wait(chance.uniform(2, 6)):
            with contextlib.suppress(ProcessLookupError, IndexError):
                pid = chance.choice(machine.workers(process))
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()
