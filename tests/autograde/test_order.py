"""Marks do not depend on how many workers there are, or on whose turn it is."""

from __future__ import annotations

import pytest

from tests.pipeline.course import Course

from .machine import Machine
from .running import files_of, rows_of

pytestmark = pytest.mark.pipeline
BACKWARDS = """
import fairmark.autograde.command as command
in_order = command.to_grade
command.to_grade = lambda *words: in_order(*words)[::-1]
"""


@pytest.mark.parametrize("workers", [1, 4])
def test_number_of_workers(machine: Machine, undisturbed: Course, workers: int) -> None:
    """One worker and four give the rows and files that two give."""
    done = machine.grade(workers=workers)
    assert done.code == 0, done.lines
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)


def test_order(machine: Machine, undisturbed: Course) -> None:
    """The last submission may be the first to be graded."""
    done = machine.grade(before=BACKWARDS, workers=2)
    assert done.code == 0, done.lines
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)
