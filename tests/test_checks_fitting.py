"""Checks of training functions: optimizers of all kinds pass, each slip is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from fairmark.checks import CheckFailed, fitting

CHECKS = [
    fitting.check_losses,
    fitting.check_gradients_cleared,
    fitting.check_one_update,
    fitting.check_every_batch_counts,
    fitting.check_learns,
]


def small_net() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))


def trial_of(train, seed=3) -> fitting.Trial:
    loader = DataLoader(TensorDataset(torch.zeros(6, 1), torch.zeros(6, 1)), batch_size=4)
    return fitting.Trial(train, small_net(), loader, small_net(), np.random.default_rng(seed))


def training(make=torch.optim.SGD, **slips):
    """A training function with optimizer ``make(parameters, lr)``; ``slips`` replace its steps."""

    def train(model, loader, epochs, lr):
        optimizer = make(model.parameters(), lr)
        clear = slips.get("clear", lambda optimizer: optimizer.zero_grad())
        step = slips.get("step", lambda optimizer, x: optimizer.step())
        record = slips.get("record", lambda losses: sum(losses) / len(losses))
        history = []
        for _ in range(epochs):
            losses = []
            for x, t in loader:
                loss = nn.functional.mse_loss(model(x), t)
                clear(optimizer)
                loss.backward()
                step(optimizer, x)
                losses.append(loss.item())
            history.append(record(losses))
        return history

    return train


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "make",
    [
        torch.optim.SGD,
        lambda p, lr: torch.optim.SGD(p, lr, momentum=0.95, nesterov=True),
        lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, weight_decay=1e-3),
        torch.optim.Adam,
        lambda p, lr: torch.optim.AdamW(p, lr, amsgrad=True),
        torch.optim.NAdam,
        torch.optim.RAdam,
        torch.optim.Adamax,
        torch.optim.Adagrad,
        torch.optim.RMSprop,
        torch.optim.Rprop,
        torch.optim.ASGD,
    ],
)
def test_every_check_accepts_every_optimizer(make, seed):
    """No check knows which optimizer is right."""
    trial = trial_of(training(make), seed)
    for check in CHECKS:
        check(trial)


class TestReadHistory:
    @pytest.mark.parametrize(
        "history",
        [
            [1.0, 0.5],
            (1, 0.5),
            np.array([1.0, 0.5], dtype=np.float32),
            [torch.tensor(1.0), torch.tensor(0.5)],
            torch.tensor([1.0, 0.5]),
            [np.float32(1.0), np.array(0.5)],
        ],
    )
    def test_forgives_types(self, history):
        """Any sequence of single numbers counts."""
        assert fitting.read_history("train", history, 2).tolist() == [1.0, 0.5]

    @pytest.mark.parametrize(
        ("history", "message"),
        [
            (None, "returns None"),
            (0.5, "must return a list"),
            ([0.5], "1 losses for epochs=2"),
            ([[0.5, 0.5], [0.5, 0.5]], r"shape \(2,\)"),
            ([0.5, float("nan")], "not finite"),
            ([0.5, None], "None"),
            ([torch.ones((), requires_grad=True) * 2] * 2, "computation graph"),
        ],
    )
    def test_refuses_other_forms(self, history, message):
        """The message says what is wrong with the history."""
        with pytest.raises(CheckFailed, match=message):
            fitting.read_history("train", history, 2)


class TestLosses:
    def test_accepts_the_mean_over_the_samples(self):
        """A last mini-batch that is not full may weigh less."""

        def record(losses):
            return np.average(losses, weights=[4] * (len(losses) - 1) + [3])

        fitting.check_losses(trial_of(training(record=record)))

    @pytest.mark.parametrize(
        ("record", "message"),
        [
            (sum, "sum over the mini-batches"),
            (lambda losses: losses[0], "first mini-batch"),
            (lambda losses: losses[-1], "last mini-batch"),
            (lambda losses: sum(losses) / 2 / len(losses), "same shape"),
        ],
    )
    def test_names_the_likely_mistake(self, record, message):
        """What was recorded in place of the mean is recognized."""
        with pytest.raises(CheckFailed, match=message):
            fitting.check_losses(trial_of(training(record=record)))

    def test_refuses_a_learning_rate_of_its_own(self):
        """At lr near 0 nothing may move."""
        with pytest.raises(CheckFailed, match="argument lr"):
            fitting.check_losses(trial_of(training(lambda p, lr: torch.optim.SGD(p, 0.01))))


class TestGradientsCleared:
    @pytest.mark.parametrize("seed", range(5))
    def test_refuses_gradients_that_add_up(self, seed):
        """Gradients of earlier mini-batches are found in .grad."""
        trial = trial_of(training(clear=lambda optimizer: None), seed)
        with pytest.raises(CheckFailed, match="zero_grad"):
            fitting.check_gradients_cleared(trial)

    def test_accepts_zeros_and_none(self):
        """Both ways of clearing count, and so do gradients that are never stored."""
        zeros = training(clear=lambda optimizer: optimizer.zero_grad(set_to_none=False))
        fitting.check_gradients_cleared(trial_of(zeros))

        def functional(model, loader, epochs, lr):
            parameters = list(model.parameters())
            for x, t in list(loader) * epochs:
                loss = nn.functional.mse_loss(model(x), t)
                for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                    p.data -= lr * g
            return [1.0] * epochs

        fitting.check_gradients_cleared(trial_of(functional))


class TestOneUpdate:
    def test_refuses_none(self):
        """A loop without step() moves nothing."""
        with pytest.raises(CheckFailed, match="as they were"):
            fitting.check_one_update(trial_of(training(step=lambda optimizer, x: None)))

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize(
        "make",
        [
            torch.optim.SGD,
            lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
            torch.optim.Adam,
        ],
    )
    def test_refuses_two(self, make, seed):
        """A second step() on the same gradient is seen for SGD, momentum and Adam."""

        def twice(optimizer, x):
            optimizer.step()
            optimizer.step()

        with pytest.raises(CheckFailed, match="more than once"):
            fitting.check_one_update(trial_of(training(make, step=twice), seed))


class TestEveryBatchCounts:
    def test_refuses_to_skip_the_last_one(self):
        """A mini-batch that is not full is trained on, too."""

        def step(optimizer, x):
            if len(x) == 4:
                optimizer.step()

        with pytest.raises(CheckFailed, match="last mini-batch"):
            fitting.check_every_batch_counts(trial_of(training(step=step)))


class TestLearns:
    def test_refuses_ascent(self):
        """Steps along the gradient raise the loss."""
        ascent = training(lambda p, lr: torch.optim.SGD(p, lr, maximize=True))
        with pytest.raises(CheckFailed, match="go down"):
            fitting.check_learns(trial_of(ascent))

    def test_refuses_one_update_per_epoch(self):
        """A gradient of the whole epoch is no mini-batch training."""

        def train(model, loader, epochs, lr):
            optimizer = torch.optim.Adam(model.parameters(), lr)
            history = []
            for _ in range(epochs):
                optimizer.zero_grad()
                losses = [nn.functional.mse_loss(model(x), t) for x, t in loader]
                mean = sum(losses) / len(losses)
                mean.backward()
                optimizer.step()
                history.append(mean.item())
            return history

        with pytest.raises(CheckFailed, match="within the first epoch"):
            fitting.check_learns(trial_of(train))
