"""Locked cells get back their original text, and missing ones their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.api import Notebook
from nbgrader.nbgraderformat import SCHEMA_VERSION
from nbgrader.preprocessors import OverwriteCells
from traitlets import Bool, Unicode

from fairmark.notebooks import grade_id, read

from .cells import OURS, free_id, note, split_hidden
from .gradebook import AsksGradebook


@dataclass(frozen=True)
class Known:
    """A cell of the assignment, as ``nbgrader generate_assignment`` saved it in the gradebook."""

    name: str
    cell_type: str
    source: str
    meta: dict[str, Any]

    @property
    def locked(self) -> bool:
        """Whether the student may not change the text."""
        return bool(self.meta["locked"])

    @property
    def graded(self) -> bool:
        """Whether the cell carries points."""
        return bool(self.meta["grade"] or self.meta["task"])

    @property
    def needed(self) -> bool:
        """Whether the cell is put back where it is missing: all but the answers."""
        return self.locked or self.graded

    def shows(self, source: str) -> bool:
        """Whether ``source`` is the text of this cell that students see."""
        return source.strip() in {self.source.strip(), split_hidden(self.source)[0].strip()}

    def cell(self, source: str, cell_id: str) -> NotebookNode:
        """A cell of this type, with trusted metadata."""
        metadata: dict[str, Any] = {"deletable": False, "nbgrader": dict(self.meta)}
        if self.locked:
            metadata["editable"] = False
        new = {"cell_type": self.cell_type, "id": cell_id, "metadata": metadata, "source": source}
        if self.cell_type == "code":
            new |= {"execution_count": None, "outputs": []}
        return from_dict(new)  # validated with the notebook: one by one takes long


class RestoreLockedCells(AsksGradebook, OverwriteCells):
    """nbgrader's OverwriteCells, for notebooks that lost cells or metadata.

    The metadata of every cell that the gradebook knows is written anew from it, and dropped from
    every other cell; locked cells get their original text; missing ones are put back in order.
    A cell whose metadata is gone is recognised by its cell id, a locked one also by its text.
    """

    add_missing_cells = Bool(True, help=OverwriteCells.add_missing_cells.help).tag(config=True)
    missing_cell_notification = Unicode(
        "This cell ({cell_id}) was missing from the submission and was put back for grading.\n\n",
        help=OverwriteCells.missing_cell_notification.help,
    ).tag(config=True)

    @classmethod
    def look_up(cls, notebook: Notebook, originals: Iterable[Path]) -> dict[str, Known]:
        """The cells of ``notebook`` that nbgrader saved, by name, in the order of the notebook.

        The gradebook keeps no order, though a database file mostly gives rows as they were written;
        so the first of ``originals`` that can be read decides, and only cells that it lacks come
        after the others as they were given.
        """
        return _known(notebook, _order_in(originals))

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write the assignment's own cells of ``nb`` anew, in place."""
        names = resources["nbgrader"]
        known = self.answer(resources)
        tell = any(cell.cell_type == "code" for cell in nb.cells)  # else all is missing, and said
        stripped = not any(grade_id(cell) for cell in nb.cells)
        _tell(resources, "cells that stand more than once, the last counts", _copied(nb.cells))
        places = _recognise(nb.cells, known)
        if tell and stripped:
            note(resources, f"nbgrader's metadata is gone; {len(places)} cells were recognised")
        edited = []
        for name, index in places.items():
            cell = nb.cells[index]
            locked = known[name].locked
            if locked and not known[name].shows(cell.source):
                edited.append(name)
            nb.cells[index] = known[name].cell(
                known[name].source if locked else cell.source, cell.get("id", name)
            )
            if "attachments" in cell and known[name].cell_type == "markdown":
                nb.cells[index].attachments = cell.attachments
        _tell(resources, "locked cells were edited and got their text back", edited)
        if self.add_missing_cells:
            missing = self._put_back(nb, list(known.values()), places)
            _tell(resources, "missing cells were put back", missing if tell else [])
        nb.metadata[OURS] = {"noticed": list(names.get("notes", []))}  # kept, for reports
        return nb, resources

    def _put_back(self, nb: NotebookNode, known: list[Known], places: dict[str, int]) -> list[str]:
        taken = {cell.get("id") for cell in nb.cells}
        added: dict[int, list[NotebookNode]] = {}
        missing = []
        for index, cell in _positions(nb.cells, known, places):
            notice = self.missing_cell_notification.format(cell_id=cell.name)
            if cell.cell_type == "code":
                notice = f"# {notice.strip()}\n"
            back = cell.cell(notice + cell.source, free_id(cell.name, taken))
            added.setdefault(index, []).append(back)
            missing.append(cell.name)
        cells = []
        for index in range(len(nb.cells) + 1):
            cells += added.get(index, []) + nb.cells[index : index + 1]
        nb.cells = cells
        return missing


