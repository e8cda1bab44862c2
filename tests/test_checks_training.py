"""Checks of a gradient step and of the training loop: what they can tell apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from fairmark.checks import CheckFailed
from fairmark.checks.compare import TOLERANCE
from fairmark.checks.sgd import check_sgd_step
from fairmark.checks.training import (
    RATES,
    SEED,
    Problem,
    Student,
    check_fit,
    check_history,
    check_mini_batches,
    check_one_batch,
    check_train,
)

from .test_checks_layers import MLP, Linear

X = np.linspace(-2, 2, 30).reshape(30, 1)
T = np.sin(1.5 * X)
SETTINGS = {"lr": 0.1, "epochs": 100, "batch_size": 8}


class Loss:
    def forward(self, y, t):
        self.e = y - t
        return np.mean(self.e**2)

    def backward(self):
        return 2 * self.e / self.e.size


def sgd_step(model, lr):
    for layer in (model.linear1, model.linear2):
        layer.W = layer.W - lr * layer.dL_dW
        layer.b = layer.b - lr * layer.dL_db


def train(model, loss_fn, x, t, lr, epochs, batch_size, rng, step=sgd_step):
    history = []
    for _ in range(epochs):
        order = rng.permutation(len(x))
        losses = []
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            losses.append(loss_fn.forward(model.forward(x[rows]), t[rows]))
            model.backward(loss_fn.backward())
            step(model, lr)
        history.append(np.mean(losses))
    return history


HONEST = Student(train, sgd_step, MLP, Loss)


def test_honest_loop_passes():
    """All four parts pass, with the mean over batches as history."""
    check_sgd_step(sgd_step, MLP)
    check_train(HONEST, X, T, SETTINGS, hidden=8, below=0.13)


@pytest.mark.parametrize("epochs", [1, 2])
def test_every_order_of_batches_leads_elsewhere(epochs):
    """The parameters after training tell which samples were in which batch."""
    problem, lr = Problem.draw(SEED + 2, samples=4), RATES[0]
    epoch = [[[i for i in range(4) if i != last], [last]] for last in range(4)]
    plans = epoch if epochs == 1 else [first + second for first in epoch for second in epoch]
    changes = [problem.exact_change(plan, lr) for plan in plans]
    for one, other in combinations(changes, 2):
        assert np.max(np.abs(one - other)) > 50 * TOLERANCE * np.max(np.abs(one))


@pytest.mark.parametrize("seed", range(100, 130))
def test_any_honest_shuffle_passes(seed):
    """Whatever a shuffle makes of the generator, the loop is recognised as honest."""

    def other_shuffle(*args):
        *rest, rng = args
        return train(*rest, np.random.default_rng([seed, *rng.integers(2**30, size=2)]))

    check_mini_batches(Student(other_shuffle, sgd_step, MLP, Loss))


class HalfLinear(Linear):
    """Its gradients are half of what they should be."""

    def backward(self, dL_dout):
        dL_dx = super().backward(dL_dout)
        self.dL_dW, self.dL_db = self.dL_dW / 2, self.dL_db / 2
        return dL_dx


class HalfMLP(MLP):
    linear = HalfLinear


def test_mistake_in_a_layer_or_a_step_is_carried_forward():
    """The loop passes where it does what the student's own parts ask for."""

    def forgetful_step(model, lr):
        for layer in (model.linear1, model.linear2):
            layer.W = layer.W - lr * layer.dL_dW

    def own_train(*args):
        return train(*args, step=forgetful_step)

    check_train(Student(own_train, forgetful_step, HalfMLP, Loss), X, T, SETTINGS, 8, 0.13)


def test_own_parts_do_not_excuse_the_loop():
    """With half gradients, a loop that takes another step than its own sgd_step still fails."""

    def own_train(*args):
        return train(*args, step=lambda model, lr: sgd_step(model, 3 * lr))

    with pytest.raises(CheckFailed, match="change of the parameters"):
        check_one_batch(Student(own_train, sgd_step, HalfMLP, Loss))


@pytest.mark.parametrize("wrong", [lambda h: h[:-1], lambda h: h[-1], lambda h: None])
def test_history_has_one_number_per_epoch(wrong):
    """A shorter list, a single number and nothing at all fail."""

    def own_train(*args):
        return wrong(train(*args))

    with pytest.raises(CheckFailed, match="history"):
        check_history(Student(own_train, sgd_step, MLP, Loss))


@pytest.mark.parametrize("factor", [2, 4, 0.5, 1.001])
def test_history_is_the_mean_loss(factor):
    """Sums over batches or samples and other multiples are not the loss of an epoch."""

    def own_train(*args):
        return factor * np.array(train(*args))

    with pytest.raises(CheckFailed, match="history"):
        check_history(Student(own_train, sgd_step, MLP, Loss))


def test_history_follows_the_own_loss():
    """A loss that is half of the right one costs its own points only."""

    class HalfLoss(Loss):
        def forward(self, y, t):
            return super().forward(y, t) / 2

    check_history(Student(train, sgd_step, MLP, HalfLoss))


def test_constant_loss_is_not_followed():
    """A loss that does not depend on the prediction proves nothing."""

    class Constant(Loss):
        def forward(self, y, t):
            super().forward(y, t)
            return 1.0

    with pytest.raises(CheckFailed, match="history"):
        check_history(Student(train, sgd_step, MLP, Constant))


def test_fit_states_the_loss_and_the_bound():
    """A training that is right but too short is told how far it came."""
    with pytest.raises(CheckFailed, match=r"its loss is 0\.\d+; below 0.01 is wanted"):
        check_fit(HONEST, X, T, SETTINGS, hidden=8, below=0.01)


@pytest.mark.parametrize("which", [2, 3])
def test_changed_data_fails(which):
    """Neither x nor t may be changed by training."""

    def own_train(*args):
        args[which][0] += 1
        return train(*args)

    with pytest.raises(CheckFailed, match=f"argument {'xt'[which - 2]} of train was changed"):
        check_one_batch(Student(own_train, sgd_step, MLP, Loss))


def test_step_must_leave_the_gradients():
    """A step that scales the stored gradients in place fails with their name."""

    def scaling_step(model, lr):
        for layer in (model.linear1, model.linear2):
            layer.dL_dW *= lr
            layer.W = layer.W - layer.dL_dW
            layer.b = layer.b - lr * layer.dL_db

    with pytest.raises(CheckFailed, match=r"linear1\.dL_dW was changed in place"):
        check_sgd_step(scaling_step, MLP)
