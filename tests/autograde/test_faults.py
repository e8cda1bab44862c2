"""What goes wrong with workers, disk and database harms no mark and no other submission."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairmark.autograde.coordinator import HOPELESS
from fairmark.autograde.engine import TRIES
from tests.kernel.running import eventually, short_folder
from tests.pipeline.course import MAIN, cell_of
from tests.pipeline.submissions import insert

from .machine import CLASS, POINTS, Ended, Machine, copied, ended
from .running import files_of, rows_of

pytestmark = pytest.mark.pipeline

STEPS = """
import os
import signal
from nbgrader.preprocessors import NbGraderPreprocessor

class Mischief(NbGraderPreprocessor):
    when = ""

    def preprocess(self, nb, resources):
        text = str(nb)
        if f"kill while {self.when}" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if f"fail while {self.when}" in text:
            raise OSError("nothing works here")
        return nb, resources

class WhileReading(Mischief):
    when = "reading"

class WhileRunning(Mischief):
    when = "running"

    def preprocess(self, nb, resources):
        if resources["nbgrader"].get("not_run"):
            return nb, resources
        return super().preprocess(nb, resources)
"""
MISCHIEF = """
c.Autograde.sanitize_preprocessors = ["steps.WhileReading", *SANITIZE]
c.Autograde.autograde_preprocessors = ["steps.WhileRunning", *AUTOGRADE]
"""
ESSAY = "What the student wrote"


@pytest.fixture(scope="module")
def mischief(handed_in, tmp_path_factory) -> Path:
    """A class with steps that end a worker, or fail, at what some students wrote; not graded."""
    course = copied(handed_in, tmp_path_factory.mktemp("mischief") / "course")
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(MISCHIEF)
    (course.root / "steps.py").write_text(STEPS)
    return course


@pytest.fixture
def mischievous(mischief, tmp_path) -> Iterator[Machine]:
    """The class of ``mischief``, to be graded."""
    with short_folder() as temporary:
        yield Machine(copied(mischief, tmp_path / "course"), temporary)


def assert_as_undisturbed(machine: Machine, undisturbed, students=CLASS) -> None:
    """Fail where these students have other rows or files than after an undisturbed run."""
    for of in (rows_of, files_of):
        found, wanted = (of(one.root) for one in (machine.course, undisturbed))
        if of is rows_of:
            found, wanted = (
                [(table, row) for table, rows in both.items() for row in rows if row[0] in students]
                for both in (found, wanted)
            )
        else:
            found, wanted = (
                {name: one for name, one in both.items() if name.split("/")[0] in students}
                for both in (found, wanted)
            )
        assert found == wanted


def test_workers_killed(machine: Machine, undisturbed) -> None:
    """Workers that are killed in the middle of notebooks change nothing but the time it takes."""
    with machine.grading(workers=2) as process:
        for _ in range(2):
            machine.wait_for_slow(True)
            killed = machine.workers(process)
            assert len(killed) == 2
            machine.kill_workers(process)
            machine.wait_for_slow(False)
            assert eventually(lambda: len(set(machine.workers(process)) - set(killed)) == 2)
        done = ended(process)
    assert (done.code, done.says("6 graded")) == (0, True), done.lines
    assert_as_undisturbed(machine, undisturbed)
    machine.assert_clean()


def test_killers_and_failures(mischievous: Machine, undisturbed) -> None:
    """Who ends every worker is given up and scores 0; who cannot be graded is left for later."""
    course = mischievous.course
    course.submit("kills", insert("title", f"'kill while running'\n'{ESSAY}'"))
    course.submit("kills_reader", insert("title", "'kill while reading'"))
    course.submit("fails", insert("title", "'fail while running'"))
    done = mischievous.grade(workers=2)
    assert done.code == 1
    assert done.says("8 graded", "1 not graded"), done.lines
    assert done.says("kills: ", MAIN, "given up", f"{TRIES} times")
    assert done.says("kills_reader: ", "cannot be read and scores 0")
    assert done.says("fails: NOT GRADED", "nothing works here")
    assert_as_undisturbed(mischievous, undisturbed)
    none = dict.fromkeys(POINTS["alf"], 0)
    assert course.points("kills") == course.points("kills_reader") == none
    assert cell_of(course.graded("kills"), "mine").source.endswith(f"'{ESSAY}'")
    assert "fails" not in mischievous.finished()
    mischievous.assert_clean()

    before = mischievous.finished()
    course.submit("fails")
    done = mischievous.grade()
    assert (done.code, done.says("1 graded")) == (0, True), done.lines
    after = mischievous.finished()
    assert after.pop("fails")
    assert after == before
    assert course.points("fails") == POINTS["alf"]


def test_all_fail(mischievous: Machine) -> None:
    """Where no submission can be graded the run stops early, and says once why."""
    for number in range(HOPELESS + 10):
        mischievous.course.submit(f"a{number:02}", insert("title", "'fail while running'"))
    done = mischievous.grade()
    assert done.code == 1
    assert done.says(f"The first {HOPELESS} submissions could not be graded", "nothing works here")
    assert sum("NOT GRADED" in line for line in done.lines) == HOPELESS, done.lines
    assert mischievous.finished() == {}
    mischievous.assert_clean()
