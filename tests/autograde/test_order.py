"""Marks do not depend on how many workers there are, or on who is graded first."""

from __future__ import annotations

import pytest

from tests.pipeline.course import Course

from .machine import Machine
from .running import files_of, rows_of

pytestmark = pytest.mark.pipeline

ORDERS = {  # runs, each with its number of workers and its options
    "one worker": [(1, [])],
    "four workers": [(4, [])],
    "last first": [(2, [f"--student=[{letters}]*"]) for letters in ("ef", "cd", "ab")],
}


@pytest.mark.parametrize("order", ORDERS)
def test_same_marks(machine: Machine, undisturbed: Course, order: str) -> None:
    """The rows and files are those that two workers leave in one run."""
    for workers, words in ORDERS[order]:
        done = machine.grade(*words, workers=workers)
        assert done.code == 0, done.lines
    assert rows_of(machine.course.root) == rows_of(undisturbed.root)
    assert files_of(machine.course.root) == files_of(undisturbed.root)
    machine.assert_clean()
