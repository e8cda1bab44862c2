"""A run that was stopped is continued by the next: what is missing is graded, nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.pipeline.course import MAIN, Course

from .machine import CLASS, POINTS, SECOND, Machine, ended
from .running import files_of, rows_of

pytestmark = pytest.mark.faults

QUICK = 20  # seconds in which a stopped run ends, on a machine that does much else


def kill(process: subprocess.Popen) -> None:
    """As the system does where memory is short: nothing of the run can say anything."""
    process.kill()
    process.communicate(timeout=60)


def stop(process: subprocess.Popen, number: int, group: bool) -> None:
    """Send a signal, to all of the group as a terminal does, and look at how the run ends."""
    began = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    done = ended(process)
    assert time.monotonic() - began < QUICK
    assert done.code == 130
    assert sum("Stopped" in line for line in done.lines) == 1, done.lines


def assert_same(machine: Machine, undisturbed: Course) -> None:
    """Fail where the result is another than that of an undisturbed run."""
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)


def file_of(machine: Machine, student: str, name: str) -> Path:
    """A notebook in autograded/."""
    return machine.course.root / "autograded" / student / "ex1" / f"{name}.ipynb"


def test_stopped_again_and_again(machine: Machine, undisturbed: Course) -> None:
    """Killed, interrupted and terminated, the class gets the marks of an undisturbed run."""
    first = machine.finished()
    with machine.grading() as process:
        machine.wait_for(process, 1)
        kill(process)
    machine.assert_ended()
    seen = [first, machine.finished()]
    for number, group in ((signal.SIGINT, True), (signal.SIGTERM, False)):
        with machine.grading() as process:
            machine.wait_for(process, 1)
            stop(process, number, group)
        machine.assert_clean()
        seen.append(machine.finished())
    done = machine.grade()
    assert done.code == 0, done.lines
    seen.append(machine.finished())
    for earlier, later in pairwise(seen):
        assert earlier.items() < later.items()
    assert_same(machine, undisturbed)
    machine.assert_clean()


def test_two_at_once(machine: Machine, undisturbed: Course) -> None:
    """Of two commands on one course, one says in one line that the other grades, and ends."""
    with machine.grading() as one, machine.grading(workers=2) as other:
        first, second = sorted([ended(one), ended(other)], key=lambda run: run.code)
    assert (first.code, second.code, len(second.lines)) == (0, 1, 1)
    assert second.says("Another `fairmark autograde` is grading")
    assert_same(machine, undisturbed)
    machine.assert_clean()


def test_stopped_before_it_grades(machine: Machine) -> None:
    """Ctrl-C while the run gets ready ends it with one line, and leaves nothing."""
    for seconds in (0.3, 1.5, 4):
        with machine.grading() as process:
            time.sleep(seconds)
            stop(process, signal.SIGINT, group=True)
        machine.assert_ended()
        assert list(machine.temporary.iterdir()) == []


def test_killed_at_any_time(machine: Machine, undisturbed: Course) -> None:
    """Killed at random moments after the first mark, the class gets the same marks."""
    chance = random.Random(4)
    for _ in range(3):
        with machine.grading() as process:
            machine.wait_for(process, 1)
            time.sleep(chance.uniform(0, 0.3))
            kill(process)
        machine.assert_ended()
    assert machine.grade().code == 0
    assert_same(machine, undisturbed)
    machine.assert_clean()


def _half_written(machine: Machine) -> None:
    """What stopped runs of all kinds leave, ours and those of stock nbgrader."""
    folder = file_of(machine, "alf", MAIN).parent
    folder.rename(folder.with_name(".ex1.partial"))
    file_of(machine, "bea", SECOND).unlink()
    file = file_of(machine, "cid", SECOND)
    file.write_bytes(file.read_bytes()[:-100])
    shutil.copy(machine.course.file("dot"), file_of(machine, "dot", MAIN))
    with closing(sqlite3.connect(machine.course.root / "gradebook.db")) as database:
        database.execute(
            "UPDATE grade SET auto_score = NULL WHERE notebook_id IN (SELECT b.id FROM "
            "submitted_notebook b JOIN submitted_assignment s ON s.id = b.assignment_id "
            "WHERE s.student_id = 'dot')"
        )
        database.commit()


def test_half_written(graded: Machine, undisturbed: Course) -> None:
    """A folder that is not whole, or has no marks, is graded; a whole one is left alone."""
    before = graded.finished()
    _half_written(graded)
    done = graded.grade()
    assert done.says("4 graded", "2 were graded before"), done.lines
    after = graded.finished()
    changed = {student for student in CLASS if before[student] != after[student]}
    assert changed == {"alf", "bea", "cid", "dot"}
    assert_same(graded, undisturbed)
    graded.assert_clean()


def test_new_and_newer(graded: Machine) -> None:
    """What was handed in later is graded, and a student who is new; the rest is not."""
    submitted = graded.course.root / "submitted"
    for student, year in {"alf": 2031, "bea": 2030, "cid": 2029}.items():
        stamp = submitted / student / "ex1" / "timestamp.txt"
        stamp.write_text(f"{year}-01-02 03:04:05 UTC")
        shutil.copy(graded.course.file("dot"), graded.course.file(student))
    shutil.copytree(submitted / "dot", submitted / "new")
    before = graded.finished()
    done = graded.grade()
    assert done.says("2 graded", "5 were graded before"), done.lines
    after = graded.finished()
    assert {name for name in after if before.get(name) != after[name]} == {"alf", "new"}
    points = {name: graded.course.points(name) for name in after}
    assert points == POINTS | {"alf": POINTS["dot"], "new": POINTS["dot"]}
    done = graded.grade()
    assert done.says("0 graded", "7 were graded before"), done.lines
    assert graded.finished() == after
    graded.assert_clean()


def test_force(graded: Machine, undisturbed: Course) -> None:
    """--force grades the selected students again; stopped, the next plain run goes on with it."""
    before = graded.finished()
    with graded.grading("--force", "--student=[a-d]*") as process:
        graded.wait_for(process, 1)
        stop(process, signal.SIGINT, group=True)
    some = graded.finished()
    again = {name for name in CLASS if some[name] != before[name]}
    assert 1 <= len(again) < 4
    done = graded.grade()
    assert done.says(f"{4 - len(again)} graded"), done.lines
    after = graded.finished()
    changed = {name for name in CLASS if after[name] != some[name]}
    assert changed == {"alf", "bea", "cid", "dot"} - again
    assert_same(graded, undisturbed)
    graded.assert_clean()


def test_one_notebook(graded: Machine, undisturbed: Course) -> None:
    """--notebook grades the selected one alone, and leaves the others of the folder as they are."""
    graded.course.file("bea", SECOND).write_text("{}")  # would be unreadable
    seconds = {name: file_of(graded, name, SECOND).read_bytes() for name in CLASS}
    shutil.rmtree(graded.course.root / "autograded" / "alf")
    shutil.copytree(graded.course.root / "submitted/eve", graded.course.root / "submitted/new")
    done = graded.grade(f"--notebook={MAIN[:5]}*")
    assert done.says("2 graded", "5 were graded before"), done.lines
    done = graded.grade(f"--notebook={MAIN}", "--force", "--student=[b-z]*")
    assert done.says("6 graded"), done.lines
    for student in set(CLASS) - {"alf"}:
        assert file_of(graded, student, SECOND).read_bytes() == seconds[student]
    for student in ("alf", "new"):
        assert file_of(graded, student, MAIN).exists()
        assert not file_of(graded, student, SECOND).exists()
    done = graded.grade()
    assert done.says("2 graded", "5 were graded before"), done.lines
    shutil.rmtree(graded.course.root / "autograded" / "new")
    assert files_of(graded.course.root) == files_of(undisturbed.root)
    graded.assert_clean()
