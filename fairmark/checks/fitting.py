"""Checks of a student's training function, whatever optimizer it uses.

The function is tried on a small model and a small loader. Both live on the student's side, but
their parameters and data are set from here, so that what an honest loop must do is known exactly:
targets are the model's own outputs plus an offset per mini-batch. A mini-batch with offset 0 has
gradient 0, one with offset d has the mean squared error d * d.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .failure import CheckFailed
from .modules import SPAN, load_parameters, named_parameters, parameters_of
from .values import read_array

STILL = 1e-9  # a learning rate at which no optimizer moves a parameter noticeably
USUAL = 0.02  # a learning rate at which every common optimizer moves the parameters
MOVED = 5e-4  # a parameter that moved by more was updated; weight decay alone moves it by less
OFFSETS = (0.5, 2.0, -3.0)  # very different losses of the mini-batches of one epoch
LAST_ROWS = 3  # rows of the last mini-batch, which is not full


@dataclass
class Outcome:
    """What one call of a training function left behind."""

    history: Any
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    left: dict[str, np.ndarray | None]  # the gradients found in the parameters afterwards

    @property
    def farthest(self) -> float:
        """How far the parameter that moved most has moved."""
        return max(np.abs(self.after[name] - self.before[name]).max() for name in self.before)


@dataclass
class Trial:
    """A training function and what it is tried on.

    ``train(model, loader, epochs, lr)`` is the student's. ``model`` maps (N, 1) to (N, 1), without
    dropout or batch statistics; ``loader`` is a DataLoader over a TensorDataset that does not
    shuffle: its data are replaced here. ``twin`` is a module built like ``model`` that belongs to
    the caller; targets and gradients are computed with it.
    """

    train: Callable[..., Any]
    model: Any
    loader: Any
    twin: torch.nn.Module
    rng: np.random.Generator
    name: str = "train_model"

    def run(self, offsets: Sequence[float], epochs: int, lr: float, rows: int | None = None):
        """Train from random parameters on one mini-batch per offset; return the Outcome."""
        start = {k: self.rng.standard_normal(v.shape) for k, v in parameters_of(self.twin).items()}
        for module in (self.model, self.twin):
            load_parameters(module, start)
        self.model.train()
        self.model.zero_grad()
        self.loader.dataset.tensors = self._data(offsets, rows or LAST_ROWS)
        before = parameters_of(self.model)
        history = self.train(self.model, self.loader, epochs, lr)
        left = {k: _gradient(k, value) for k, value in named_parameters(self.model)}
        return Outcome(history, before, parameters_of(self.model), left)

    def _data(self, offsets: Sequence[float], last: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets (N, 1): full mini-batches, then one of ``last`` rows."""
        full = int(self.loader.batch_size)
        sizes = [full] * (len(offsets) - 1) + [last]
        # Inputs spread over the whole span: within a mini-batch the outputs differ clearly. Full
        # mini-batches share theirs, so that equal offsets give equal gradients.
        points = {n: np.linspace(-SPAN, SPAN, n) + self.rng.uniform(-0.3, 0.3, n) for n in sizes}
        inputs = [torch.tensor(points[n], dtype=torch.float32).reshape(-1, 1) for n in sizes]
        with torch.no_grad():
            targets = [self.twin(x) + d for x, d in zip(inputs, offsets, strict=True)]
        return torch.cat(inputs), torch.cat(targets)

    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of the MSE over the present data at the present parameters of the twin."""
        x, t = self.loader.dataset.tensors
        self.twin.zero_grad()
        torch.nn.functional.mse_loss(self.twin(x), t).backward()
        return {k: read_array(k, value.grad) for k, value in self.twin.named_parameters()}


def read_history(name: str, history: Any, epochs: int) -> np.ndarray:
    """The losses in ``history`` as an array (epochs,); CheckFailed unless it holds one per epoch.

    A list, tuple, array or tensor counts, of floats or of tensors without a graph.
    """
    if history is None:
        raise CheckFailed(f"{name} returns None; return the list of the losses, one per epoch.")
    try:
        losses = list(history)
    except TypeError:
        raise CheckFailed(f"{name} must return a list with one loss per epoch.") from None
    if any(getattr(loss, "requires_grad", False) for loss in losses):
        raise CheckFailed(
            f"{name} returns losses that still carry their computation graph, which keeps every "
            "graph in memory; store loss.item(), a plain float."
        )
    if len(losses) != epochs:
        raise CheckFailed(
            f"{name} returns {len(losses)} losses for epochs={epochs}; one per epoch is wanted."
        )
    return np.array([read_array(f"a loss from {name}", loss, ()) for loss in losses])


def check_losses(trial: Trial) -> None:
    """At a learning rate near 0 the loss of each epoch is the mean of its mini-batch losses, and
    the parameters stay.

    The mean may be over the mini-batches or over the samples.
    """
    epochs = 3
    outcome = trial.run(OFFSETS, epochs, STILL)
    losses = read_history(trial.name, outcome.history, epochs)
    if outcome.farthest > MOVED:
        raise CheckFailed(
            f"{trial.name} with lr={STILL} moves the parameters by up to "
            f"{outcome.farthest:.2g}: does the optimizer use the argument lr?"
        )
    squares = np.square(OFFSETS)
    sizes = [int(trial.loader.batch_size)] * (len(OFFSETS) - 1) + [LAST_ROWS]
    means = (squares.mean(), np.average(squares, weights=sizes))
    if not any(np.allclose(losses, mean, rtol=0.02) for mean in means):
        raise CheckFailed(
            f"The losses from {trial.name} are not the mean MSE of each epoch: "
            f"{_likely_loss(losses[0], squares)}"
        )


def _likely_loss(loss: float, squares: np.ndarray) -> str:
    hints = {
        squares.sum(): "they look like a sum over the mini-batches that is not divided.",
        squares[0]: "they look like the loss of the first mini-batch alone.",
        squares[-1]: "they look like the loss of the last mini-batch alone.",
    }
    for value, hint in hints.items():
        if np.isclose(loss, value, rtol=0.02):
            return hint
    return (
        "average the MSE over all mini-batches of train_loader, and compare predictions and "
        "targets of the same shape (N, 1); (N,) with (N, 1) broadcasts to (N, N)."
    )


def check_gradients_cleared(trial: Trial) -> None:
    """The gradients of one mini-batch are gone before the next one is differentiated.

    The last mini-batch has gradient 0 and the learning rate is near 0: what is found in ``.grad``
    afterwards comes from earlier mini-batches or epochs. None counts as cleared.
    """
    outcome = trial.run((2.0, -3.0, 0.0), 2, STILL)
    left = max((np.abs(g).max() for g in outcome.left.values() if g is not None), default=0.0)
    typical = max(np.abs(g).max() for g in trial.gradients().values())
    if left > 0.05 * typical:
        raise CheckFailed(
            "After training, .grad of the parameters still holds gradients of earlier "
            "mini-batches: backward() adds to .grad, so call optimizer.zero_grad() for every "
            "mini-batch."
        )


def check_one_update(trial: Trial) -> None:
    """One epoch of one mini-batch updates the given model, and once."""
    outcome = trial.run((1.5,), 1, USUAL, rows=int(trial.loader.batch_size))
    if outcome.farthest < MOVED:
        raise CheckFailed(
            f"{trial.name} on a single mini-batch leaves the parameters of the given model as they "
            "were. The order is zero_grad(), forward, loss, backward(), step(), with an optimizer "
            "that was given model.parameters()."
        )
    if _updated_twice(outcome, trial.gradients()):
        raise CheckFailed(
            f"{trial.name} updates the parameters more than once for a mini-batch: "
            "call optimizer.step() once after each backward()."
        )


def _updated_twice(outcome: Outcome, gradients: dict[str, np.ndarray]) -> bool:
    """Whether the first update is exactly what step() gives when it is called twice.

    One step of SGD goes lr * g far, with or without momentum m (lr * (1 + m) * g with Nesterov's);
    two go between 2 and 3 times that far. One step of Adam goes lr * sign(g) far, two go twice as
    far. Other optimizers, and clipped gradients, match neither and are not judged.
    """
    g = np.concatenate([value.ravel() for value in gradients.values()])
    way = np.concatenate([(outcome.before[k] - outcome.after[k]).ravel() for k in gradients])
    clear = np.abs(g) > 0.02 * np.abs(g).max()
    like_sgd = way[clear] / (USUAL * g[clear])
    like_adam = way[clear] / (USUAL * np.sign(g[clear]))
    middle = np.median(like_sgd)
    sgd_twice = 1.98 < middle < 3 and np.allclose(like_sgd, middle, rtol=0.02)
    return bool(sgd_twice or np.allclose(like_adam, 2, rtol=0.02))


def check_every_batch_counts(trial: Trial) -> None:
    """The last mini-batch of an epoch, which is not full, is trained on like the others."""
    if trial.run((0.0, 0.0, 1.5), 1, USUAL).farthest < MOVED:
        raise CheckFailed(
            f"{trial.name} does not learn from the last mini-batch of an epoch: "
            "update the parameters for every mini-batch of train_loader, the last one too."
        )


def check_learns(trial: Trial) -> None:
    """Eight epochs lower the loss of a task that shifts all outputs by one number, and already
    within the first epoch one mini-batch profits from the update for the one before.
    """
    epochs = 8
    full = int(trial.loader.batch_size)
    outcome = trial.run((1.0, 1.0, 1.0, 1.0), epochs, USUAL, rows=full)
    losses = read_history(trial.name, outcome.history, epochs)
    x, t = trial.loader.dataset.tensors
    load_parameters(trial.twin, outcome.after)
    with torch.no_grad():
        reached = torch.mean((trial.twin(x) - t) ** 2).item()
    if not max(reached, losses[-1]) < 0.9:  # the loss starts at 1; most optimizers reach 0.1
        raise CheckFailed(
            f"{trial.name} with {epochs} epochs and lr={USUAL} takes the training loss of a small "
            f"model from 1 to {reached:.2g}: does each update go down along the gradient, and "
            "does it reach the model that was given?"
        )
    if abs(losses[0] - 1) < 1e-5:
        raise CheckFailed(
            f"The losses from {trial.name} show no progress within the first epoch: update the "
            "parameters once for every mini-batch, not once per epoch."
        )


def _gradient(name: str, parameter: Any) -> np.ndarray | None:
    return None if parameter.grad is None else read_array(f"{name}.grad", parameter.grad)
