"""Checks of a mini-batch training loop in NumPy.

What training should do is computed in two ways: by the formulas of the network, and, where these
disagree with the student's parameters, by the student's own layers, loss and step, one batch at a
time. Agreement with either is right, so that only a mistake of the loop costs its points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Any

import numpy as np

from fairmark.isolation.reach import invoke

from . import oracles
from .compare import attempt, close, compare, draw, unchanged
from .failure import CheckFailed
from .mlp import Values, build, read_parameters, sample_parameters
from .values import read_array

SEED = 50
RATES = (0.5, 0.125)
# An honest shuffle leaves the same one of 4 samples for the end of both epochs under all of these
# seeds in one of 4**10 cases, and gives other batches under none of the last ones in 16**5.
SEEDS = range(10)
AGAIN = range(5)

APART = "x and t being shuffled apart: each sample must keep its target"

Batches = Sequence[Sequence[int]]  # the rows of each batch, in the order of training


@dataclass(frozen=True)
class Student:
    """What the training loop is built from: functions and classes of one student."""

    train: Callable[..., Any]
    sgd_step: Callable[..., Any]
    mlp: Callable[..., Any]
    loss: Callable[[], Any]


@dataclass(frozen=True)
class Problem:
    """A small data set and the parameters that training starts from."""

    x: np.ndarray
    t: np.ndarray
    start: Values

    @classmethod
    def draw(cls, seed: int, samples: int) -> Problem:
        """``samples`` random rows with 2 inputs and 2 outputs, for 3 hidden units."""
        rng = np.random.default_rng(seed)
        return cls(
            draw(rng, (samples, 2)), draw(rng, (samples, 2)), sample_parameters(rng, 2, 3, 2)
        )

    @property
    def loss(self) -> np.ndarray:
        """The loss at the start, over all samples."""
        return oracles.mse(oracles.mlp(self.x, **self.start), self.t)

    def train(
        self, student: Student, *, lr: float, epochs: int, batch_size: int, seed: int = 0
    ) -> tuple[Any, np.ndarray]:
        """The model after the student's training, and the history with one loss per epoch.

        Raises :class:`CheckFailed` where the history has another length or x or t was changed.
        """
        model = build(student.mlp, self.start)
        x, t, rng = self.x.copy(), self.t.copy(), np.random.default_rng(seed)
        call = f"train(..., epochs={epochs}, batch_size={batch_size}) on {len(x)} samples"
        settings = (lr, epochs, batch_size, rng)
        history = attempt(call, student.train, model, student.loss(), x, t, *settings)
        unchanged("The argument x of train", self.x, x)
        unchanged("The argument t of train", self.t, t)
        return model, read_array(f"The history that {call} returns", history, (epochs,))

    def change(self, parameters: Values) -> np.ndarray:
        """How far ``parameters`` are from the start, as one flat array."""
        return np.concatenate([np.ravel(parameters[k] - self.start[k]) for k in self.start])

    def exact_change(self, batches: Batches, lr: float) -> np.ndarray:
        """What one step per batch changes, by the formulas of the network."""
        parameters = self.start
        for rows in batches:
            parameters = oracles.mlp_step(self.x[list(rows)], self.t[list(rows)], parameters, lr)
        return self.change(parameters)

    def own_change(self, student: Student, batches: Batches, lr: float) -> np.ndarray | None:
        """What one step per batch changes, by the student's own layers, loss and step.

        None where they raise, or change nothing.
        """
        try:
            model, loss_fn = build(student.mlp, self.start), student.loss()
            for rows in batches:
                y = invoke(model, "forward", self.x[list(rows)])
                invoke(loss_fn, "forward", y, self.t[list(rows)])
                invoke(model, "backward", invoke(loss_fn, "backward"))
                student.sgd_step(model, lr)
            change = self.change(read_parameters(model))
        except Exception:  # whatever is wrong there has a test of its own
            return None
        return change if change.any() else None


def check_train(
    student: Student, x: Any, t: Any, settings: Mapping[str, Any], hidden: int, below: float
) -> None:
    """Check ``train(model, loss_fn, x, t, lr, epochs, batch_size, rng)`` from batch to fit.

    One batch; two epochs of two batches, the last one smaller; the history; and the loss after
    training on ``x``, ``t`` with ``settings`` (lr, epochs, batch_size), which must be ``below``.
    """
    check_one_batch(student)
    check_mini_batches(student)
    check_history(student)
    check_fit(student, x, t, settings, hidden, below)


def check_one_batch(student: Student) -> None:
    """One epoch with all samples in one batch changes the parameters by -lr * gradient."""
    problem = Problem.draw(SEED + 1, samples=5)
    for lr, batch_size in zip(RATES, (8, 5), strict=True):
        model, _ = problem.train(student, lr=lr, epochs=1, batch_size=batch_size)
        got, batches = problem.change(read_parameters(model)), [range(5)]
        wanted = problem.exact_change(batches, lr)
        mistakes = _batch_mistakes(problem, lr, got, wanted)
        name = f"The change of the parameters by one epoch of 5 samples, batch_size={batch_size},"
        try:
            compare(name, got, wanted, mistakes, "Forward, backward, then one sgd_step per batch.")
        except CheckFailed:
            own = problem.own_change(student, batches, lr)
            if own is None or not close(got, own):
                raise


def _batch_mistakes(
    problem: Problem, lr: float, got: np.ndarray, wanted: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    yield (
        "no update: every batch ends in sgd_step, a batch smaller than batch_size too",
        0 * wanted,
    )
    yield "two updates per batch", 2 * wanted
    yield "a step up the gradient", -wanted
    along = np.dot(got, wanted) / np.dot(wanted, wanted)
    yield "a step along the gradient, but of another length: lr must set it", along * wanted
    for order in permutations(range(len(problem.t))):
        yield APART, replace(problem, t=problem.t[list(order)]).exact_change([range(5)], lr)


def check_mini_batches(student: Student) -> None:
    """Each epoch shuffles x and t together with rng and uses every sample once."""
    problem, lr = Problem.draw(SEED + 2, samples=4), RATES[0]
    epoch = {last: [[i for i in range(4) if i != last], [last]] for last in range(4)}
    _find_plan(student, problem, {(last,): epoch[last] for last in epoch}, lr, 1, seed=0)
    plans = {pair: epoch[pair[0]] + epoch[pair[1]] for pair in product(epoch, repeat=2)}
    found = [_find_plan(student, problem, plans, lr, 2, seed) for seed in SEEDS]
    if len(set(found)) == 1:
        raise CheckFailed(
            "train uses the same batches whatever rng it is given: shuffle the samples with rng."
        )
    if all(first == second for first, second in found):
        raise CheckFailed("train shuffles once: the samples must be shuffled anew in each epoch.")
    again = [_find_plan(student, problem, plans, lr, 2, seed) for seed in AGAIN]
    if again != found[: len(again)]:
        raise CheckFailed(
            "train gives different batches for two generators with the same seed: "
            "shuffle with the rng that train is given."
        )


Plans = Mapping[tuple[int, ...], Batches]


def _find_plan(
    student: Student, problem: Problem, plans: Plans, lr: float, epochs: int, seed: int
) -> tuple[int, ...]:
    """The one of ``plans`` that the student's training followed."""
    model, _ = problem.train(student, lr=lr, epochs=epochs, batch_size=3, seed=seed)
    got = problem.change(read_parameters(model))
    for key, batches in plans.items():
        if close(got, problem.exact_change(batches, lr)):
            return key
    for key, batches in plans.items():
        own = problem.own_change(student, batches, lr)
        if own is not None and close(got, own):
            return key
    looks = next(
        (f" It looks like {w}." for w, v in _epoch_mistakes(problem, lr) if close(got, v)), ""
    )
    raise CheckFailed(
        f"With epochs={epochs} and batch_size=3 on 4 samples the parameters do not end where "
        f"a step for 3 samples and one for the sample that is left, in each epoch, lead.{looks}"
    )


