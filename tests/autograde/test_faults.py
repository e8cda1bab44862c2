"""What goes wrong with workers, disk and database harms no mark and no other submission."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fairmark.autograde.coordinator import HOPELESS
from fairmark.autograde.engine import TRIES
from tests.kernel.running import short_folder
from tests.pipeline.course import MAIN, Course, cell_of
from tests.pipeline.submissions import insert

from .machine import CLASS, POINTS, Machine, copied, ended
from .running import files_of, rows_of

pytestmark = pytest.mark.faults

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
def mischief(handed_in, tmp_path_factory) -> Course:
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


def assert_as_undisturbed(machine: Machine, undisturbed: Course) -> None:
    """Fail where a student of the class has other rows or files than after an undisturbed run."""
    found, wanted = (
        {
            (table, row)
            for table, rows in rows_of(course.root).items()
            for row in rows
            if row[0] in CLASS
        }
        for course in (machine.course, undisturbed)
    )
    assert found == wanted
    files = files_of(machine.course.root)
    assert {name: files[name] for name in files if name.split("/")[0] in CLASS} == files_of(
        undisturbed.root
    )


def test_workers_killed(machine: Machine, undisturbed) -> None:
    """Workers that are killed in the middle of notebooks change nothing but the time it takes."""
    with machine.grading(workers=2) as process:
        for _ in range(2):
            machine.wait_for_slow(True)
            assert len(machine.kill_workers(process)) == 2
            machine.wait_for_slow(False)
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


def test_full_disk(machine: Machine, undisturbed: Course) -> None:
    """Where nothing more can be written the run ends in one line; the next goes on with it."""
    machine.course.submit("zed")
    (machine.course.file("zed").parent / "large.bin").write_bytes(bytes(3_000_000))
    gradebook = machine.course.root / "gradebook.db"
    seen = []
    for most, what in (
        (gradebook.stat().st_size // 2, "The gradebook cannot be written"),
        (1_000_000, "autograded/zed/ex1 cannot be written: File too large"),
    ):
        with machine.grading() as process:
            machine.wait_for(process, 1)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
            done = ended(process)
        assert done.code == 1
        assert done.says(what), done.lines
        machine.assert_clean()
        seen.append(machine.finished())
    done = machine.grade()
    assert done.code == 0, done.lines
    assert seen[0].items() < seen[1].items() < machine.finished().items()
    assert_as_undisturbed(machine, undisturbed)
    assert machine.course.points("zed") == POINTS["alf"]


@contextmanager
def locked(gradebook: Path) -> Iterator[None]:
    """Keep everybody else from the database."""
    with closing(sqlite3.connect(gradebook, timeout=30)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


def test_locked_gradebook(machine: Machine, undisturbed: Course) -> None:
    """A gradebook that is locked is waited for, which is said; too long a time ends the run."""
    gradebook = machine.course.root / "gradebook.db"
    with machine.grading(
        before="import fairmark.autograde.coordinator as c; c.PATIENCE = 1"
    ) as run:
        machine.wait_for(run, 1)
        with locked(gradebook):
            done = ended(run)
    assert done.code == 1
    assert done.says("No write to the gradebook for 1 s", "database is locked"), done.lines
    machine.assert_clean()
    with machine.grading() as run:
        machine.wait_for(run, 1)
        with locked(gradebook):
            time.sleep(7)  # SQLite itself waits for 5
        done = ended(run)
    assert done.code == 0
    assert done.says("database is locked; trying again"), done.lines
    assert_as_undisturbed(machine, undisturbed)
    machine.assert_clean()


def test_unusable_gradebook(machine: Machine) -> None:
    """A gradebook that is missing, broken or read-only ends the run in one line."""
    gradebook = machine.course.root / "gradebook.db"
    good = gradebook.read_bytes()
    read_only = good[:18] + b"\3" + good[19:]  # the version of SQLite that is to write it
    for data, what in (
        (None, "ex1 is not in the gradebook"),
        (b"no database" * 1000, "file is not a database"),
        (read_only, "readonly database"),
    ):
        gradebook.unlink() if data is None else gradebook.write_bytes(data)
        done = machine.grade()
        assert done.code == 1
        assert sum(what in line for line in done.lines) == 1, done.lines
        assert machine.finished() == {}
    machine.assert_clean()


def test_no_place_for_results(machine: Machine) -> None:
    """Where autograded/ cannot be written the run ends in one line, and no mark is counted."""
    (machine.course.root / "autograded").write_text("no folder")
    done = machine.grade()
    assert done.code == 1
    assert done.says("autograded/alf/ex1 cannot be written: Not a directory"), done.lines
    machine.assert_ended()
