"""A class of ten thousand on a tiny assignment: does its cost grow with its size, and no faster?

Everything is as in a real course: an assignment that ``generate_assignment`` made, submissions on
time and late, right, wrong and broken, and one ``fairmark autograde``. While it runs, the memory of
the coordinator and the number of graded submissions are noted. Every mark is checked.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import nbformat
import psutil
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from fairmark.notebooks import find_cell, read
from tests.pipeline.course import answer, check, given, hidden, notebook

from . import measure
from .graders import BIN, CONFIG, enrol, make_course, with_path

NAME = "tiny"
ROWS = 500  # that are kept, about
DUE, EARLY, LATE = "2026-01-02 12:00:00", "2026-01-01 12:00:00", "2026-01-03 12:00:00"
PENALTY = '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
UNTOUCHED = ""
KINDS = [  # what is typed, when it is handed in, and the points of the two tests
    ("def double(x):\n    return base * x", EARLY, 1.0, 2.0),
    ("double = lambda x: x + x", EARLY, 1.0, 2.0),
    ("def double(x):\n    return base * abs(x)", EARLY, 1.0, 0.0),
    ("def double(x):\n    return x", EARLY, 0.0, 0.0),
    ("def double(x:", EARLY, 0.0, 0.0),
    (UNTOUCHED, EARLY, 0.0, 0.0),
    ("def double(x):\n    return base * x", LATE, 1.0, 2.0),
]


def measured(submissions: int, workers: int, samples: Path) -> dict[str, float]:
    """Grade so many submissions, write the samples as CSV, and return what was spent.

    Raises :class:`SystemExit` where a mark is missing, doubled or not the fair one.
    """
    rows: list[tuple[float, int, float]] = []
    began = perf_counter()

    def look() -> None:
        for coordinator in psutil.Process().children()[:1]:
            memory = coordinator.memory_info().rss / measure.MEGA
            folder = course / "autograded"
            graded = len(os.listdir(folder)) if folder.exists() else 0  # one for each student
            rows.append((round(perf_counter() - began, 2), graded, round(memory, 1)))

    with tempfile.TemporaryDirectory() as name:
        course = Path(name, "course")
        make_class(course, submissions)
        command = [str(BIN / "fairmark"), "autograde", NAME, "--workers", str(workers)]
        began = perf_counter()
        with measure.watching(look, seconds=1):
            spent = measure.run([command], course, with_path(BIN))
        check_marks(course, submissions)
    with samples.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seconds", "graded", "coordinator_mb"])
        writer.writerows(rows[:: max(1, len(rows) // ROWS)])
    return {"submissions": submissions, "workers": workers, "wall": spent.wall, "cpu": spent.cpu}


def make_class(course: Path, count: int) -> None:
    """A course in which ``count`` students have handed in."""
    source = course.with_name("source")
    (source / NAME).mkdir(parents=True)
    nbformat.write(tiny_notebook(), source / NAME / f"{NAME}.ipynb")
    make_course(course, CONFIG + PENALTY, source)
    released = read(course / "release" / NAME / f"{NAME}.ipynb")
    cell = find_cell(released, "double")
    blank = cell.source
    for number in range(count):
        typed, time, *_ = KINDS[number % len(KINDS)]
        cell.source = typed or blank
        released.metadata["student"] = name_of(number)
        folder = course / "submitted" / name_of(number) / NAME
        folder.mkdir(parents=True)
        nbformat.write(released, folder / f"{NAME}.ipynb")
        (folder / "timestamp.txt").write_text(f"{time} UTC")
    enrol(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate=DUE)


def name_of(number: int) -> str:
    """The student with that number; their names sort as their numbers do."""
    return f"student_{number:06}"


def tiny_notebook() -> nbformat.NotebookNode:
    """One question with what is given for it, and two tests."""
    return notebook(
        new_markdown_cell("# Doubles\n\nImplement `double`.", id="title"),
        given("base", "base = 2"),
        answer("double", "def double(x):", "return base * x"),
        check("test_double", "assert double(21) == 42"),
        check("test_signs", hidden("assert double(-4) == -8"), points=2),
    )


def check_marks(course: Path, count: int) -> None:
    """See that every student has one mark for each test, and the right one."""
    query = """
        SELECT submission.student_id, notebook.late_submission_penalty,
               group_concat(cell.name || ' ' || grade.auto_score)
        FROM submitted_assignment AS submission
        JOIN submitted_notebook AS notebook ON notebook.assignment_id = submission.id
        JOIN grade ON grade.notebook_id = notebook.id
        JOIN base_cell AS cell ON cell.id = grade.cell_id
        GROUP BY notebook.id ORDER BY submission.student_id
    """
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows = database.execute(query).fetchall()
    got = [(student, penalty, sorted(marks.split(","))) for student, penalty, marks in rows]
    fair = []
    for number in range(count):
        _, time, double, signs = KINDS[number % len(KINDS)]
        penalty = double + signs if time == LATE else None
        marks = [f"test_double {double}", f"test_signs {signs}"]
        fair.append((name_of(number), penalty, marks))
    if got != fair:
        wrong = [row for row in got if row not in fair][:5]
        sys.exit(f"{len(got)} of {count} submissions are graded; wrong are {wrong}")