def _order_in(originals: Iterable[Path]) -> list[str]:
    """The grade_ids in the first of ``originals`` that can be read, in order; else none."""
    for path in originals:
        try:
            return [name for name in map(grade_id, read(path).cells) if name]
        except (OSError, ValueError):
            continue
    return []


def _known(notebook: Notebook, order: list[str]) -> dict[str, Known]:
    place = {name: index for index, name in enumerate(order)}
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    graded = {cell.name for cell in notebook.grade_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    found = {}
    for cell in sorted(notebook.source_cells, key=lambda cell: place.get(cell.name, len(place))):
        meta = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": cell.name,
            "grade": cell.name in graded,
            "solution": cell.name in answers,
            "task": cell.name in tasks,
            "locked": cell.locked,
        }
        if cell.name in points:
            meta["points"] = points[cell.name]
        if cell.checksum:
            meta["checksum"] = cell.checksum
        found[cell.name] = Known(cell.name, cell.cell_type, cell.source, meta)
    return found


def _copied(cells: list[NotebookNode]) -> list[str]:
    names = [name for name in map(grade_id, cells) if name]
    return sorted({name for name in names if names.count(name) > 1})


def _recognise(cells: list[NotebookNode], known: dict[str, Known]) -> dict[str, int]:
    """Which cell is which: the index of each known cell that is there.

    nbgrader's metadata is dropped from all other cells, so that none is taken for a test.
    """
    places: dict[str, int] = {}
    for index in reversed(range(len(cells))):  # of copies the last counts, as in nbgrader
        name = grade_id(cells[index])
        if name in known and name not in places:
            places[name] = index
        else:
            cells[index].metadata.pop("nbgrader", None)
    for index, cell in enumerate(cells):
        if index in places.values():
            continue
        absent = [one for one in known.values() if one.name not in places]
        same = [one for one in absent if one.name == cell.get("id")] or [
            one for one in absent if one.locked and one.shows(cell.source)
        ]
        if same:
            places[same[0].name] = index
    return places


def _positions(
    cells: list[NotebookNode], known: list[Known], places: dict[str, int]
) -> Iterable[tuple[int, Known]]:
    """Where each missing cell goes: an index into ``cells``, in the order of the assignment.

    Between the two known cells around it, what is given comes as early as can be, for the answers
    after it; a test, and what follows it, as late as can be, after all that the student added.
    """
    first = 1 if cells and cells[0].cell_type != "code" else 0  # the title stays on top
    late = None
    for number, cell in enumerate(known):
        if cell.name in places:
            first, late = places[cell.name] + 1, None
        elif cell.needed:
            if late is None and cell.graded:
                following = (places[one.name] for one in known[number:] if one.name in places)
                late = max(first, next(following, len(cells)))
                while late > first and late < len(cells) and cells[late - 1].cell_type != "code":
                    late -= 1  # prose before the next question stays with that question
            yield (first if late is None else late), cell


def _tell(resources: dict[str, Any], what: str, names: list[str]) -> None:
    if names:
        some = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        note(resources, f"{what}: {some}")
