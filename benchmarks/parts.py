"""Where the CPU seconds of a submission of ex1 go: to its cells, or to whatever is around them.

The same class is graded twice: as it is, and with every code cell replaced by one that does
nothing. What that class takes is not for the cells; each kind of process tells its own share.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import nbformat

from fairmark.notebooks import read
from fairmark.samples import CLASSES, Assignment

from . import measure
from .graders import CONFIG, NAME, ROOT, CourseGrader
from .real import STUDENTS, TIMINGS, student_work

SOLVED = "### BEGIN SOLUTION\npass\n### END SOLUTION"
CLASS = 24  # submissions


def measured(turns: int) -> dict[str, Any]:
    """CPU seconds a submission by kind of process, with the cells as they are and with none."""
    workers = os.cpu_count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = shutil.copytree(ROOT / "source", folder / "source")
        for path in (empty / NAME).glob("*.ipynb"):
            nbformat.write(idle(read(path), SOLVED), path)
        command = ("fairmark", "autograde", NAME, "--workers", str(workers), "--timings", TIMINGS)
        graders = {
            "full": CourseGrader(folder / "full", CONFIG, *command),
            "empty": CourseGrader(folder / "empty", CONFIG, *command, source=empty),
        }
        classes = {"full": students_of(graders["full"]), "empty": copies_of(graders["empty"])}
        spent: dict[str, list[dict[str, float]]] = {name: [] for name in graders}
        floor = []
        for _ in range(turns):
            for name, grader in graders.items():
                grader.get(classes[name])
                measure.run(grader.commands(), grader.folder, grader.env)
                check_marks(name, grader)
                took = json.loads((grader.folder / TIMINGS).read_text())
                spent[name].append({k: v / took["submissions"] for k, v in took["cpu"].items()})
            floor.append(student_work())
    medians = {
        name: {kind: median(turn[kind] for turn in each) for kind in each[0]}
        for name, each in spent.items()
    }
    return {**medians, "floor": median(floor), "turns": turns, "class": CLASS, "workers": workers}


def check_marks(name: str, grader: CourseGrader) -> None:
    """:class:`SystemExit` where somebody has no points in a notebook: it was not run then.

    Every student did some of each notebook, and a test that does nothing gives its points.
    """
    marks = grader.marks()
    unrun = [who for who, points in marks.items() if not all(points.values())]
    if len(marks) != CLASS or unrun:
        sys.exit(f"{name}: {len(marks)} of {CLASS} are graded, without points are {unrun}")


def idle(notebook: nbformat.NotebookNode, answer: str) -> nbformat.NotebookNode:
    """The notebook with code cells that do nothing; ``answer`` is what those to be solved hold."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            to_solve = cell.metadata.get("nbgrader", {}).get("solution")
            cell.source = answer if to_solve else "pass"
    return notebook


def students_of(grader: CourseGrader) -> list[Path]:
    """A class that did all of the work."""
    assignment = Assignment(grader.folder / "source" / NAME, grader.folder / "release" / NAME)
    samples = {sample.name: sample for sample in CLASSES[NAME](assignment)}
    made = []
    for number in range(CLASS):
        student = grader.folder / "students" / f"student_{number}"
        samples[STUDENTS[number % len(STUDENTS)]].build(assignment).write(student / NAME)
        made.append(student)
    return made


def copies_of(grader: CourseGrader) -> list[Path]:
    """As large a class, with the notebooks that do nothing."""
    made = []
    for number in range(CLASS):
        student = grader.folder / "students" / f"student_{number}"
        shutil.copytree(grader.folder / "release" / NAME, student / NAME)
        for path in (student / NAME).glob("*.ipynb"):
            nbformat.write(idle(read(path), "pass"), path)
        made.append(student)
    return made
