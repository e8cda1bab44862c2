"""Gradebooks with one assignment, on every database, and submissions recorded in two ways."""

from __future__ import annotations

import datetime
import logging
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.plugins import BasePlugin
from nbgrader.preprocessors import AssignLatePenalties, ComputeChecksums, SaveAutoGrades, SaveCells
from traitlets.config import Config

from fairmark.autograde.ledger import Entry, Ledger
from fairmark.preprocessors.saving import SaveMarks, SavePenalties
from tests.pipeline.course import answer, check, notebook

COURSE = "default_course"  # nbgrader's steps open this one, whatever the course is
DUE = datetime.datetime(2026, 3, 1, 12)
LATE = DUE + datetime.timedelta(hours=2)


class HalfAPointAnHour(BasePlugin):
    """A plugin as an instructor writes one."""

    def late_submission_penalty(self, student: str, score: float, seconds: float) -> float | None:
        """Points taken off; students stand for the unusual results."""
        unusual = {"spared": None, "rewarded": -1.0, "lost": score + 5}
        return unusual.get(student, seconds / 7200)


def by_hand(name: str, **more: Any) -> NotebookNode:
    """A written answer or a task: what a person gives points for."""
    meta = {"grade_id": name, "points": 3, "schema_version": 3, "locked": False, **more}
    return new_markdown_cell("Write here.", id=name, metadata={"nbgrader": meta})


def assignment() -> dict[str, NotebookNode]:
    """Two notebooks with a cell of every kind, as they are handed out."""
    written = by_hand("written", grade=True, solution=True, task=False)
    task = by_hand("task", grade=False, solution=False, task=True)
    handed_out = {
        "first": notebook(
            answer("double", "def double(x):", "return 2 * x"),
            check("test_double", "assert double(1) == 2", points=2),
            check("test_again", "double(2) / 8", points=1),
            written,
            task,
        ),
        "second": notebook(answer("some", "some = 1", "2"), check("test_some", "some", points=4)),
    }
    step = ComputeChecksums()
    return {name: step(content, {})[0] for name, content in handed_out.items()}


def graded(half: float = 0.5) -> dict[str, NotebookNode]:
    """The notebooks of :func:`assignment` as workers return them: answered, run and tested."""
    result = assignment()
    cells = {cell.id: cell for content in result.values() for cell in content.cells}
    cells["double"].source = "def double(x):\n    return x + x"
    shown = new_output("execute_result", {"text/plain": str(half)}, execution_count=1)
    cells["test_again"].outputs = [shown]
    cells["test_some"].outputs = [
        new_output("error", ename="AssertionError", evalue="wrong", traceback=[])
    ]
    return result


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_gradebook(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes a gradebook that has the assignment and no submission; returns its URL."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("gradebooks")

        def copy(name: str) -> str:
            shutil.copy(folder / "template.db", folder / f"{name}.db")
            return f"sqlite:///{folder}/{name}.db?timeout=1"

        _fill(f"sqlite:///{folder}/template.db")
    else:
        running = request.getfixturevalue("server")

        def copy(name: str) -> str:
            return running.new_database(name, template="template")

        _fill(running.new_database("template"))
    return copy


def _fill(url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader starts `alembic` by name
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        with Gradebook(url) as gradebook:
            gradebook.add_assignment("ex1", duedate=DUE)
    for name, content in assignment().items():
        add_notebook(url, name, content)


def add_notebook(url: str, name: str, content: NotebookNode) -> None:
    """Enter a notebook as ``nbgrader generate_assignment`` does."""
    names = {"notebook": name, "assignment": "ex1", "student": ".", "db_url": url}
    SaveCells()(content, {"nbgrader": names})


def nothing(entry: Entry) -> None:
    """Fill in nothing."""


def marks(student: str, contents: dict[str, NotebookNode], config: Config, entry: Entry) -> None:
    """What the coordinator does with what workers have returned."""
    for name, content in contents.items():
        run_steps((SaveMarks, SavePenalties), student, name, content, config, gradebook=entry)


def run_steps(
    steps: tuple[type, ...],
    student: str,
    name: str,
    content: NotebookNode,
    config: Config,
    **more: Any,
) -> None:
    """Have ``steps`` save a notebook."""
    names = {"student": student, "assignment": "ex1", "notebook": name, **more}
    silent = logging.Logger("silent")
    silent.addHandler(logging.NullHandler())
    for step in steps:
        step(config=config, log=silent)(content, {"nbgrader": names})


def by_us(
    ledger: Ledger,
    student: str,
    timestamp: datetime.datetime | None = None,
    contents: dict[str, NotebookNode] | None = None,
    config: Config | None = None,
) -> None:
    """Record a submission with the ledger."""
    save = partial(marks, student, graded() if contents is None else contents, config or Config())
    ledger.record(student, timestamp, True, save)


def by_nbgrader(
    url: str,
    student: str,
    timestamp: datetime.datetime | None = None,
    contents: dict[str, NotebookNode] | None = None,
    config: Config | None = None,
) -> None:
    """Record a submission as ``nbgrader autograde`` does."""
    when = {} if timestamp is None else {"timestamp": timestamp}
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission("ex1", student, **when)
    steps = (SaveAutoGrades, AssignLatePenalties)
    for name, content in (graded() if contents is None else contents).items():
        run_steps(steps, student, name, content, config or Config(), db_url=url)


def change_by_hand(url: str, student: str) -> None:
    """Give points, remarks and an extension as a person does in formgrader."""
    with Gradebook(url) as gradebook:
        for cell, points, extra in (("written", 2.5, None), ("test_double", 1.0, 0.5)):
            grade = gradebook.find_grade(cell, "first", "ex1", student)
            grade.manual_score, grade.extra_credit = points, extra
            grade.needs_manual_grade = False
        gradebook.find_comment("double", "first", "ex1", student).manual_comment = "Neat."
        gradebook.find_submission_notebook("second", "ex1", student).flagged = True
        gradebook.grant_extension("ex1", student, minutes=30)