def _epoch_mistakes(problem: Problem, lr: float) -> Iterator[tuple[str, np.ndarray]]:
    for last in range(4):
        rest = [i for i in range(4) if i != last]
        yield "the last, smaller batch being left out", problem.exact_change([rest], lr)
        yield (
            "a step for the last batch only, not for each batch",
            problem.exact_change([[last]], lr),
        )
        yield "one batch used twice", problem.exact_change([rest, rest], lr)
        for order in permutations(range(4)):
            apart = replace(problem, t=problem.t[list(order)])
            change = apart.exact_change([rest, [last]], lr)
            yield APART, change
    yield "one update per epoch instead of one per batch", problem.exact_change([range(4)], lr)


def check_history(student: Student) -> None:
    """The loss of an epoch is the mean over its samples or over its batches.

    With lr = 0 the model stays as it is, so that every epoch has the loss of the start.
    """
    problem, epochs = Problem.draw(SEED + 3, samples=4), 3
    _, history = problem.train(student, lr=0.0, epochs=epochs, batch_size=2)
    wanted = np.full(epochs, problem.loss)
    name = "The history of train with lr=0, where every epoch has the same loss,"
    mistakes = (
        ("the sum over the batches instead of the mean", 2 * wanted),
        ("the sum over the samples instead of the mean", 4 * wanted),
        ("a mean that was divided by the number of batches again", wanted / 2),
    )
    advice = "One number per epoch is wanted: the mean over its samples or over its batches."
    try:
        compare(name, history, wanted, mistakes, advice)
    except CheckFailed:
        own = _own_losses(student, problem)
        if not own or not all(any(close(loss, each) for each in own) for loss in history):
            raise


