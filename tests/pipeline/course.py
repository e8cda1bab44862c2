"""A tiny course in a temporary folder, its submissions, and runs of nbgrader in it."""

from __future__ import annotations

import contextlib
import copy
import csv
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
MAIN = "ex1_02_numpy_gradient"  # the name matters: this notebook refuses torch
ONE_KERNEL = """
from fairmark.preprocessors import AUTOGRADE_IN_ONE_KERNEL
c.Autograde.autograde_preprocessors = AUTOGRADE_IN_ONE_KERNEL
"""  # to be added to a configuration
Edit = Callable[[NotebookNode], NotebookNode | None]


def _meta(grade_id: str, **more: object) -> dict[str, object]:
    base = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def given(name: str, source: str) -> NotebookNode:
    """A locked cell without points."""
    return new_code_cell(source, id=name, metadata=_meta(name, locked=True))


def answer(name: str, head: str, solution: str) -> NotebookNode:
    """An answer cell: ``head``, and ``solution`` in its solution region."""
    indent = "    " if head.endswith(":") else ""
    source = f"{head}\n{indent}### BEGIN SOLUTION\n{indent}{solution}\n{indent}### END SOLUTION"
    return new_code_cell(source, id=name, metadata=_meta(name, solution=True))


def check(name: str, source: str, points: float = 1) -> NotebookNode:
    """A test cell."""
    return new_code_cell(
        source, id=name, metadata=_meta(name, grade=True, locked=True, points=points)
    )


def notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook of the course's kernel."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernel})


def hidden(*lines: str) -> str:
    """``lines`` as the hidden part of a test cell."""
    return "\n".join(["### BEGIN HIDDEN TESTS", *lines, "### END HIDDEN TESTS"])


def main_notebook() -> NotebookNode:
    """Two questions, 1 and 2 points; what is given is needed by the answers."""
    return notebook(
        new_markdown_cell("# Doubles and triples", id="title"),
        given("base", "base = 2"),
        new_markdown_cell("Implement `double`.", id="lead_double"),
        answer("double", "def double(x):", "return base * x"),
        check(
            "test_double",
            "# Checks double. Do not delete this cell.\nassert double(1) is not None\n"
            + hidden("secret_input = 21", "assert double(secret_input) == 42, 'wanted 42'"),
        ),
        given("factor", "factor = 3"),
        new_markdown_cell("Implement `triple`.", id="lead_triple"),
        answer("triple", "def triple(x):", "return factor * x"),
        check(
            "test_triple",
            "# Checks triple. Do not delete this cell.\n"
            "assert isinstance(triple(1), int), 'triple(1) is to be an int'\n"
            + hidden("assert triple(21) == 63"),
            points=2,
        ),
    )


VALUES = {  # what a test cell gives as its last value, and the points that are fair, of 2
    "nothing": ("None", 2),
    "half": ("0.5", 0.5),
    "integer": ("1", 1),
    "arithmetic": ("points = 2\npoints * 3 / 4", 1.5),
    "numpy_float": ("part = np.float64(0.5)\npart", 0.5),
    "numpy_single": ("part = np.float32(1.5)\npart", 1.5),
    "call": ("float(1)", 1),
    "zero": ("0.0", 0),
    "silenced": ("0.5;", 2),
    "nan": ("part = float('nan')\npart", 0),
    "numpy_nan": ("part = np.float64('nan')\npart", 0),
    "infinite": ("part = float('inf')\npart", 0),
    "negative": ("-1.0", 0),
    "boolean": ("True", 0),
    "listed": ("[0.5]", 0),
    "text": ("'0.5'", 0),
    "stderr": ("import sys; print('warned', file=sys.stderr)", 2),
    "shown_then_failed": ("show(); assert False, 'it failed'", 0),
    "shown_then_passed": ("show()\npassed = True", 2),
    "shown_then_half": ("show()\n0.5", 0.5),
    "shown_then_none": ("show()\nNone", 2),
    "shown_by_the_last_call": ("show()", 2),
}
FAULTS = {
    "nan",
    "numpy_nan",
    "infinite",
    "negative",
    "boolean",
    "listed",
    "text",
}
# In one kernel with the answers, a value of these may as well be shown by an answer.
FAULTS_IN_ONE_KERNEL = FAULTS | {"call", "shown_then_half", "shown_by_the_last_call"}


