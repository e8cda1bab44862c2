"""A notebook of ex1 graded as ``nbgrader autograde`` runs it: two processes, one in a sandbox.

The tests in tests/ex1 say what each case loses when everything runs in one process. Here the same
cases run in a warm kernel and a grader process, and must lose the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

from fairmark.isolation.execute import IsolatedExecute
from fairmark.notebooks import Role, grade_id, name_of, role_of
from tests.ex1.variants import SOURCE, Change, changed_source


def lost_in_isolation(notebook: NotebookNode, name: str, answers: Mapping[str, Change]) -> set[str]:
    """The tests that are lost with ``answers`` in place of those of ``notebook``.

    ``name`` is that of the source notebook. A test that gives a part of its points counts as lost.
    """
    graded = deepcopy(notebook)
    for cell in graded.cells:
        if role_of(cell) is Role.ANSWER and grade_id(cell) in answers:
            cell.source = changed_source(cell.source, answers[grade_id(cell)])
    original = Path(SOURCE, f"{name}.ipynb")
    resources = {
        "metadata": {"path": str(Path(__file__).parent)},
        "nbgrader": {"student": "one", "notebook": name, "originals": [original]},
    }
    IsolatedExecute(timeout=60).preprocess(graded, resources)
    tests = [cell for cell in graded.cells if role_of(cell) is Role.TEST]
    for cell in tests:
        assert not any(out.get("ename") == "FaultInTest" for out in cell.outputs), name_of(cell)
    return {name_of(cell) for cell in tests if any(map(_is_result, cell.outputs))}


def _is_result(output: NotebookNode) -> bool:
    return output.output_type in {"error", "execute_result"}
