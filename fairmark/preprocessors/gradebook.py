"""Steps that ask the gradebook about a notebook as it was handed out, or were told before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, Notebook
from nbgrader.preprocessors import OverwriteKernelspec


class AsksGradebook:
    """A step that needs something of the gradebook.

    Where a step runs without one, in a worker of ``fairmark autograde``, ``told`` holds the answer
    for each notebook of the assignment.
    """

    told: dict[str, Any] | None = None

    @classmethod
    def look_up(cls, notebook: Notebook, originals: Iterable[Path]) -> Any:
        """What the step needs, which can be pickled; ``originals`` as in the resources."""
        raise NotImplementedError

    def answer(self, resources: dict[str, Any]) -> Any:
        """What :meth:`look_up` gives, or gave, for the notebook of ``resources``."""
        names = resources["nbgrader"]
        if self.told is not None:
            return self.told[names["notebook"]]
        with Gradebook(names["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(names["notebook"], names["assignment"])
            return self.look_up(notebook, names.get("originals", []))


class RestoreKernelspec(AsksGradebook, OverwriteKernelspec):
    """nbgrader's OverwriteKernelspec: the kernel that the notebook was handed out with."""

    @classmethod
    def look_up(cls, notebook: Notebook, originals: Iterable[Path]) -> dict[str, Any] | None:
        """The kernelspec of ``notebook``, if it has one."""
        return json.loads(notebook.kernelspec) if notebook.kernelspec else None

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Write the kernelspec of ``nb`` anew, in place."""
        kernelspec = self.answer(resources)
        if kernelspec:
            nb.metadata["kernelspec"] = kernelspec
        return nb, resources
