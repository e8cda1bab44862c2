"""The student's version of a source notebook, made in memory by nbgrader's own preprocessors."""

from __future__ import annotations

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions


def release_of(notebook: NotebookNode) -> NotebookNode:
    """``notebook`` without solutions and hidden tests."""
    released = deepcopy(notebook)
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        released, _ = preprocessor.preprocess(released, {})
    return released