def values_notebook(names: Collection[str] = VALUES) -> NotebookNode:
    """One test cell of 2 points for each kind of last value among ``names``."""
    show = answer("show", "import sys\ndef show():", "sys.displayhook(2.0)")
    tests = [check(name, code, points=2) for name, (code, _) in VALUES.items() if name in names]
    return notebook(given("imports", "import numpy as np"), show, *tests)


def over_notebook() -> NotebookNode:
    """A test whose value is above its points, beside one that passes."""
    return notebook(
        answer("some", "some = 1", "some = 2"),
        check("over", "some + 3.0", points=2),
        check("beside", "assert some == 2", points=1),
    )


class Course:
    """A course folder, with the configuration of this repository unless ``stock``.

    ``more`` is appended to the configuration.
    """

    def __init__(
        self, root: Path, stock: bool = False, more: str = "", **notebooks: NotebookNode
    ) -> None:
        self.root = root
        self.log = ""
        source = root / "source" / "ex1"
        source.mkdir(parents=True)
        for name, content in notebooks.items():
            nbformat.write(content, source / f"{name}.ipynb")
        self.source = notebooks
        ours = (ROOT / "nbgrader_config.py").read_text()
        config = "c = get_config()\n" if stock else ours
        (root / "nbgrader_config.py").write_text(config + more)

    def nbgrader(self, *words: str) -> int:
        """Run nbgrader here; its exit code. What it said is in ``log``."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, "PATH": path},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=3000,
        )
        self.log = done.stdout
        return done.returncode

    def released(self, name: str = MAIN) -> NotebookNode:
        """The student version of a notebook."""
        return nbformat.read(self.root / "release" / "ex1" / f"{name}.ipynb", as_version=4)

    def solved(self, name: str = MAIN) -> NotebookNode:
        """The student version of a notebook, with every answer right."""
        result = self.released(name)
        solutions = {cell.id: cell.source for cell in self.source[name].cells}
        for cell in result.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                lines = solutions[cell.id].split("\n")
                cell.source = "\n".join(line for line in lines if "###" not in line)
        return result

    def file(self, student: str, name: str = MAIN) -> Path:
        """Where a student's notebook is handed in."""
        path = self.root / "submitted" / student / "ex1" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def submit(self, student: str, edit: Edit | None = None, name: str = MAIN) -> None:
        """Hand in the right answers, changed by ``edit``."""
        content = copy.deepcopy(self.solved(name))
        if edit:
            content = edit(content) or content
        self.file(student, name).write_text(nbformat.v4.writes_json(content), encoding="utf-8")

    def graded(self, student: str, name: str = MAIN) -> NotebookNode:
        """A student's notebook in autograded/."""
        path = self.root / "autograded" / student / "ex1" / f"{name}.ipynb"
        return nbformat.read(path, as_version=4)

    def page(self, student: str, name: str = MAIN) -> str:
        """A student's feedback page."""
        return (self.root / "feedback" / student / "ex1" / f"{name}.html").read_text("utf-8")

    def exported(self) -> dict[str, float]:
        """The score of each student, by ``nbgrader export``."""
        assert self.nbgrader("export") == 0, self.log
        with (self.root / "grades.csv").open(newline="") as file:
            return {row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(file)}

    def points(self, student: str, name: str = MAIN) -> dict[str, float]:
        """The points of each test cell, from the gradebook."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            found = gradebook.find_submission_notebook(name, "ex1", student)
            return {grade.name: grade.score for grade in found.grades}

    def shuffle(self) -> None:
        """Turn the rows of the cells in the gradebook round, as a database may at any time."""
        with contextlib.closing(sqlite3.connect(self.root / "gradebook.db")) as database:
            for table in ("base_cell", "source_cell"):
                database.execute(
                    f"CREATE TABLE turned AS SELECT * FROM {table} ORDER BY rowid DESC"
                )
                database.execute(f"DELETE FROM {table}")
                database.execute(f"INSERT INTO {table} SELECT * FROM turned ORDER BY rowid")
                database.execute("DROP TABLE turned")
            database.commit()

    def lines(self, *words: str) -> list[str]:
        """The lines of the log that hold all of ``words``."""
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self.log)
        return [line for line in plain.splitlines() if all(word in line for word in words)]


def cell_of(content: NotebookNode, cell_id: str) -> NotebookNode:
    """The cell of ``content`` with that id."""
    return next(cell for cell in content.cells if cell.id == cell_id)


def message(content: NotebookNode, cell_id: str) -> str:
    """The short message of the error in a graded cell."""
    errors = [out for out in cell_of(content, cell_id).outputs if out.output_type == "error"]
    assert len(errors) == 1
    return errors[0].evalue
