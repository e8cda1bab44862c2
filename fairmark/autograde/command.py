"""``fairmark autograde``: nbgrader's options and configuration, and ours."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde, NbGraderException

from fairmark.course import CONFIG, CourseError
from fairmark.kernel.launcher import LaunchError
from fairmark.preprocessors.before_run import prepare_run

from .coordinator import Coordinator, Stop, only_one_at_a_time
from .engine import Engine, EngineError, workers_for_this_machine
from .kit import UnfitStep
from .ledger import Ledger, usable
from .progress import Display, Summary
from .selection import all_submissions, student_of, to_grade

INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended


def autograde(
    assignment: str,
    folder: Path,
    nbgrader_options: list[str],
    workers: int | None = None,
    scheduler: str | None = None,
    timings: Path | None = None,
) -> int:
    """Grade what is to be graded of ``assignment`` in the course in ``folder``.

    What it took goes to the file ``timings``, as JSON. Returns the exit code: 0 where nothing is
    left to be graded. Raises :class:`CourseError`.
    """
    timings = timings and timings.absolute()
    if not (folder / CONFIG).is_file():
        raise CourseError(
            f"{folder.resolve()} is no course folder: it has no {CONFIG}; "
            "call this in the course folder or give --course-dir"
        )
    os.chdir(folder)
    converter = _converter(assignment, nbgrader_options)
    summary = Summary()
    engine = Engine(workers or workers_for_this_machine(), scheduler)
    try:
        with (
            _terminated_like_interrupted(),
            usable(converter.coursedir.db_url),
            only_one_at_a_time(Path(converter.coursedir.root)),
        ):
            _grade(converter, engine, summary)
    except NbGraderException as error:
        raise CourseError(str(error)) from None
    except (EngineError, LaunchError, OSError, Stop, UnfitStep) as error:
        if not summary.total:
            raise CourseError(str(error)) from None
        summary.stopped = str(error)
    except KeyboardInterrupt:
        summary.stopped = "Stopped; everything graded so far is recorded."
    for line in summary.lines():
        print(line, file=sys.stderr)
    if timings:
        took = {"submissions": summary.graded, "seconds": summary.seconds, "cpu": summary.spent}
        timings.write_text(json.dumps(took))
    if summary.stopped.startswith("Stopped"):
        return INTERRUPTED
    return 1 if summary.stopped or summary.not_graded else 0


def _converter(assignment: str, options: list[str]) -> Autograde:
    """nbgrader's own converter, set up as its command line would."""
    app = AutogradeApp()
    app.initialize([*options, assignment])
    app.coursedir.assignment_id = assignment
    return Autograde(coursedir=app.coursedir, parent=app)


def _grade(converter: Autograde, engine: Engine, summary: Summary) -> None:
    log = Notices(summary).log
    _list_submissions(converter, summary)
    prepare_run(converter, log, kernels=engine.address is None)
    course = converter.coursedir
    with _open(course) as ledger:
        known = set(ledger.shapes)
        submissions = all_submissions(converter, known, log)
        chosen = to_grade(submissions, ledger.graded(), converter.force)
        summary.total, summary.skipped = len(chosen), len(submissions) - len(chosen)
        if not chosen:
            return
        what = f"{course.assignment_id}, {engine.description}"
        with engine, Display(summary, what) as display:
            Coordinator(converter, ledger, summary).run(chosen, engine, display)


def _list_submissions(converter: Autograde, summary: Summary) -> None:
    course, log = converter.coursedir, converter.log
    converter.log = _silent()  # what it would say of a folder is said below
    try:
        converter.init_notebooks()
    finally:
        converter.log = log
    pattern = course.format_path(
        course.submitted_directory, course.student_id, course.assignment_id
    )
    for folder in sorted(set(glob(pattern)) - set(converter.assignments)):
        summary.add_problem(student_of(course, folder), "no notebook was handed in: not graded")


@contextmanager
def _open(course: Any) -> Iterator[Ledger]:
    ledger = Ledger(course.db_url, course.course_id, course.assignment_id)
    try:
        yield ledger
    finally:
        ledger.close()


def _silent() -> logging.Logger:
    log = logging.Logger("silent")
    log.addHandler(logging.NullHandler())
    return log


class Notices(logging.Handler):
    """Keeps what is said before grading for the summary."""

    def __init__(self, summary: Summary) -> None:
        super().__init__(logging.WARNING)
        self.summary = summary
        self.log = logging.Logger("fairmark.autograde")
        self.log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning, by the student that it begins with; an error is raised as well."""
        if record.levelno == logging.WARNING:
            who, _, what = record.getMessage().partition(": ")
            self.summary.add_problem(who, what)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
