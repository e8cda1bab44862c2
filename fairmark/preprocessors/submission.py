"""What was handed in, read so that every file ends in a mark and, where need be, one log line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode, validate
from nbformat.v4 import new_markdown_cell
from nbformat.validator import normalize
from traitlets import Integer

from .before_run import hidden_from_students, originals, prepare_run
from .reading import Unreadable, empty_notebook, read_submission


class SubmissionExporter(NotebookExporter):
    """The exporter of ``nbgrader autograde``: reads any file, and has a run prepared.

    nbgrader makes one when a run starts, when it has listed the submissions and graded none.
    """

    max_bytes = Integer(
        20_000_000, help="Size of a notebook file above which it is not read and scores 0."
    ).tag(config=True)

    def __init__(self, config: Any = None, **kw: Any) -> None:
        super().__init__(config=config, **kw)
        if hasattr(self.parent, "coursedir") and hasattr(self.parent, "assignments"):
            prepare_run(self.parent, self.log)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """The notebook text after the preprocessors; a file that holds none counts as empty."""
        path = Path(filename)
        if not path.is_symlink() and not path.exists():
            return self.from_nothing("No file of this name was handed in.", path, resources, **kw)
        try:
            notebook, notes = read_submission(path, self.max_bytes)
        except Unreadable as error:
            return self.from_unreadable(str(error), path, resources, **kw)
        return self._from_notebook(notebook, notes, path, resources, **kw)

    def from_unreadable(
        self, why: str, path: Path, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """What becomes of a file in which there is no notebook, for the reason ``why``."""
        notebook = _empty(f"The file that was handed in cannot be read: {why}.")
        notes = [f"cannot be read and scores 0: {why}. Ask for a new file, grade again"]
        return self._from_notebook(notebook, notes, path, resources, **kw)

    def from_nothing(
        self, why: str, path: Path, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """What becomes of a notebook that counts as empty, which has been said elsewhere."""
        return self._from_notebook(_empty(why), [], path, resources, **kw)

    def _from_notebook(
        self,
        notebook: NotebookNode,
        notes: list[str],
        path: Path,
        resources: dict[str, Any] | None,
        **kw: Any,
    ) -> tuple[str, dict[str, Any]]:
        resources = ResourcesDict() if resources is None else resources
        resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
        label = os.path.relpath(path)
        names = resources.get("nbgrader")
        if isinstance(names, dict):
            names["notes"] = notes
            label = names.get("label", label)
            course = getattr(self.parent, "coursedir", None)
            if course:
                names["originals"] = originals(course, names["assignment"], names["notebook"])
                names["hidden"] = hidden_from_students(course)
        output, resources = self.from_notebook_node(notebook, resources=resources, **kw)
        self._nb_metadata.clear()  # which nbconvert would keep of every notebook
        notes = (resources.get("nbgrader") or {}).get("notes", notes)
        if notes:
            self.log.warning(f"{label}: {'; '.join(notes)}.")
        return output, resources

    def _preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """As nbconvert does it, but without another copy, and validated when all is done.

        The notebook was made here, and is a copy already.
        """
        _, nb = normalize(nb)
        for step in self._preprocessors:
            nb, resources = step(nb, resources)
        validate(nb, relax_add_props=True)
        return nb, resources


def _empty(reason: str) -> NotebookNode:
    notebook = empty_notebook()
    text = f"**{reason}** It counts as an empty notebook."
    notebook.cells.append(new_markdown_cell(text, id="not-readable"))
    return notebook
