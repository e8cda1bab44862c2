"""What may lie beside a notebook, or in its place: links, pipes, a wrong timestamp."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .course import MAIN, Course, main_notebook

NOTEBOOK = f"{MAIN}.ipynb"
BESIDE: dict[str, Callable[[Path], object]] = {  # what is done to the folder that is handed in
    "on_time": lambda folder: (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC"),
    "no_time": lambda folder: (folder / "timestamp.txt").write_text("soon"),
    "long_time": lambda folder: (folder / "timestamp.txt").write_text("2026 " * 1000),
    "pipe_for_time": lambda folder: os.mkfifo(folder / "timestamp.txt"),
    "pipe": lambda folder: os.mkfifo(folder / "data.csv"),
    "link": lambda folder: (folder / "data.csv").symlink_to(folder.parents[2] / "gradebook.db"),
    "linked_folder": lambda folder: (folder / "data").symlink_to(folder.parents[2] / "source"),
}
INSTEAD: dict[str, Callable[[Path], object]] = {
    "linked_notebook": lambda folder: (folder / NOTEBOOK).symlink_to(
        folder.parents[2] / "source" / "ex1" / NOTEBOOK
    ),
    "pipe_for_notebook": lambda folder: os.mkfifo(folder / NOTEBOOK),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Right answers, each with something odd beside, graded in one run."""
    course = Course(tmp_path_factory.mktemp("beside"), **{MAIN: main_notebook()})
    assert course.nbgrader("generate_assignment", "ex1") == 0, course.log
    for student, change in (BESIDE | INSTEAD).items():
        course.submit(student)
        if student in INSTEAD:
            course.file(student).unlink()
        change(course.file(student).parent)
    assert course.nbgrader("autograde", "ex1") == 0, course.log
    return course


@pytest.mark.parametrize("student", BESIDE)
def test_beside(graded: Course, student: str) -> None:
    """Nothing that lies beside a notebook changes its marks."""
    assert sum(graded.points(student).values()) == 3


@pytest.mark.parametrize("student", INSTEAD)
def test_in_its_place(graded: Course, student: str) -> None:
    """A notebook that is no file is not read: it may lead to anybody's work."""
    assert sum(graded.points(student).values()) == 0
    assert graded.lines("WARNING", student, "it is a link or something else than a file")


@pytest.mark.parametrize("student", ["pipe_for_time", "pipe", "link"])
def test_left_out(graded: Course, student: str) -> None:
    """What is no ordinary file is not copied, and named."""
    folder = graded.root / "autograded" / student / "ex1"
    assert [path.name for path in folder.iterdir()] == [NOTEBOOK]
    assert graded.lines("WARNING", f"{student}: left out, no ordinary files")


@pytest.mark.parametrize("student", ["no_time", "long_time", "pipe_for_time"])
def test_wrong_time(graded: Course, student: str) -> None:
    """A timestamp that says nothing is named, since nobody can be late by it."""
    assert graded.lines("WARNING", f"{student}: timestamp.txt", "graded as if not late")
    assert not graded.lines("on_time: timestamp.txt")
