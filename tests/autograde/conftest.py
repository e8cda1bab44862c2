"""A small class, as it was handed in and as it is graded when nobody disturbs the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.running import short_folder
from tests.pipeline.course import Course

from .machine import Machine, copied, hand_in, small_course


@pytest.fixture(scope="session")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The class, not graded; not to be changed."""
    course = small_course(tmp_path_factory.mktemp("handed_in") / "course")
    hand_in(course)
    return course


@pytest.fixture(scope="session")
def undisturbed(handed_in: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The class, graded in one run; not to be changed."""
    course = copied(handed_in, tmp_path_factory.mktemp("undisturbed") / "course")
    with short_folder() as temporary:
        machine = Machine(course, temporary)
        done = machine.grade(workers=2)
        assert done.code == 0, done.lines
        machine.assert_clean()
    return course


@pytest.fixture
def machine(handed_in: Course, tmp_path: Path) -> Iterator[Machine]:
    """The class, to be graded."""
    with short_folder() as temporary:
        yield Machine(copied(handed_in, tmp_path / "course"), temporary)


@pytest.fixture
def graded(undisturbed: Course, tmp_path: Path) -> Iterator[Machine]:
    """The class, graded, to be changed and graded again."""
    with short_folder() as temporary:
        yield Machine(copied(undisturbed, tmp_path / "course"), temporary)
