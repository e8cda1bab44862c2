"""Bad input: one clear line, nothing lost."""

from __future__ import annotations

import re

import pytest

from .course import MAIN, Course, cell_of
from .submissions import FILES, as_bytes

PROBLEMS = ("WARNING", "ERROR", "Traceback")


class TestFiles:
    """Files that are no notebook, or an odd one."""

    @pytest.mark.parametrize("student", sorted(FILES))
    def test_one_line(self, graded: Course, student: str) -> None:
        """One line says which file and what about it."""
        said = [
            line
            for line in graded.lines(f"{student}/ex1/{MAIN}")
            if any(word in line for word in PROBLEMS)
        ]
        assert len(said) == 1
        assert FILES[student][2] in said[0]

    def test_no_traceback(self, graded: Course) -> None:
        """No student's work ends in a traceback."""
        assert not graded.lines("Traceback")
        assert not graded.lines("error processing")

    def test_original_stays(self, graded: Course) -> None:
        """What was handed in is not touched."""
        assert graded.file("f_cut").read_bytes() == as_bytes(graded)[:-40]

    def test_first_cell_says_why(self, graded: Course) -> None:
        """The graded notebook opens with the reason."""
        first = graded.graded("f_empty").cells[0]
        assert first.cell_type == "markdown"
        assert "cannot be read: it is empty" in first.source

    def test_other_notebooks(self, graded: Course) -> None:
        """A notebook that was not handed in scores 0 beside others that count."""
        assert graded.points("perfect", "over") == {"over": 0, "beside": 0}
        assert graded.lines("No submitted file", "submitted/perfect/ex1/over.ipynb")


class TestFolders:
    """Students and folders that are not as expected."""

    def test_renamed(self, graded: Course) -> None:
        """A submission in which every notebook is renamed is recorded, and named in one line."""
        (line,) = graded.lines("renamed: none of")
        assert "homework.ipynb" in line
        reason = cell_of(graded.graded("renamed"), "not-readable").source
        assert "No file of this name" in reason

    def test_no_folder(self, graded: Course) -> None:
        """A student without the folder of the assignment is named in one line."""
        assert len(graded.lines("no_folder")) == 1

    def test_no_notebook(self, graded: Course) -> None:
        """So is one whose folder holds no notebook."""
        assert len(graded.lines("submitted/no_notebook/")) == 1

    def test_new_students(self, graded: Course) -> None:
        """Students who are not in the gradebook yet are named once, the first four of them."""
        (line,) = graded.lines("not in the gradebook yet")
        assert "asks, " in line
        assert re.search(r" and \d+ more$", line)
