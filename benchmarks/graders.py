"""The graders that are compared: each gets the same submissions, and tells its marks."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from nbgrader.api import Gradebook, Student

from fairmark.course import open_course
from fairmark.report import read_marks
from fairmark.samples import Assignment

from . import measure, otter

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CONFIG = (ROOT / "nbgrader_config.py").read_text()
STOCK = "c = get_config()\n"
NAME = "ex1"
Marks = dict[str, dict[str, float]]  # points by student and notebook


class CourseGrader:
    """Grades a course folder of nbgrader's with one command."""

    def __init__(
        self, folder: Path, config: str, *command: str, source: Path = ROOT / "source"
    ) -> None:
        self.folder = folder
        self.command = [str(BIN / command[0]), *command[1:]]
        self.env = with_path(BIN)
        make_course(folder, config, source)

    def get(self, submissions: Iterable[Path]) -> None:
        """Have these handed in, folders named by the student, and nothing graded."""
        for name in ("submitted", "autograded"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copy(self.folder / "before.db", self.folder / "gradebook.db")
        for path in submissions:
            shutil.copytree(path, self.folder / "submitted" / path.name)
        enrol(self.folder)

    def commands(self) -> list[Sequence[str]]:
        """What is to be run to have all of it graded."""
        return [self.command]

    def marks(self) -> Marks:
        """The marks that were given."""
        found = read_marks(open_course(self.folder), NAME)[1]
        return {student.student: student.points for student in found}


class OtterGrader:
    """Grades each notebook with a call of ``otter run``."""

    def __init__(self, folder: Path, assignment: Assignment) -> None:
        self.folder = folder
        self.env = with_path(otter.BIN) | {"PYTHONPATH": str(ROOT)}  # the tests import fairmark
        otter.set_up()
        for name, source in assignment.sources.items():
            otter.make_autograder(folder / name, source, self.env)

    def get(self, submissions: Iterable[Path]) -> None:
        """Have these handed in, folders named by the student, and nothing graded."""
        shutil.rmtree(self.folder / "graded", ignore_errors=True)
        for path in submissions:
            for notebook in path.glob("*/*.ipynb"):
                place = self.folder / "graded" / path.name / notebook.stem
                place.mkdir(parents=True)
                otter.translate(notebook, place / notebook.name)

    def commands(self) -> list[Sequence[str]]:
        """What is to be run to have all of it graded."""
        notebooks = sorted(self.folder.glob("graded/*/*/*.ipynb"))
        return [otter.command(self.folder / path.stem, path) for path in notebooks]

    def marks(self) -> Marks:
        """The marks that were given."""
        marks: Marks = {}
        for path in self.folder.glob("graded/*/*/results.json"):
            points = sum(test.get("score", 0) for test in json.loads(path.read_text())["tests"])
            marks.setdefault(path.parts[-3], {})[path.parts[-2]] = points
        return marks


Grader = CourseGrader | OtterGrader


def with_path(folder: Path) -> dict[str, str]:
    """The environment of this process with ``folder`` searched first for programs."""
    return os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def make_course(folder: Path, config: str, source: Path) -> None:
    """A course folder whose assignments are generated; its gradebook is kept as before.db."""
    folder.mkdir()
    shutil.copytree(source, folder / "source")
    (folder / "nbgrader_config.py").write_text(config)
    for assignment in sorted(path.name for path in source.iterdir()):
        command = [str(BIN / "nbgrader"), "generate_assignment", assignment]
        measure.call(command, folder, with_path(BIN))
    shutil.copy(folder / "gradebook.db", folder / "before.db")


def enrol(course: Path) -> None:
    """Enter whoever handed in into the gradebook, as a course does with all its students."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        students = (course / "submitted").iterdir()
        gradebook.db.add_all(Student(id=student.name) for student in students)
        gradebook.db.commit()
