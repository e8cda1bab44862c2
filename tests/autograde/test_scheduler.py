"""Workers that have joined a scheduler, given by its address, grade as those of this machine do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.running import short_folder

from .machine import CLASS, Machine, ended
from .remote import Remote
from .running import files_of, rows_of

pytestmark = pytest.mark.faults

IMPATIENT = "import fairmark.autograde.engine as e; e.PATIENCE = 4"


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    """A scheduler with two workers, none of which sees the course."""
    with short_folder() as folder, Remote(folder) as remote:
        remote.start_scheduler()
        remote.start_workers(2)
        yield remote


def test_same_result(remote: Remote, machine: Machine, undisturbed) -> None:
    """Two workers without a shared folder give the rows and files of an embedded cluster."""
    done = machine.grade(f"--scheduler={remote.address}")
    assert done.code == 0, done.lines
    assert done.says(f"workers of {remote.address}", "6 to grade")
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)
    machine.assert_clean()


def test_other_version(remote: Remote, machine: Machine) -> None:
    """Workers with another version of this package grade nothing, which is said in a line each."""
    other = "import fairmark.autograde.kit as kit; kit.__version__ = '0.0'"
    done = machine.grade(f"--scheduler={remote.address}", before=other)
    assert done.code == 1
    for student in CLASS:
        assert done.says(f"{student}: NOT GRADED", "this worker has fairmark", "0.0"), done.lines
    assert machine.finished() == {}


def test_scheduler_restarts(remote: Remote, machine: Machine, undisturbed) -> None:
    """A scheduler that is lost with its workers, and comes back, delays a run and no more."""
    with machine.grading(f"--scheduler={remote.address}") as process:
        machine.wait_for(process, 1)
        remote.stop()
        assert len(machine.finished()) < len(CLASS)
        remote.start_scheduler()
        remote.start_workers(2)
        done = ended(process)
    assert done.code == 0, done.lines
    assert done.says("6 graded")
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)


def test_nobody_there(machine: Machine) -> None:
    """Where there is no scheduler, or it has no workers, one line says so."""
    with short_folder() as folder, Remote(folder) as nobody:
        words = f"--scheduler={nobody.address}"
        done = machine.grade(words, before=IMPATIENT)
        assert (done.code, done.says(f"no scheduler at {nobody.address}")) == (1, True), done.lines
        nobody.start_scheduler()
        done = machine.grade(words, before=IMPATIENT)
        assert (done.code, done.says(f"{nobody.address} has no workers")) == (1, True), done.lines
    assert machine.finished() == {}
    machine.assert_clean()


def test_lost_for_good(machine: Machine) -> None:
    """A scheduler that does not come back ends the run with one line, and what is graded stays."""
    with short_folder() as folder, Remote(folder) as remote:
        remote.start_scheduler()
        remote.start_workers(1)
        with machine.grading(f"--scheduler={remote.address}", before=IMPATIENT) as process:
            machine.wait_for(process, 1)
            remote.stop()
            done = ended(process)
    assert done.code == 1
    assert done.says(f"the scheduler at {remote.address} is gone"), done.lines
    assert 1 <= len(machine.finished()) < len(CLASS)
    machine.assert_clean()
