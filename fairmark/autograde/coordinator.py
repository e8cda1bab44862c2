"""One class, from submissions to marks: hands out notebooks, and alone writes what comes back."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time, sleep
from typing import Any

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fairmark.preprocessors.reading import Unreadable, bytes_of
from fairmark.preprocessors.saving import SHARING
from fairmark.preprocessors.submission import SubmissionExporter

from .cluster import signals_held
from .engine import Done, Engine, EngineError
from .folder import place_for
from .kit import files_below, files_of, make_kit, steps_of_coordinator
from .ledger import Entry, Ledger
from .parcel import Outcome, Task
from .progress import Display, Summary
from .selection import Submission, timestamp_of
from .worker import Collector

PATIENCE = 60  # seconds for which a database that is locked or away is tried again
MOST_BESIDE = 100_000_000  # bytes of files beside the notebooks of one student
HOPELESS = 10  # submissions that could not be graded, before the first that could


class Stop(Exception):
    """The run cannot go on; one line that says why. What was graded stays."""


@dataclass
class Pending:
    """A submission whose notebooks are with the workers, and when it was handed in."""

    submission: Submission
    timestamp: datetime.datetime | None
    outcomes: dict[str, Outcome] = field(default_factory=dict)


class Coordinator:
    """Grades ``submissions`` of the assignment of ``converter`` into ``ledger``."""

    def __init__(self, converter: Autograde, ledger: Ledger, summary: Summary) -> None:
        self.converter = converter
        self.course = converter.coursedir
        self.ledger = ledger
        self.summary = summary
        self.assignment_files = files_of(converter)
        self.log = Collector()
        exporter = SubmissionExporter(config=converter.config, log=self.log.logger)
        self._max_bytes = exporter.max_bytes
        self.steps = [step(parent=exporter) for step in steps_of_coordinator(converter)]
        self._pending: dict[str, Pending] = {}

    def run(self, submissions: list[Submission], engine: Engine, display: Display) -> None:
        """Grade them all.

        Raises :class:`Stop` where it cannot go on, with everything that is done recorded whole.
        """
        local = engine.address is None
        kit = pickle.dumps(make_kit(self.converter, self.ledger.gradebook, local))
        self.ledger.session.rollback()
        began = process_time()
        try:
            for done in engine.run(kit, self._tasks(submissions)):
                self._take(done, display)
                display.update()
        except EngineError as error:
            raise Stop(f"{error}.") from None
        finally:
            self.summary.spent["coordinator"] += process_time() - began

    def _tasks(self, submissions: list[Submission]) -> Iterator[Task]:
        """The notebooks, read when a worker is about to have time for them."""
        for submission in submissions:
            timestamp = timestamp_of(submission.handed_in)
            try:
                files = self._files_beside(submission)
            except OSError as error:
                self._not_graded(submission.student, f"{error.filename}: {error.strerror}")
                continue
            self._pending[submission.student] = Pending(submission, timestamp)
            for notebook in submission.notebooks:
                yield self._task(submission, notebook, files)

    def _task(self, submission: Submission, notebook: str, files: dict[str, bytes]) -> Task:
        path = submission.handed_in / f"{notebook}.ipynb"
        data, unreadable = None, ""
        try:
            data = bytes_of(path, self._max_bytes) if os.path.lexists(path) else None
        except Unreadable as error:
            unreadable = str(error)
        return Task(submission.student, notebook, data, files, unreadable)

    def _files_beside(self, submission: Submission) -> dict[str, bytes]:
        """What student code finds beside the notebook, in so far as the student handed it in."""
        files, room = {}, MOST_BESIDE
        for name, path in files_below(submission.handed_in, self.course.ignore).items():
            size = path.stat().st_size
            if size > room:
                self.summary.add_problem(submission.student, f"{name} is too large to be sent")
                continue
            room -= size
            files[name] = path.read_bytes()
        return files

    def _take(self, done: Done, display: Display) -> None:
        """Note what came of a notebook; with the last of a submission, record that."""
        student, notebook = done.task.student, done.task.notebook
        pending = self._pending.get(student)
        if pending is None:  # another of its notebooks could not be graded
            return
        if done.result is None:
            del self._pending[student]
            self._not_graded(student, f"{notebook}: {done.error}")
            return
        outcome = pending.outcomes[notebook] = Outcome.unpack(done.result)
        self.summary.spent.update(outcome.spent)
        if done.given_up:
            self.summary.add_problem(
                student, f"{notebook}: given up, it ended its worker {done.given_up} times"
            )
        for _, text in outcome.log:
            self.summary.add_problem(student, text.removeprefix(f"{student}/"))
        if set(pending.outcomes) == set(pending.submission.notebooks):
            del self._pending[student]
            self._record(pending, display)

    def _not_graded(self, student: str, why: str) -> None:
        self.summary.not_graded[student] = why
        if not self.summary.graded and len(self.summary.not_graded) >= HOPELESS:
            raise Stop(f"The first {HOPELESS} submissions could not be graded, the last for: {why}")

    def _record(self, pending: Pending, display: Display) -> None:
        """Files made ready, rows committed, files put in place: a crash between any two of these
        leaves a submission that counts as not graded."""
        submission = pending.submission
        if timestamp_of(submission.handed_in) != pending.timestamp:
            self._not_graded(submission.student, "handed in again while it was graded")
            return
        try:
            self._lay_out(submission)
            self._save(pending, display)
            permissions = int(str(self.converter.permissions), 8)
            with signals_held():
                submission.graded.finish(permissions, self.course.groupshared)
                self.summary.graded += 1
        except OSError as error:
            submission.graded.give_up()
            raise Stop(f"{submission.graded.path} cannot be written: {error.strerror}.") from None
        except OperationalError as error:
            submission.graded.give_up()
            raise Stop(f"The gradebook cannot be written: {_first_line(error)}") from None
        except (SQLAlchemyError, MissingEntry, ValueError) as error:
            submission.graded.give_up()
            self._not_graded(submission.student, _first_line(error))
        except BaseException:
            submission.graded.give_up()
            raise

    def _lay_out(self, submission: Submission) -> None:
        """The files beside the notebooks: the student's, and over them the assignment's."""
        keep = self.course.notebook_id != "*"
        folder = submission.graded.begin(submission.notebooks, keep)
        beside = files_below(submission.handed_in, self.course.ignore)
        for name, path in (beside | self.assignment_files).items():
            shutil.copy(path, place_for(folder, name))

    def _save(self, pending: Pending, display: Display) -> None:
        """Commit the rows, as often as it takes a database that is busy or away for a while."""
        give_up, wait = monotonic() + PATIENCE, 0.0
        submission = pending.submission
        create = self.converter.create_student
        while True:
            try:
                self.ledger.record(
                    submission.student,
                    pending.timestamp,
                    create,
                    lambda entry: self._fill(entry, pending),
                )
                return
            except (OperationalError, PoolTimeout, DBAPIError) as error:
                if not _may_pass(error):
                    raise
                if monotonic() > give_up:
                    raise Stop(
                        f"No write to the gradebook for {PATIENCE} s: {_first_line(error)}"
                    ) from None
                if not wait:
                    display.say(f"gradebook: {_first_line(error)}; trying again")
            wait = min(2 * wait + 0.2, 5)
            sleep(wait)

    def _fill(self, entry: Entry, pending: Pending) -> None:
        """Have nbgrader's steps read the marks off the notebooks, and write these."""
        submission = pending.submission
        for notebook, outcome in pending.outcomes.items():
            self._finish_notebook(entry, submission, notebook, outcome)
        there = submission.handed_in
        missing = [name for name in self.ledger.shapes if not (there / f"{name}.ipynb").exists()]
        for notebook in missing:
            entry.nothing_handed_in(notebook)
        if missing:
            self.summary.add_problem(submission.student, f"not handed in: {', '.join(missing)}")

    def _finish_notebook(
        self, entry: Entry, submission: Submission, notebook: str, outcome: Outcome
    ) -> None:
        content = nbformat.reads(outcome.text, as_version=nbformat.NO_CONVERT)
        names = {
            "student": submission.student,
            "assignment": self.course.assignment_id,
            "notebook": notebook,
            "db_url": self.course.db_url,
            "gradebook": entry,
        }
        resources: dict[str, Any] = {"nbgrader": names, "unique_key": notebook}
        self.log.lines.clear()
        for step in self.steps:
            if not isinstance(step, SHARING):
                entry.make_visible()
            content, resources = step(content, resources)
        for _, text in self.log.lines:
            self.summary.add_problem(submission.student, f"{notebook}: {text}")
        text = nbformat.writes(content)
        path = place_for(submission.graded.partial, f"{notebook}.ipynb")
        path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")


@contextlib.contextmanager
def only_one_at_a_time(root: Path) -> Iterator[None]:
    """Hold the course for this run. Raises :class:`Stop` where another run holds it."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(f"Another `fairmark autograde` is grading in {root}.") from None
        yield
    finally:
        os.close(folder)


def _may_pass(error: SQLAlchemyError) -> bool:
    """Whether trying again may help: the database is locked, or away."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(error, (OperationalError, PoolTimeout)) or bool(
        getattr(error, "connection_invalidated", False)
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
