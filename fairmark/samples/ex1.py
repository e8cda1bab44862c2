"""The sample class of ex1: who handed in what, and which tests it should cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from fairmark.derivation import Derivation
from fairmark.derivation.rounding import Rounding, evaluate_rounded
from fairmark.notebooks import run

from .pen_and_paper import Answers, as_typed, follow, known_mistakes
from .sample import EVERYTHING, Sample
from .submission import Assignment, Submission

PEN = "ex1_01_pen_and_paper"
NUMPY = "ex1_02_numpy_gradient"
TORCH = "ex1_03_pytorch_regression"
BLANK = {PEN: EVERYTHING, NUMPY: EVERYTHING, TORCH: EVERYTHING}


def sample_class(assignment: Assignment) -> list[Sample]:
    """Every sample student of ex1, those with known mistakes of ex1_01 last."""
    chain = run(assignment.sources[PEN]).names["chain"]
    mistaken = [
        Sample(name, typed(answers), {PEN: {f"test_{step}"}}, known_mistake=True)
        for name, (step, answers) in known_mistakes(chain).items()
    ]
    return honest(chain) + damaged() + hostile_to_time() + mistaken


def honest(chain: Derivation) -> list[Sample]:
    """Students who did the work, all of it or not, in their own way."""
    slip = {"a": np.array([0.03, 0.24])}  # 0.30, with its digits transposed
    rounded = Rounding(2, half_even=False)
    no_bias = chain.steps["a"].mistakes["b1 was left out"]
    slip_too = {"a": evaluate_rounded(no_bias, chain.givens, rounded)[0]}
    return [
        Sample("perfect", Assignment.solved),
        Sample("blank", Assignment.untouched, BLANK),
        Sample("two_decimals_at_every_step", typed(follow(chain, rounding=rounded), decimals=2)),
        Sample("one_early_slip_carried_forward", typed(follow(chain, slip)), {PEN: {"test_a"}}),
        Sample(
            "one_early_slip_carried_forward_in_two_decimals",
            typed(follow(chain, slip_too, rounded), decimals=2),
            {PEN: {"test_a"}},
        ),
        Sample("tuples_arrays_and_columns", other_types),
        Sample(
            "wrong_shapes",
            wrong_shapes,
            {
                PEN: {"test_dL_dW2", "test_W2_updated", "test_dL_dW1", "test_W1_updated"},
                NUMPY: {"test_linear_backward_dL_db"},
            },
        ),
        Sample("wrong_types", wrong_types, {PEN: {"test_loss", "test_dL_db2", "test_b2_updated"}}),
    ]


def typed(answers: Answers, decimals: int = 4) -> Callable[[Assignment], Submission]:
    """Builds a perfect submission but for ex1_01, where ``answers`` are typed."""
    return partial(_typed, answers, decimals)


def _typed(answers: Answers, decimals: int, assignment: Assignment) -> Submission:
    submission = assignment.solved()
    for name, values in answers.items():
        submission.answer(PEN, name, f"{name} = {as_typed(values, decimals)}")
    return submission


def other_types(assignment: Assignment) -> Submission:
    """Right numbers in tuples, arrays, NumPy scalars and columns: all of them count."""
    submission = assignment.solved()
    submission.append(PEN, "a", "a = tuple(a)")
    submission.append(PEN, "z", "z = np.array(z, dtype=np.float32)")
    submission.append(PEN, "y", "y = [np.float64(y[0])]")
    submission.append(PEN, "dL_dW1", "dL_dW1 = np.array(dL_dW1)")
    submission.append(PEN, "dL_db1", "dL_db1 = [[number] for number in dL_db1]")
    submission.append(PEN, "b1_updated", "b1_updated = np.array(b1_updated).reshape(2, 1)")
    return submission


def wrong_shapes(assignment: Assignment) -> Submission:
    """Right numbers in shapes that were not asked for."""
    submission = assignment.solved()
    submission.append(PEN, "dL_dW2", "dL_dW2 = dL_dW2[0]")
    submission.append(PEN, "dL_dW1", "dL_dW1 = [list(column) for column in zip(*dL_dW1)]")
    linear = submission.cell(NUMPY, "linear")
    linear.source += (
        "\n\n\nclass Linear(Linear):\n"
        "    def backward(self, dL_dout):\n"
        "        dL_dx = super().backward(dL_dout)\n"
        "        self.dL_db = self.dL_db[None, :]\n"
        "        return dL_dx\n"
    )
    return submission


def wrong_types(assignment: Assignment) -> Submission:
    """Text and functions where numbers are asked for."""
    submission = assignment.solved()
    submission.answer(PEN, "loss", 'loss = "0.034"')
    submission.answer(PEN, "dL_db2", "dL_db2 = [lambda: dL_dy]")
    return submission


def damaged() -> list[Sample]:
    """Students whose notebooks came in another form than they went out."""
    return [
        Sample("test_cell_deleted", test_cell_deleted),
        Sample("answer_cell_duplicated", answer_cell_duplicated),
        Sample("notebook_missing", notebook_missing, {NUMPY: EVERYTHING}),
        Sample("notebook_renamed", notebook_renamed, {TORCH: EVERYTHING}),
        Sample("file_cut_off", file_cut_off, {NUMPY: EVERYTHING}),
        Sample("metadata_stripped", metadata_stripped),
        Sample("used_torch_in_the_numpy_notebook", used_torch, TANH_AND_WHAT_NEEDS_IT),
    ]


def test_cell_deleted(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    for name in ("test_dL_dW1", "test_dL_db1"):
        submission.delete(PEN, name)
    return submission


def answer_cell_duplicated(assignment: Assignment) -> Submission:
    """A first try is left standing in a copy of the cell, in front of the right one."""
    submission = assignment.solved()
    submission.duplicate(PEN, "z").source = "z = [0.5, 0.5]"
    return submission


def notebook_missing(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    del submission.notebooks[NUMPY]
    return submission


def notebook_renamed(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    submission.notebooks[f"{TORCH} (final)"] = submission.notebooks.pop(TORCH)
    return submission


def file_cut_off(assignment: Assignment) -> Submission:
    """The upload broke off: half of a file is no notebook."""
    submission = assignment.solved()
    del submission.notebooks[NUMPY]
    submission.files[f"{NUMPY}.ipynb"] = '{"cells": [{"cell_type": "markdown", "sour'
    return submission


def metadata_stripped(assignment: Assignment) -> Submission:
    """Some editors drop what they do not know: here all that nbgrader wrote into the cells."""
    submission = assignment.solved()
    for notebook in submission.notebooks.values():
        for cell in notebook.cells:
            cell.metadata.clear()
    return submission


# Without Tanh, the network cannot be built: what is tested on it is lost as well.
TANH_AND_WHAT_NEEDS_IT = {
    NUMPY: {
        "test_tanh_forward",
        "test_tanh_backward",
        "test_mlp_forward",
        "test_mlp_backward",
        "test_sgd_step",
        "test_train",
    }
}


def used_torch(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    cell = submission.cell(NUMPY, "tanh")
    cell.source = "import torch\n\n" + cell.source
    return submission


def hostile_to_time() -> list[Sample]:
    """Students whose code does not end, or ends everything."""
    return [
        Sample("endless_loop", endless_loop, {NUMPY: {"test_sgd_step", "test_train"}}),
        Sample("kernel_crash", kernel_crash, {TORCH: AFTER_THE_CRASH}),
        Sample("print_flood", print_flood),
    ]


AFTER_THE_CRASH = frozenset({"test_train_model", "test_fit", "test_predict"})


def endless_loop(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    submission.answer(NUMPY, "sgd_step", "while True:\n    pass")
    return submission


def kernel_crash(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    submission.append(TORCH, "train_model", "import os\n\nos._exit(1)")
    return submission


def print_flood(assignment: Assignment) -> Submission:
    submission = assignment.solved()
    submission.append(NUMPY, "sgd_step", 'for step in range(200_000):\n    print("step", step)')
    return submission
