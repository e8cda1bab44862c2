"""ex1_02 from outside: what the reference, the release and other solutions score."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import indent

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from fairmark.notebooks import Role, find_cell, grade_id, role_of, run

from .ex1_02_right import RIGHT
from .ex1_02_wrong import WRONG
from .releases import release_of
from .variants import SOURCE, read_source, run_variant

# A training that diverges overflows on its way: that is the mistake, not a fault of the test.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

NAME = "ex1_02_numpy_gradient"
POINTS = {
    "test_linear_forward": 1,
    "test_linear_backward_dL_dx": 0.5,
    "test_linear_backward_dL_dW": 1,
    "test_linear_backward_dL_db": 0.5,
    "test_tanh_forward": 0.5,
    "test_tanh_backward": 1,
    "test_mse_forward": 0.5,
    "test_mse_backward": 1,
    "test_mlp_forward": 1,
    "test_mlp_backward": 1.5,
    "test_sgd_step": 0.5,
    "test_train": 1,
}
# What the message of a mistake must say, by variant and test.
NAMED = [
    ("dL_dW_transposed", "test_linear_backward_dL_dW", "shape (3, 2), wanted (2, 3)"),
    ("dL_dW_mean_over_the_batch", "test_linear_backward_dL_dW", "mean over the batch"),
    ("dL_dW_overwritten_by_each_sample", "test_linear_backward_dL_dW", "the last sample only"),
    ("dL_dW_accumulated_over_calls", "test_linear_backward_dL_dW", "add to the last gradient"),
    ("dL_dW_from_a_cache_that_all_layers_share", "test_linear_backward_dL_dW", "share"),
    ("linear_forgets_the_bias", "test_linear_forward", "bias b left out"),
    ("tanh_overwrites_its_input", "test_tanh_forward", "changed in place"),
    ("tanh_backward_squares_the_input", "test_tanh_backward", "x is the input of tanh"),
    ("tanh_backward_applies_tanh_twice", "test_tanh_backward", "tanh being applied twice"),
    ("mse_divides_by_the_batch_only", "test_mse_forward", "the mean over the batch only"),
    ("mse_broadcasts_a_flat_target", "test_mse_forward", "(N, N)"),
    ("mse_backward_forgets_the_2", "test_mse_backward", "missing factor 2"),
    ("mlp_backward_uses_a_in_place_of_z", "test_mlp_backward", "a in place of z"),
    ("mlp_forward_leaves_tanh_out", "test_mlp_forward", "tanh left out"),
    ("sgd_step_with_plus", "test_sgd_step", "up the gradient"),
    ("train_updates_twice", "test_train", "two updates per batch"),
    ("train_ignores_lr", "test_train", "lr must set it"),
    ("train_shuffles_x_and_t_apart", "test_train", "shuffled apart"),
    ("train_uses_one_batch_only", "test_train", "last, smaller batch being left out"),
    ("train_shuffles_once", "test_train", "anew in each epoch"),
    ("train_ignores_rng", "test_train", "shuffle with the rng"),
    ("train_records_the_sum_over_the_batches", "test_train", "instead of the mean"),
]


@pytest.fixture(scope="module")
def notebook():
    return read_source(NAME)


@pytest.fixture(scope="module")
def without_plot(notebook):
    """Plots cost more than all else and decide nothing."""
    kept = [cell for cell in notebook.cells if cell.id != "plot_train"]
    return NotebookNode(notebook | {"cells": kept})


def test_reference_scores_full(notebook):
    """The reference solution runs without an error and gets all 10 points."""
    result = run(notebook)
    assert result.errors == {}
    assert {name: maximum for name, (_, maximum) in result.points.items()} == POINTS
    assert result.total == 10


def test_release_scores_nothing(without_plot):
    """Each test cell of the untouched release fails, and in the part that students see."""
    result = run(release_of(without_plot))
    assert result.total == 0
    assert set(POINTS) <= set(result.errors)


def test_unsolved_cells_say_where_to_write(notebook):
    """Every answer cell of the release ends in the marker and the error that it stands for."""
    for cell in release_of(notebook).cells:
        if role_of(cell) is Role.ANSWER and grade_id(cell):
            lines = [line.strip() for line in cell.source.splitlines()]
            assert lines[-2:] == ["# YOUR CODE HERE", "raise NotImplementedError()"], grade_id(cell)


def test_release_holds_no_hidden_test(notebook):
    """Nothing of the checking package is left in the release."""
    assert not any("fairmark" in cell.source for cell in release_of(notebook).cells)


@pytest.mark.parametrize("variant", WRONG, ids=str)
def test_wrong_solution_loses_its_own_tests(without_plot, variant):
    """A mistake costs exactly the tests that are about it."""
    assert run_variant(without_plot, variant).lost == set(variant.loses)


@pytest.mark.parametrize("variant", RIGHT, ids=str)
def test_right_solution_scores_full(without_plot, variant):
    """An unusual but right solution keeps every point."""
    result = run_variant(without_plot, variant)
    assert result.lost == set(), {name: str(result.errors[name]) for name in result.lost}


@pytest.mark.parametrize("name, test, words", NAMED, ids=[name for name, *_ in NAMED])
def test_message_names_the_mistake(without_plot, name, test, words):
    """The error of the failed test says what is likely wrong."""
    variant = next(variant for variant in WRONG if variant.name == name)
    assert words in str(run_variant(without_plot, variant).errors[test])


def test_lists_are_long_and_without_repetition():
    """There are at least 26 wrong and 14 right solutions, each with a name of its own."""
    assert len({variant.name for variant in WRONG}) == len(WRONG) >= 26
    assert len({variant.name for variant in RIGHT}) == len(RIGHT) >= 14
    assert all(variant.loses for variant in WRONG)
    assert set(POINTS) == set().union(*(variant.loses for variant in WRONG))


@pytest.mark.parametrize(
    "line, package",
    [
        ("import torch", "torch"),
        ("    import torch.nn as nn", "torch"),
        ("from torch import nn", "torch"),
        ("import numpy as np, torch", "torch"),
        ("x = 1\nfrom autograd import grad", "autograd"),
        ("import jax.numpy as jnp", "jax"),
        ("import tensorflow as tf", "tensorflow"),
    ],
)
def test_other_packages_are_seen(notebook, line, package):
    """The cell near the end stops where a cell imported a package that differentiates."""
    assert package in str(_numpy_only_errors(notebook, line)["numpy_only"])


@pytest.mark.parametrize(
    "line", ["import math", "import torchlight", "# import torch", "torch = 3"]
)
def test_numpy_alone_passes(notebook, line):
    """Neither other imports nor the text of the cell itself are taken for such a package."""
    assert _numpy_only_errors(notebook, line) == {}


def _numpy_only_errors(notebook, line):
    """The errors of the cell after a student's cell that holds ``line`` without running it."""
    student = new_code_cell("if False:\n" + indent(line, "    ") + "\n    pass")
    cells = [student, find_cell(notebook, "numpy_only")]
    return run(NotebookNode(notebook | {"cells": cells})).errors


def test_grading_does_not_import_torch():
    """Importing torch takes seconds for every student; neither notebook nor tests need it."""
    code = (
        "import sys; from fairmark.notebooks import read, run; "
        f"result = run(read({str(SOURCE / (NAME + '.ipynb'))!r})); "
        "assert result.total == 10, result.errors; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"MPLBACKEND": "agg"})
