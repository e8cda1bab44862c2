"""ex1 in the form of otter-grader: the same cells and the same tests, graded with ``otter run``.

Otter has an environment of its own, .venv-otter, made on first use: its requirements and nbgrader's
need not agree. ``otter run`` grades one notebook with an autograder, a zip file that holds a Python
file for each test. Here such a file runs the text of our test cell among the names of the notebook
at the place where the cell stands, as ``grader.check`` does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from fairmark.notebooks import Role, grade_id, read, role_of

from . import measure

ROOT = Path(__file__).parents[1]
VERSION = "7.0.0"
HOME = ROOT / ".venv-otter"
BIN = HOME / "bin"
TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case(hidden=True)
def run_cell(env):
    exec(compile(CELL, name, "exec"), env)


CELL = {source!r}
"""


def set_up() -> None:
    """Make the environment of otter-grader if there is none, with the versions of ours."""
    ready = HOME / f"ready-{VERSION}"
    if ready.exists():
        return
    print("setting up otter-grader in .venv-otter, once")
    subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
    packages = [f"otter-grader[grading]=={VERSION}", "torch", "numpy", "matplotlib"]
    pins = ["--constraint", ROOT / "constraints.txt"]
    subprocess.run([BIN / "python", "-m", "pip", "install", "-q", *pins, *packages], check=True)
    (HOME / ".gitignore").write_text("*\n")
    ready.touch()


def make_autograder(folder: Path, source: NotebookNode, env: Mapping[str, str]) -> None:
    """Write the tests of ``source``, hidden ones included, and their autograder into ``folder``."""
    (folder / "tests").mkdir(parents=True)
    for cell in source.cells:
        if role_of(cell) is Role.TEST:
            name, points = grade_id(cell), cell.metadata.nbgrader.points
            text = TEST.format(name=name, points=points, source=cell.source)
            (folder / "tests" / f"{name}.py").write_text(text)
    words = ("generate", "--no-environment", "--no-requirements")
    measure.call([str(BIN / "otter"), *words], folder, env)


def translate(submitted: Path, path: Path) -> None:
    """Write a submitted notebook to ``path`` with each test cell as a check of Otter's."""
    notebook = read(submitted)
    for cell in notebook.cells:
        if role_of(cell) is Role.TEST:
            cell.source = ""
            cell.metadata["otter"] = {"tests": [grade_id(cell)]}
    nbformat.write(notebook, path)


def command(autograder: Path, notebook: Path) -> list[str]:
    """The command that grades ``notebook`` and writes results.json beside it."""
    archive, results = str(autograder / "autograder.zip"), str(notebook.parent)
    return [str(BIN / "otter"), "run", "-a", archive, "-o", results, str(notebook)]
