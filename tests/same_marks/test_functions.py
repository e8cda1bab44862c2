"""ex1_02 and ex1_03: every other solution, right or wrong, loses the same with isolation."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode

from tests.ex1 import ex1_02_right, ex1_02_wrong, ex1_03_right, ex1_03_wrong
from tests.ex1.variants import Variant, read_source

from .isolated import lost_in_isolation

REFERENCE = Variant("reference", {})
NUMPY = [REFERENCE, *ex1_02_right.RIGHT, *ex1_02_wrong.WRONG]
PYTORCH = [REFERENCE, *ex1_03_right.RIGHT, *ex1_03_wrong.WRONG]


def without_plots(name: str) -> NotebookNode:
    """The source notebook ``name``; plots cost more than all else and decide nothing."""
    notebook = read_source(name)
    notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith("plot_")]
    return notebook


@pytest.mark.parametrize("variant", NUMPY, ids=str)
def test_numpy(variant: Variant) -> None:
    """Classes of the student are reached by calls, attributes and copies of arrays alone."""
    name = "ex1_02_numpy_gradient"
    assert lost_in_isolation(without_plots(name), name, variant.cells) == variant.loses


@pytest.mark.parametrize("variant", PYTORCH, ids=str)
def test_pytorch(variant: Variant) -> None:
    """Modules, loaders and training functions of the student are reached in the same way."""
    name = "ex1_03_pytorch_regression"
    assert lost_in_isolation(without_plots(name), name, variant.cells) == variant.loses
