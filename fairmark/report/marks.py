"""Marks from the gradebook, and what was noticed from the graded notebooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url

from fairmark.autograde.ledger import usable
from fairmark.course import CourseError
from fairmark.notebooks import Role, read, role_of
from fairmark.preprocessors.cells import ENDED, OURS, REFUSED, TIMED_OUT

STOPPED = {REFUSED, TIMED_OUT, ENDED}  # of the errors in an answer cell, those worth a remark


@dataclass
class StudentMarks:
    """The marks of one student: points by notebook, and remarks in the order of the notebooks."""

    student: str
    points: dict[str, float] = field(default_factory=dict)
    noticed: list[str] = field(default_factory=list)

    @property
    def total(self) -> float:
        """The sum over the notebooks."""
        return sum(self.points.values())


def read_marks(
    course: CourseDirectory, assignment: str
) -> tuple[dict[str, float], list[StudentMarks]]:
    """The maximum points by notebook, and the marks of everybody who handed in.

    Raises :class:`CourseError` where the gradebook cannot be read or lacks the assignment.
    """
    try:
        with usable(course.db_url):
            maxima, marks = _read_gradebook(course, assignment)
    except MissingEntry:
        raise CourseError(
            f"{assignment} is not in the gradebook; "
            f"run `nbgrader generate_assignment {assignment}` first"
        ) from None
    for student in marks:
        handed_in, graded = (
            Path(course.root, course.format_path(folder, student.student, assignment))
            for folder in (course.submitted_directory, course.autograded_directory)
        )
        student.noticed = [
            f"{path.stem}: `{path.name}` is no notebook of {assignment} and was not graded"
            for path in sorted(handed_in.glob("*.ipynb"))
            if path.stem not in maxima
        ]
        for notebook in maxima:
            remarks = remarks_on(graded / f"{notebook}.ipynb")
            student.noticed += [f"{notebook}: {remark}" for remark in remarks]
    return maxima, sorted(marks, key=lambda student: student.student)


def _read_gradebook(
    course: CourseDirectory, assignment: str
) -> tuple[dict[str, float], list[StudentMarks]]:
    url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise MissingEntry  # a Gradebook would make an empty one
    with Gradebook(course.db_url, course.course_id) as gradebook:
        notebooks = sorted(gradebook.find_assignment(assignment).notebooks, key=lambda n: n.name)
        maxima = {notebook.name: notebook.max_score for notebook in notebooks}
        return maxima, [
            StudentMarks(s.student.id, {n.name: n.score for n in s.notebooks})
            for s in gradebook.assignment_submissions(assignment)
        ]


def remarks_on(path: Path) -> list[str]:
    """What was noticed in the graded notebook at ``path``, each remark once.

    What was put right when it was read and whose output was cut, what stopped a cell of the
    student's, and the message of each test that gave no points.
    """
    if not path.exists():
        return ["not handed in under this name"]
    notebook = read(path)
    found = list(notebook.metadata.get(OURS, {}).get("noticed", []))
    tested = []
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if role_of(cell) is Role.TEST:
            tested += [" ".join(error.evalue.split()) or error.ename for error in errors]
        else:
            found += [error.evalue for error in errors if error.ename in STOPPED]
    return list(dict.fromkeys(found + tested))
