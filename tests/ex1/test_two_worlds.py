"""The marks of ex1 are the same where test cells see only handles and copies of what students made.

That holds for every other way to solve ex1_02, for a selection of ex1_03 and for a chain of
ex1_01. What a test may do with a handle, and what it may not, is tested here as well.
"""

from __future__ import annotations

import copy
import inspect
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nbformat import NotebookNode

from fairmark.notebooks import find_cell, run
from fairmark.samples.pen_and_paper import as_typed, follow

from . import ex1_02_right, ex1_02_wrong, ex1_03_right, ex1_03_wrong
from .two_worlds import Handle, RuleBroken, loaded, lost_in_two_worlds, to_grader
from .variants import Variant, read_source, run_variant

# What NumPy and torch say about some wrong solutions; students may well see it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad"),
]


def without_plots(name: str) -> NotebookNode:
    """The source notebook ``name``; plots cost more than all else and decide nothing."""
    notebook = read_source(name)
    kept = [cell for cell in notebook.cells if not cell.id.startswith("plot_")]
    return NotebookNode(notebook | {"cells": kept})


PEN_AND_PAPER = without_plots("ex1_01_pen_and_paper")
NUMPY = without_plots("ex1_02_numpy_gradient")
PYTORCH = without_plots("ex1_03_pytorch_regression")
REFERENCE = Variant("reference", {})
ALL_NUMPY = [REFERENCE, *ex1_02_right.RIGHT, *ex1_02_wrong.WRONG]
OF_PYTORCH = {variant.name: variant for variant in ex1_03_right.RIGHT + ex1_03_wrong.WRONG}
TELLING = [
    "batch_norm_of_the_input",
    "double_precision_inside",
    "line_plus_curve_with_weight_norm",
    "lbfgs_with_closure_for_each_mini_batch",
    "gradients_from_autograd_grad",
    "history_as_detached_tensors",
    "inference_mode",
    "extra_layer_in_a_plain_list",
    "residual_branch_under_no_grad",
    "input_changed_in_place",
    "no_nonlinearity",
    "zero_grad_once_per_epoch",
    "updated_twice",
    "trains_a_copy",
    "history_keeps_the_graph",
    "predict_changes_the_input_in_place",
    "gradient_kept",
    "model_in_train_mode",
    "parameters_frozen",
]


def pen_and_paper_variants() -> list[Variant]:
    """A slip in the first step that all else follows from, and answers that are missing."""
    typed = follow(run(PEN_AND_PAPER).names["chain"], {"a": np.array([0.41, 0.13])})
    slip = {name: f"{name} = {as_typed(values)}" for name, values in typed.items()}
    placeholder, stub = "z = [None, None]", "raise NotImplementedError()"
    needs_z = {"test_z", "test_y", "test_dL_dW2", "test_dL_dW1", "test_dL_db1"}
    return [
        Variant("slip_carried_forward", slip, {"test_a"}),
        Variant("answer_left_empty", {"z": f"{placeholder}\n{stub}"}, needs_z),
        Variant("answer_without_a_name", {"z": stub}, needs_z),
    ]


class TestMarks:
    def test_pen_and_paper_reference_keeps_all_points(self):
        """The chain that the test cells build up stays on the grader's side."""
        assert lost_in_two_worlds(PEN_AND_PAPER, REFERENCE) == set()

    @pytest.mark.parametrize("variant", pen_and_paper_variants(), ids=str)
    def test_pen_and_paper_loses_the_same(self, variant):
        """Slips and missing answers cost the same as in one process."""
        assert run_variant(PEN_AND_PAPER, variant).lost == variant.loses
        assert lost_in_two_worlds(PEN_AND_PAPER, variant) == variant.loses

    @pytest.mark.parametrize("variant", ALL_NUMPY, ids=str)
    def test_numpy_loses_the_same(self, variant):
        """Classes of the student are reached by calls, attributes and copies of arrays alone."""
        assert lost_in_two_worlds(NUMPY, variant) == variant.loses

    @pytest.mark.parametrize("name", ["reference", *TELLING])
    def test_pytorch_loses_the_same(self, name):
        """Modules, loaders and training functions of the student are reached in the same way."""
        variant = ({"reference": REFERENCE} | OF_PYTORCH)[name]
        assert lost_in_two_worlds(PYTORCH, variant) == variant.loses


