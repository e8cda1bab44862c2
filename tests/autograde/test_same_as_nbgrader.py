"""What ``fairmark autograde`` leaves is what ``nbgrader autograde`` leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.course import Course
from tests.pipeline.tiny_class import LIMITS, SCORES, graded_class

from .running import autograde, files_of, rows_of

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def by_nbgrader(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The tiny class with all of its odd files, graded by nbgrader."""
    return graded_class(tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture(scope="module")
def by_us(by_nbgrader: Course, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same class graded by the command, and what that said."""
    folder = tmp_path_factory.mktemp("fairmark")
    course = Course(folder, **by_nbgrader.source)
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    shutil.copytree(by_nbgrader.root / "submitted", folder / "submitted", symlinks=True)
    done = autograde(folder, *LIMITS)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


def test_same_rows(by_nbgrader: Course, by_us: tuple[Path, str]) -> None:
    """Every submission, notebook, grade, comment and student is the same in both gradebooks."""
    assert rows_of(by_us[0]) == rows_of(by_nbgrader.root)


def test_same_files(by_nbgrader: Course, by_us: tuple[Path, str]) -> None:
    """The same files lie in both folders, with the same rights and the same content."""
    ours, theirs = files_of(by_us[0]), files_of(by_nbgrader.root)
    assert sorted(ours) == sorted(theirs)
    for name, found in ours.items():
        assert found == theirs[name], name


def test_commands_go_on(by_us: tuple[Path, str]) -> None:
    """Feedback and export take what the command left."""
    course = Course.__new__(Course)
    course.root, course.log = by_us[0], ""
    assert course.nbgrader("generate_feedback", "ex1") == 0, course.log
    exported = course.exported()
    assert {name: exported[name] for name in SCORES} == SCORES


def test_summary_names_problems(by_us: tuple[Path, str]) -> None:
    """The summary has a line for each submission in which something was noticed."""
    said = by_us[1]
    for student, what in {
        "loops": "Timeout waiting for execute reply (3s)",
        "exits": "the kernel died in cell",
        "renamed": "no notebook of the assignment",
        "no_folder": "handed in no folder",
        "no_notebook": "no notebook was handed in",
        "f_large": "larger than 0.2 MB",
    }.items():
        assert any(line.startswith(student) and what in line for line in said.splitlines()), what
