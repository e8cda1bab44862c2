"""One sample submission: the released notebooks, answered from the sources and then changed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from fairmark.course import CourseError
from fairmark.notebooks import Role, find_cell, grade_id, read, role_of

MARKERS = ("BEGIN SOLUTION", "END SOLUTION")


def solution_of(cell: NotebookNode) -> str:
    """The source of an answer cell, as a student would have written it: without the markers."""
    lines = cell.source.splitlines()
    return "\n".join(line for line in lines if not any(marker in line for marker in MARKERS))


class Assignment:
    """The sources of an assignment and the release that students start from."""

    def __init__(self, source: Path, release: Path):
        self.name = source.name
        self.sources = {path.stem: read(path) for path in sorted(source.glob("*.ipynb"))}
        self.releases = {path.stem: read(path) for path in sorted(release.glob("*.ipynb"))}
        if not self.sources:
            raise CourseError(f"{source} holds no notebook; is the assignment's name right?")
        if set(self.sources) != set(self.releases):
            raise CourseError(
                f"{release} does not hold the notebooks of {source}; "
                f"run `nbgrader generate_assignment {self.name} --force` first"
            )

    def untouched(self) -> Submission:
        """What a student hands in who did nothing."""
        return Submission(deepcopy(self.releases))

    def solved(self) -> Submission:
        """The reference solutions, typed into the release."""
        submission = self.untouched()
        for name, source in self.sources.items():
            for cell in source.cells:
                if role_of(cell) is Role.ANSWER and grade_id(cell):
                    submission.answer(name, grade_id(cell), solution_of(cell))
        return submission


class Submission:
    """The notebooks of one student, and other files, by file name."""

    def __init__(self, notebooks: dict[str, NotebookNode]):
        self.notebooks = notebooks
        self.files: dict[str, str] = {}

    def cell(self, notebook: str, name: str) -> NotebookNode:
        """The cell ``name`` of ``notebook``; KeyError where there is none."""
        return find_cell(self.notebooks[notebook], name)

    def answer(self, notebook: str, name: str, source: str) -> None:
        """Type ``source`` into the answer cell ``name``."""
        self.cell(notebook, name).source = source

    def append(self, notebook: str, name: str, source: str) -> None:
        """Add lines to the end of the answer cell ``name``."""
        self.cell(notebook, name).source += "\n" + source

    def delete(self, notebook: str, name: str) -> None:
        """Delete the cell ``name``."""
        self.notebooks[notebook].cells.remove(self.cell(notebook, name))

    def duplicate(self, notebook: str, name: str) -> NotebookNode:
        """Copy the cell ``name``, metadata and all, in front of itself; the copy is returned."""
        cells = self.notebooks[notebook].cells
        original = self.cell(notebook, name)
        copy = deepcopy(original)
        copy.id = f"{original.id}-copy"
        cells.insert(cells.index(original), copy)
        return copy

    def write(self, folder: Path) -> None:
        """Write everything into ``folder``, which is created."""
        folder.mkdir(parents=True)
        for name, notebook in self.notebooks.items():
            nbformat.write(notebook, str(folder / f"{name}.ipynb"))
        for name, text in self.files.items():
            (folder / name).write_text(text)
