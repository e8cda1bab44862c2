"""Two hundred submissions, while workers and the run itself are killed again and again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.kernel.running import short_folder
from tests.pipeline.course import Course
from tests.pipeline.submissions import insert, write

from .machine import Machine, copied, ended, small_course
from .running import files_of, rows_of

pytestmark = pytest.mark.chaos

STUDENTS = 200
LIVES = 4  # runs that are killed before the one that comes to its end
BREAK = 4.0  # seconds between two kills of a worker, on average
ENOUGH = 120  # folders from which on workers are left alone
VARIANTS = [
    None,
    write("double", "def double(x):\n    return 41"),
    write("triple", "tripel = 1"),
    insert("triple", "raise ValueError('half way')"),
    insert("factor", "print(open('data.txt').read())"),
]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of two hundred, with a handful of ways to answer."""
    course = small_course(tmp_path_factory.mktemp("crowd") / "course")
    for number in range(STUDENTS):
        student = f"s{number:03}"
        course.submit(student, VARIANTS[number % len(VARIANTS)])
        (course.file(student).parent / "data.txt").write_text(student)
    return course


def disturb(machine: Machine, process: subprocess.Popen, until: int, chance: random.Random) -> None:
    """Kill a worker now and then, until so many are graded or the run has come to its end."""
    while len(machine.finished()) < until and process.poll() is None:
        time.sleep(chance.expovariate(1 / BREAK))
        workers = machine.workers(process)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)


def test_chaos(crowd: Course, tmp_path: Path) -> None:
    """Every mark is there once, and all is as after a run that nobody disturbed."""
    chance = random.Random(200)
    with short_folder() as temporary:
        quiet = Machine(copied(crowd, tmp_path / "quiet"), temporary)
        assert quiet.grade(workers=2).code == 0
        quiet.assert_clean()
        machine = Machine(copied(crowd, tmp_path / "course"), temporary)
        for life in range(1, LIVES + 1):
            with machine.grading(workers=2) as process:
                disturb(machine, process, life * ENOUGH // (LIVES + 1), chance)
                process.kill()
                process.communicate(timeout=60)
            machine.assert_ended()
        assert 0 < len(machine.finished()) < STUDENTS
        with machine.grading(workers=2) as process:
            disturb(machine, process, ENOUGH, chance)
            done = ended(process)
        assert done.code == 0, done.lines
        machine.assert_clean()
    found = rows_of(machine.course.root)
    assert found == rows_of(quiet.course.root)
    assert len(found["submissions"]) == STUDENTS
    assert all(len(set(rows)) == len(rows) for rows in found.values())
    assert files_of(machine.course.root) == files_of(quiet.course.root)
