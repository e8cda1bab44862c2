"""The gradebook, as ``nbgrader autograde`` would leave it, one transaction for each submission.

nbgrader opens the database anew for every step, looks each cell up by a join of seven tables and
commits after each. Here the shape of the assignment is read once, the rows of a submission come in
four queries, and what changed goes back in one transaction.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbgrader.api import (
    Assignment,
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
from sqlalchemy import bindparam, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, load_only

from fairmark.course import CourseError

LOCK_TIMEOUT = 5  # seconds, as long as SQLite waits; PostgreSQL would wait for ever

# Built once; they load no more than is used, not nbgrader's sums over other tables.
DUE = load_only(Assignment.duedate)
SUBMISSION = (
    select(SubmittedAssignment)
    .where(
        SubmittedAssignment.assignment_id == bindparam("assignment"),
        SubmittedAssignment.student_id == bindparam("student"),
    )
    .options(
        load_only(
            SubmittedAssignment.assignment_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
        )
    )
)
NOTEBOOKS = select(SubmittedNotebook).where(
    SubmittedNotebook.assignment_id == bindparam("submission")
)
GRADES, COMMENTS = (
    select(kind)
    .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
    .where(SubmittedNotebook.assignment_id == bindparam("submission"))
    .options(load_only(kind.cell_id, *columns))
    for kind, columns in (
        (Grade, (Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade)),
        (Comment, (Comment.auto_comment,)),
    )
)


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
        self.names = {shape.id: name for name, shape in self.shapes.items()}
        self.places = {  # notebook and cell, by the id of the cell
            cell_id: (notebook, cell)
            for notebook, shape in self.shapes.items()
            for cells in (shape.graded, shape.commented)
            for cell, cell_id in cells.items()
        }
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
        for again in (True, False):
            try:
                if self.gradebook.engine.dialect.name == "postgresql":
                    self.session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"))
                save(Entry(self, student, timestamp, create))
                self.session.commit()
                return
            except IntegrityError:  # somebody else has just made rows that were not there
                if not again:
                    raise
            finally:
                self.session.close()  # what was not committed is undone

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
        self.notebooks: dict[str, SubmittedNotebook] = {}
        self.grades: dict[tuple[str, str], Grade] = {}
        self.comments: dict[tuple[str, str], Comment] = {}
        # held here, so that the submission finds it when it is asked for its due date
        self.assignment = self.session.get_one(Assignment, ledger.assignment_id, options=[DUE])
        self.submission = self._load(ledger, student) or self._make(student, create)
        self._complete(ledger)
        if timestamp is not None:
            self.submission.timestamp = timestamp

    def _load(self, ledger: Ledger, student: str) -> SubmittedAssignment | None:
        """The submission, if it is there, with the rows that it has."""
        names = {"assignment": ledger.assignment_id, "student": student}
        submission = self.session.scalars(SUBMISSION, names).one_or_none()
        if submission is None:
            return None
        here = {"submission": submission.id}
        for notebook in self.session.scalars(NOTEBOOKS, here):
            self.notebooks[ledger.names[notebook.notebook_id]] = notebook
        for grade in self.session.scalars(GRADES, here):
            self.grades[ledger.places[grade.cell_id]] = grade
        for comment in self.session.scalars(COMMENTS, here):
            self.comments[ledger.places[comment.cell_id]] = comment
        return submission

    def _make(self, student: str, create: bool) -> SubmittedAssignment:
        if self.session.get(Student, student) is None:
            if not create:
                raise MissingEntry(f"{student} is not in the gradebook")
            self.session.add(Student(id=student))
        new = SubmittedAssignment(id=new_uuid(), assignment=self.assignment, student_id=student)
        self.session.add(new)
        return new

    def _complete(self, ledger: Ledger) -> None:
        """Make the notebooks that are not there, with the rows that ``Gradebook.add_submission``
        makes: all of a new submission, else those that the assignment has got since."""
        for name, shape in ledger.shapes.items():
            if name in self.notebooks:
                continue
            notebook = SubmittedNotebook(
                id=new_uuid(), notebook_id=shape.id, assignment_id=self.submission.id
            )
            grades = {
                (name, cell): Grade(cell_id=cell_id, notebook_id=notebook.id)
                for cell, cell_id in shape.graded.items()
            }
            comments = {
                (name, cell): Comment(cell_id=cell_id, notebook_id=notebook.id)
                for cell, cell_id in shape.commented.items()
            }
            self.session.add_all([notebook, *grades.values(), *comments.values()])
            self.notebooks[name] = notebook
            self.grades |= grades
            self.comments |= comments

    def find_grade(self, cell: str, notebook: str, *_: str) -> Grade:
        """The grade of a cell. Raises :class:`MissingEntry`."""
        return _find(self.grades, notebook, cell)

    def find_comment(self, cell: str, notebook: str, *_: str) -> Comment:
        """The comment on a cell. Raises :class:`MissingEntry`."""
        return _find(self.comments, notebook, cell)

    def find_submission(self, *_: str) -> SubmittedAssignment:
        """The submission itself."""
        return self.submission

    def find_submission_notebook(self, notebook: str, *_: str) -> SubmittedNotebook:
        """A notebook; its score is added up by the database when it is asked for."""
        row = self.notebooks[notebook]
        if inspect(row).pending:
            self.session.flush()
        self.session.expire(row, ["score"])
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


@contextmanager
def usable(db_url: str) -> Iterator[None]:
    """Within it, a database that cannot be used is a :class:`CourseError` of one line.

    The line says which database it is, and leaves out whatever of the URL may be a password.
    """
    place = _place(db_url)
    try:
        yield
    except SQLAlchemyError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CourseError(f"the gradebook {place} cannot be used: {reason}") from None


def _place(db_url: str) -> str:
    try:
        url = make_url(db_url)
        url.get_dialect().import_dbapi()
    except ModuleNotFoundError as error:
        raise CourseError(
            f"c.CourseDirectory.db_url needs the package {error.name}, which is not installed"
        ) from None
    except (SQLAlchemyError, ValueError):
        raise CourseError("c.CourseDirectory.db_url is not the URL of a database") from None
    if "@" in (url.host or ""):  # and the rest of a password before it
        raise CourseError("c.CourseDirectory.db_url: an @ in the password is written as %40")
    shown = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


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
