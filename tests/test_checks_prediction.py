"""Checks of predictions and of the fit on held-out data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fairmark.checks import CheckFailed
from fairmark.checks.prediction import check_fit, check_prediction


def dropout_net() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 1))


def honest(model, x):
    model.eval()
    with torch.no_grad():
        return model(x)


class TestPrediction:
    @pytest.mark.parametrize(
        "predict",
        [
            honest,
            lambda model, x: model.eval()(x).detach(),
            lambda model, x: honest(model, x).numpy(),
            lambda model, x: honest(model, x).tolist(),
            lambda model, x: honest(model, x.clone()).double(),
        ],
    )
    def test_accepts_any_way_to_leave_the_graph_behind(self, predict):
        """Tensors, arrays and lists count."""
        check_prediction(predict, dropout_net(), np.random.default_rng(0))

    def test_accepts_a_mode_that_is_restored(self):
        """The model may be in train mode again afterwards."""

        def predict(model, x):
            y = honest(model, x)
            model.train()
            return y

        check_prediction(predict, dropout_net(), np.random.default_rng(0))

    @pytest.mark.parametrize(
        ("predict", "message"),
        [
            (lambda model, x: model(x).detach(), "eval"),
            (lambda model, x: model.eval()(x), "requires_grad"),
            (lambda model, x: honest(model, x)[:, 0], r"shape \(1,\)"),
            (lambda model, x: honest(model, x.add_(1)), "in place"),
            (lambda model, x: honest(model, x) + 0.1, "differs"),
            (lambda model, x: honest(dropout_net(), x), "differs"),
            (lambda model, x: model.eval().requires_grad_(False)(x), "cannot be trained"),
            (lambda model, x: None, "None"),
        ],
    )
    def test_refuses_what_is_no_prediction(self, predict, message):
        """Each slip is named, under 20 seeds."""
        for seed in range(20):
            torch.manual_seed(seed)
            with pytest.raises(CheckFailed, match=message):
                check_prediction(predict, dropout_net(), np.random.default_rng(seed))

    def test_refuses_parameters_that_change(self):
        """A prediction is no training step."""

        def predict(model, x):
            y = honest(model, x)
            model[0].bias.data += 1e-6
            return y

        with pytest.raises(CheckFailed, match="changes the parameters"):
            check_prediction(predict, dropout_net(), np.random.default_rng(0))


class Curve(nn.Module):
    """Predicts scale * sin(2 x) + shift, with noise in train mode."""

    def __init__(self, scale=1.0, shift=0.0):
        super().__init__()
        self.scale, self.shift, self.dropout = scale, shift, nn.Dropout(0.5)

    def forward(self, x):
        return self.dropout(self.scale * torch.sin(2 * x) + self.shift)


class TestFit:
    x = np.linspace(-3, 3, 50)
    t = np.sin(2 * x)

    def test_is_judged_in_eval_mode(self):
        """A model left in train mode is not blamed for its dropout."""
        check_fit(Curve().train(), self.x, self.t, bound=1e-6)

    def test_tells_the_error_and_the_bound(self):
        """The bound is no secret, and the error tells how far there is to go."""
        with pytest.raises(CheckFailed, match=r"0\.25, not below 0\.2: it has learnt part"):
            check_fit(Curve(shift=0.5), self.x, self.t, bound=0.2)

    def test_recognizes_a_straight_line(self):
        """A model without the curve is told so."""
        with pytest.raises(CheckFailed, match="straight line"):
            check_fit(Curve(scale=0.0), self.x, self.t, bound=0.2)

    def test_refuses_flat_predictions(self):
        """(N,) for (N, 1) fails and says so."""
        with pytest.raises(CheckFailed, match=r"shape \(50,\)"):
            check_fit(nn.Flatten(0), self.x, self.t, bound=0.2)
