"""Marks from the gradebook, and what was noticed from the graded notebooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from fairmark.notebooks import Role, grade_id, read, role_of

# What the preprocessors record in an answer cell, beside the errors of Python.
STOPPED = {"PackageRefused", "CellTimeoutError", "KernelEnded"}
CUT = "... Output truncated ..."  # nbgrader's LimitOutput


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


def read_marks(course: Path, assignment: str) -> tuple[dict[str, float], list[StudentMarks]]:
    """The maximum points by notebook, and the marks of everybody who handed in.

    ``course`` is the course folder, with ``gradebook.db`` and ``autograded/``. Raises LookupError,
    with one line that says what to do, where the assignment is not in the gradebook.
    """
    database = course / "gradebook.db"
    if not database.exists():
        raise LookupError(f"{database} does not exist; run 'nbgrader autograde {assignment}' first")
    with Gradebook(f"sqlite:///{database}") as gradebook:
        try:
            notebooks = sorted(
                gradebook.find_assignment(assignment).notebooks, key=lambda n: n.name
            )
        except MissingEntry:
            raise LookupError(
                f"{assignment} is not in {database}; "
                f"run 'nbgrader generate_assignment {assignment}' first"
            ) from None
        maxima = {notebook.name: notebook.max_score for notebook in notebooks}
        submissions = gradebook.assignment_submissions(assignment)
        marks = [
            StudentMarks(s.student.id, {n.name: n.score for n in s.notebooks}) for s in submissions
        ]
    for student in marks:
        handed_in = course / "submitted" / student.student / assignment
        student.noticed = [
            f"{path.stem}: `{path.name}` is no notebook of {assignment} and was not graded"
            for path in sorted(handed_in.glob("*.ipynb"))
            if path.stem not in maxima
        ]
        graded = course / "autograded" / student.student / assignment
        for notebook in maxima:
            remarks = remarks_on(graded / f"{notebook}.ipynb")
            student.noticed += [f"{notebook}: {remark}" for remark in remarks]
    return maxima, sorted(marks, key=lambda student: student.student)


def remarks_on(path: Path) -> list[str]:
    """What was noticed in the graded notebook at ``path``, each remark once.

    What was put right when it was read, what stopped a cell of the student's, and the message of
    each test that gave no points.
    """
    if not path.exists():
        return ["not handed in under this name"]
    notebook = read(path)
    found = list(notebook.metadata.get("fairmark", {}).get("noticed", []))
    tested = []
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        if role_of(cell) is Role.TEST:
            tested += [" ".join(error.evalue.split()) or error.ename for error in errors]
        else:
            found += [error.evalue for error in errors if error.ename in STOPPED]
            if any(CUT in output.get("text", "") for output in cell.get("outputs", [])):
                found.append(f"the output of cell `{grade_id(cell) or cell.id}` was cut")
    return list(dict.fromkeys(found + tested))
