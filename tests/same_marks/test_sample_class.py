"""The sample class gets fair marks without isolation as well; with it, ``make demo`` says so."""

from __future__ import annotations

import shutil
from pathlib import Path

from fairmark.course import open_course
from fairmark.report import read_marks
from fairmark.samples import CLASSES, Assignment, write_class
from tests.pipeline.course import ONE_KERNEL, ROOT, Course


def test_fair_in_one_kernel(tmp_path: Path) -> None:
    """Every sample submission of ex1, graded in one kernel with its tests."""
    course = Course(tmp_path, more=ONE_KERNEL)
    shutil.copytree(ROOT / "source" / "ex1", course.root / "source" / "ex1", dirs_exist_ok=True)
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    assignment = Assignment(course.root / "source" / "ex1", course.root / "release" / "ex1")
    samples = CLASSES["ex1"](assignment)
    write_class(samples, assignment, course.root / "submitted")
    assert course.nbgrader("autograde", "ex1", "--force") == 0, course.log
    _, marks = read_marks(open_course(course.root), "ex1")
    got = {student.student: student.points for student in marks}
    assert got == {sample.name: sample.fair_marks(assignment) for sample in samples}
