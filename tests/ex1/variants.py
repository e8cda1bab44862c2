"""Other solutions of ex1, right and wrong, as changes to the reference solution."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from fairmark.notebooks import Role, Run, grade_id, read, role_of, run

SOURCE = Path(__file__).parents[2] / "source" / "ex1"

Change = str | list[tuple[str, str]]  # a whole new cell, or (old, new) pairs within the cell


@dataclass(frozen=True)
class Variant:
    """Another solution: ``cells`` maps the grade_id of an answer cell to its change.

    ``loses`` names the tests that must fail: none for a right solution.
    """

    name: str
    cells: dict[str, Change] = field(hash=False)
    loses: frozenset[str] | set[str] = frozenset()

    def __str__(self) -> str:
        return self.name


def changed_source(source: str, change: Change) -> str:
    """The cell ``source`` after ``change``; ValueError where an old text does not stand in it."""
    if isinstance(change, str):
        return change
    for old, new in change:
        if old not in source:
            raise ValueError(f"the text to replace is not in the cell: {old!r}")
        source = source.replace(old, new)
    return source


def run_variant(notebook: NotebookNode, variant: Variant) -> Run:
    """Run ``notebook`` with the answers of ``variant`` in place of the reference ones."""
    used = set()

    def edit(cell: NotebookNode) -> str:
        name = grade_id(cell)
        if role_of(cell) is Role.ANSWER and name in variant.cells:
            used.add(name)
            return changed_source(cell.source, variant.cells[name])
        return cell.source

    result = run(notebook, edit)
    if missing := set(variant.cells) - used:
        raise ValueError(f"no answer cell named {missing}")
    return result


def read_source(name: str) -> NotebookNode:
    """The source notebook ``name`` of ex1."""
    return read(SOURCE / f"{name}.ipynb")
