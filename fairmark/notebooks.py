"""The role of every cell of a course notebook, and a run of its cells in this process.

Grading goes through nbgrader and a kernel; the run here is for tests of the course, for
benchmarks and for authors, on notebooks that they trust.
"""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

AS_VERSION = 4


class Role(Enum):
    """Who a cell belongs to (see the table in docs/hidden-tests.md)."""

    PROSE = "prose"
    ANSWER = "answer"  # the student's: a solution cell, or a cell that the student added
    GIVEN = "given"  # locked, not graded: imports, givens, helper functions
    TEST = "test"  # locked and graded
    WRITTEN = "written"  # an answer graded by hand


def role_of(cell: NotebookNode) -> Role:
    """The role of ``cell``, read from its nbgrader metadata."""
    meta = cell.metadata.get("nbgrader", {})
    if meta.get("grade") and meta.get("solution"):
        return Role.WRITTEN
    if cell.cell_type != "code":
        return Role.PROSE
    if meta.get("grade"):
        return Role.TEST
    if meta.get("locked") and not meta.get("solution"):
        return Role.GIVEN
    return Role.ANSWER


def grade_id(cell: NotebookNode) -> str | None:
    """The nbgrader id of ``cell``, or None where it has none."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def name_of(cell: NotebookNode) -> str:
    """The name by which a person finds ``cell``: its grade_id, or else its cell id."""
    return grade_id(cell) or cell.get("id", "?")


def read(path: Path | str) -> NotebookNode:
    """The notebook at ``path`` in the current format."""
    return nbformat.read(str(path), as_version=AS_VERSION)


def find_cell(notebook: NotebookNode, wanted: str) -> NotebookNode:
    """The cell of ``notebook`` whose grade_id is ``wanted``; KeyError where there is none."""
    for cell in notebook.cells:
        if grade_id(cell) == wanted:
            return cell
    raise KeyError(f"no cell with grade_id {wanted!r}")


@dataclass
class Run:
    """What came of running a notebook: its names at the end, and the error of each cell."""

    names: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)  # by cell id, cells that failed
    points: dict[str, tuple[float, float]] = field(default_factory=dict)  # test: (got, maximum)
    printed: str = ""

    @property
    def total(self) -> float:
        """The sum of the points that the tests gave."""
        return sum(got for got, _ in self.points.values())

    @property
    def lost(self) -> set[str]:
        """The grade_ids of the tests that gave less than their maximum."""
        return {name for name, (got, maximum) in self.points.items() if got < maximum}


def run(
    notebook: NotebookNode,
    edit: Callable[[NotebookNode], str] | None = None,
    tests: Iterable[str] | None = None,
) -> Run:
    """Run the code cells of ``notebook`` in order, in this process and one namespace.

    ``edit`` may replace the source of any cell: it is called with each code cell and returns the
    source to run. With ``tests`` given, test cells of other names are left out. A test cell that
    raises gives 0 points, a plain float as its last value gives that many, otherwise it gives all.
    """
    result = Run(names={"__name__": "__main__", "In": [""]})
    wanted = None if tests is None else set(tests)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            name = name_of(cell)
            role = role_of(cell)
            if role is Role.TEST and wanted is not None and name not in wanted:
                continue
            source = edit(cell) if edit else cell.source
            result.names["In"].append(source)
            value = None
            try:
                value = _execute(source, name, result.names)
            except Exception as error:  # a failing cell is a result, as in a kernel
                result.errors[name] = error
            if role is Role.TEST:
                maximum = float(cell.metadata.nbgrader.points)
                got = maximum if value is None else float(value)
                result.points[name] = (0.0 if name in result.errors else got, maximum)
    result.printed = out.getvalue()
    return result


def _execute(source: str, name: str, names: dict[str, Any]) -> Any:
    """Run ``source`` in ``names``; the value of a last line that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, f"<{name}>", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), f"<{name}>", "eval"), names)