def _own_losses(student: Student, problem: Problem) -> list[np.ndarray]:
    """What the student's own MSELoss gives for an epoch; empty where that proves nothing."""
    model, loss_fn = build(student.mlp, problem.start), student.loss()

    def loss(*rows: int) -> np.ndarray:
        y = invoke(model, "forward", problem.x[list(rows)])
        value = invoke(loss_fn, "forward", y, problem.t[list(rows)])
        return read_array("loss", value, ())

    try:
        halves = [(loss(0, i) + loss(*({1, 2, 3} - {i}))) / 2 for i in (1, 2, 3)]
        own = [loss(0, 1, 2, 3), *halves]
        trivial = not np.all(own) or close(loss(0, 1), loss(2, 3))
    except Exception:  # whatever is wrong there has a test of its own
        return []
    return [] if trivial else own


def check_fit(
    student: Student, x: Any, t: Any, settings: Mapping[str, Any], hidden: int, below: float
) -> None:
    """Training brings the loss of the whole set (x, t) below the stated number."""
    rng = np.random.default_rng(SEED + 4)
    x, t = np.asarray(x), np.asarray(t)
    inputs, outputs = x.shape[1], t.shape[1]
    start = {
        "W1": rng.uniform(-1, 1, (hidden, inputs)) / np.sqrt(inputs),
        "b1": np.zeros(hidden),
        "W2": rng.uniform(-1, 1, (outputs, hidden)) / np.sqrt(hidden),
        "b2": np.zeros(outputs),
    }
    model, history = Problem(x, t, start).train(student, **settings)
    if history[-1] >= history[0]:
        raise CheckFailed("The loss of the last epoch is not below the loss of the first one.")
    y = read_array(
        "model.forward(x)", attempt("MLP.forward", invoke, model, "forward", x.copy()), t.shape
    )
    loss = float(oracles.mse(y, t))
    if loss >= below:
        raise CheckFailed(
            f"After training on the toy set its loss is {loss:.3g}; below {below:g} is wanted."
        )
