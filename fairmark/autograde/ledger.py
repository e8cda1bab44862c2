"""The gradebook, as ``nbgrader autograde`` would leave it, one transaction for each submission.

nbgrader opens the database anew for every step, looks each cell up by a join of seven tables and
commits after each. Here the shape of the assignment is read once, the rows of a submission come in
three queries, and what changed goes back in one transaction.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import select
from sqlalchemy.orm import Session


@dataclass
class Shape:
    """The cells of a notebook that have rows of their own in a submission, by name."""

    id: str
    graded: dict[str, str] = field(default_factory=dict)  # name -> id, for a Grade each
    commented: dict[str, str] = field(default_factory=dict)  # name -> id, for a Comment each
    tested: set[str] = field(default_factory=set)  # ids of the graded cells that a test decides


class Ledger:
    """The gradebook of one assignment, open for as long as a run takes.

    Every method may raise SQLAlchemy's errors; what was not committed is gone then, and the same
    call may be made again.
    """

    def __init__(self, db_url: str, course_id: str, assignment: str) -> None:
        self.gradebook = Gradebook(db_url, course_id)
        self.assignment = assignment
        found = self.gradebook.find_assignment(assignment)
        self.assignment_id = found.id
        self.shapes = {notebook.name: _shape(notebook) for notebook in found.notebooks}
        self.session.rollback()

    @property
    def session(self) -> Session:
        """The session of this thread."""
        return self.gradebook.db()

    def graded(self) -> set[str]:
        """The students who have a submission in which every test has given its points."""
        submitted = select(SubmittedAssignment.student_id).where(
            SubmittedAssignment.assignment_id == self.assignment_id
        )
        tested = set().union(*(shape.tested for shape in self.shapes.values()))
        pending = (
            submitted.join(
                SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id
            )
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .where(Grade.auto_score.is_(None), Grade.cell_id.in_(tested))
        )
        with self.session.begin():
            return set(self.session.scalars(submitted)) - set(self.session.scalars(pending))

    def record(
        self,
        student: str,
        timestamp: datetime.datetime | None,
        create: bool,
        save: Callable[[Entry], None],
    ) -> None:
        """Have ``save`` fill in the rows of a student's submission, and commit them all at once.

        Raises :class:`MissingEntry` where the student is not in the gradebook and ``create`` is
        False.
        """
        try:
            entry = Entry(self, student, timestamp, create)
            save(entry)
            self.session.commit()
        finally:
            # also what was loaded goes: the memory of a run does not grow with the class
            self.session.close()

    def close(self) -> None:
        """Close the database."""
        self.gradebook.close()


class Entry:
    """The submission of one student: as much of a Gradebook as nbgrader's saving steps use."""

    def __init__(
        self, ledger: Ledger, student: str, timestamp: datetime.datetime | None, create: bool
    ) -> None:
        self.session = ledger.session
        self.db = self  # of the session, the steps only use ``commit``
        self._ensure_student(ledger, student, create)
        self.submission = self.session.scalars(
            select(SubmittedAssignment).where(
                SubmittedAssignment.assignment_id == ledger.assignment_id,
                SubmittedAssignment.student_id == student,
            )
        ).one_or_none()
        self.notebooks: dict[str, SubmittedNotebook] = {}
        self.grades: dict[tuple[str, str], Grade] = {}
        self.comments: dict[tuple[str, str], Comment] = {}
        if self.submission is None:
            self._make(ledger, student)
        else:
            self._load(ledger)
        if timestamp is not None:
            self.submission.timestamp = timestamp

    def _ensure_student(self, ledger: Ledger, student: str, create: bool) -> None:
        if self.session.get(Student, student) is None:
            if not create:
                raise MissingEntry(f"{student} is not in the gradebook")
            self.session.add(Student(id=student))
            self.session.flush()

    def _make(self, ledger: Ledger, student: str) -> None:
        """The rows that ``Gradebook.add_submission`` makes, by their ids."""
        self.submission = SubmittedAssignment(
            id=new_uuid(), assignment_id=ledger.assignment_id, student_id=student
        )
        for name, shape in ledger.shapes.items():
            notebook = SubmittedNotebook(
                id=new_uuid(), notebook_id=shape.id, assignment_id=self.submission.id
            )
            self.notebooks[name] = notebook
            for cell, cell_id in shape.graded.items():
                self.grades[name, cell] = Grade(cell_id=cell_id, notebook_id=notebook.id)
            for cell, cell_id in shape.commented.items():
                self.comments[name, cell] = Comment(cell_id=cell_id, notebook_id=notebook.id)
        rows = (self.notebooks, self.grades, self.comments)
        self.session.add_all([self.submission, *(row for table in rows for row in table.values())])

    def _load(self, ledger: Ledger) -> None:
        rows = self.session.scalars(
            select(SubmittedNotebook).where(SubmittedNotebook.assignment_id == self.submission.id)
        ).all()
        names = {shape.id: name for name, shape in ledger.shapes.items()}
        self.notebooks = {names[row.notebook_id]: row for row in rows}
        by_id = {row.id: names[row.notebook_id] for row in rows}
        for kind, table, cells in (
            (Grade, self.grades, lambda shape: shape.graded),
            (Comment, self.comments, lambda shape: shape.commented),
        ):
            found = self.session.scalars(select(kind).where(kind.notebook_id.in_(by_id))).all()
            cell_names = {
                cell_id: cell
                for shape in ledger.shapes.values()
                for cell, cell_id in cells(shape).items()
            }
            for row in found:
                table[by_id[row.notebook_id], cell_names[row.cell_id]] = row

    def find_grade(self, cell: str, notebook: str, *_: str) -> Grade:
        """The grade of a cell. Raises :class:`MissingEntry`."""
        return _find(self.grades, notebook, cell)

    def find_comment(self, cell: str, notebook: str, *_: str) -> Comment:
        """The comment on a cell. Raises :class:`MissingEntry`."""
        return _find(self.comments, notebook, cell)

    def find_submission(self, *_: str) -> SubmittedAssignment:
        """The submission itself."""
        self.session.flush()  # so that its due date can be looked up
        return self.submission

    def find_submission_notebook(self, notebook: str, *_: str) -> SubmittedNotebook:
        """A notebook, with the score that the grades so far give."""
        self.session.flush()
        row = self.notebooks[notebook]
        self.session.expire(row)
        return row

    def nothing_handed_in(self, notebook: str) -> None:
        """Score a notebook that is not there with nothing, in every cell."""
        for (name, _), grade in self.grades.items():
            if name == notebook:
                grade.auto_score, grade.needs_manual_grade = 0, False

    def commit(self) -> None:
        """Not yet: the whole submission is committed at once."""

    def make_visible(self) -> None:
        """Commit what there is, for a step that opens the gradebook itself."""
        self.session.commit()


def _shape(notebook: Any) -> Shape:
    graded = [*notebook.grade_cells, *notebook.task_cells]
    commented = [*notebook.solution_cells, *notebook.task_cells]
    by_hand = {cell.name for cell in commented}
    return Shape(
        id=notebook.id,
        graded={cell.name: cell.id for cell in graded},
        commented={cell.name: cell.id for cell in commented},
        tested={
            cell.id
            for cell in graded
            if isinstance(cell, GradeCell) and cell.cell_type == "code" and cell.name not in by_hand
        },
    )


def _find(rows: dict[tuple[str, str], Any], notebook: str, cell: str) -> Any:
    try:
        return rows[notebook, cell]
    except KeyError:
        raise MissingEntry(f"the gradebook has no cell {cell} in {notebook}") from None