class TestRule:
    @pytest.mark.parametrize(
        "line",
        ["assert isinstance(model, nn.Module)", "model.apply(lambda part: None)"],
    )
    def test_a_test_that_breaks_the_rule_fails(self, line):
        """It passes in one process, and so would go unnoticed there."""
        notebook = deepcopy(PYTORCH)
        find_cell(notebook, "test_fit").source += f"\n{line}\nNone"
        assert run(notebook).lost == set()
        with pytest.raises(RuleBroken):
            lost_in_two_worlds(notebook, REFERENCE)

    @pytest.mark.parametrize(
        "reach",
        [
            lambda h: isinstance(h, dict),
            lambda h: issubclass(h, dict),
            lambda h: type("Sub", (h,), {}),
            lambda h: inspect.getsource(h),
            lambda h: h.__globals__,
            lambda h: h.__class__,
            lambda h: setattr(h, "__class__", dict),
            lambda h: vars(h),
            lambda h: dir(h),
            lambda h: copy.deepcopy(h),
            lambda h: np.asarray(h),
            lambda h: h == h,
            lambda h: h(print),
            lambda h: setattr(h, "loss", np.mean),
        ],
    )
    def test_a_handle_refuses_all_but_what_is_allowed(self, reach):
        """Neither type nor source nor copy, and no object of the grader's goes in."""
        with pytest.raises(RuleBroken):
            reach(to_grader(lambda value: value))

    def test_a_handle_does_what_is_allowed(self):
        """Calls, attributes, items, iteration, length, truth; handles go back as what they are."""
        mine = SimpleNamespace(rows=range(4), layer=SimpleNamespace(), W=np.ones(2))
        theirs = to_grader(mine)
        assert [len(theirs.rows), theirs.rows[2], *theirs.rows[1:3]] == [4, 2, 1, 2]
        assert theirs.layer and not to_grader(range(0))
        theirs.b, theirs.also = [1.5], theirs.layer
        assert mine.b == [1.5] and mine.also is mine.layer
        inside = to_grader({"a": mine})["a"]
        assert type(inside) is Handle and to_grader(lambda part: part is mine)(inside)

    def test_data_are_copied_and_changes_in_place_come_back(self):
        """An attribute is a copy; what a function changes in its arguments is seen after it."""
        mine = SimpleNamespace(W=np.ones(2))
        to_grader(mine).W[0] = 5
        assert mine.W[0] == 1

        def spoil(x, pair, more):
            for array in (x, *pair, more):
                array *= 2
            raise ValueError

        arrays = [np.ones(2), np.ones(3), torch.ones(2), torch.ones(4)]
        with pytest.raises(ValueError):
            to_grader(spoil)(arrays[0], (arrays[1], arrays[2]), more=arrays[3])
        assert all((array == 2).all() for array in arrays)
        x = torch.ones(2, requires_grad=True)
        (3 * x).sum().backward()
        assert to_grader(lambda x: (x.requires_grad, x.grad.tolist()))(x) == (True, [3.0, 3.0])

    def test_names_of_a_cell(self):
        """A locked cell runs on the grader's side only where it knows the names that are loaded."""
        source = "import a\nx = [b(i, len(c)) for i in d]\ndef f(y, z=e):\n    return x + y + g\n"
        used, own = loaded(source)
        assert (used - own, own) == (set("bcdeg"), set("axf"))
        caught = "def f():\n  try:\n    a()\n  except ValueError as error:\n    b(error)"
        assert loaded(caught) == ({"a", "b"}, {"f"})
