"""Checks of torch modules: what honest modules may do, and what each check refuses."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from fairmark.checks import CheckFailed, modules


class Net(nn.Module):
    """A small honest network whose steps can be replaced."""

    def __init__(self, hidden_features=6):
        super().__init__()
        self.hidden = nn.Linear(1, hidden_features)
        self.output = nn.Linear(hidden_features, 1)

    def inner(self, x):
        return torch.tanh(self.hidden(x))

    def forward(self, x):
        return self.output(self.inner(x))


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def changed(**methods) -> nn.Module:
    """A Net with other methods."""
    return type("Changed", (Net,), methods)()


def test_checks_do_not_import_torch():
    """A notebook without torch pays nothing for these checks."""
    code = "import fairmark.checks, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestCall:
    @pytest.mark.parametrize(
        ("forward", "message"),
        [
            (lambda self, x: x[:, 0], r"shape \(4,\)"),
            (lambda self, x: x.T, r"shape \(1, 4\)"),
            (lambda self, x: x.numpy(), "no tensor"),
            (lambda self, x: None, "no tensor"),
            (lambda self, x: x.long(), "dtype torch.int64"),
            (lambda self, x: x / 0, "not finite"),
            (lambda self, x: x.add_(1) * 1, "in place"),
        ],
    )
    def test_refuses_a_wrong_form(self, forward, message):
        """Shape, type and finite values are named in the message."""
        with pytest.raises(CheckFailed, match=message):
            modules.call("Net", changed(forward=forward), torch.ones(4, 1))

    def test_returns_the_output_as_it_is(self):
        """The output keeps its graph and its dtype."""
        y = modules.call("Net", Net().double(), torch.ones(4, 1, dtype=torch.float64))
        assert y.requires_grad
        assert y.dtype == torch.float64


class TestMapsRows:
    @pytest.mark.parametrize(
        "module",
        [
            Net(),
            nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)),
            nn.Sequential(nn.Linear(1, 4), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 1)),
        ],
    )
    def test_accepts_layers_that_know_their_mode(self, module, rng):
        """Dropout and batch norm are judged in eval mode."""
        modules.check_maps_rows("Net", module, rng)

    @pytest.mark.parametrize(
        ("forward", "message"),
        [
            (lambda self, x: Net.forward(self, x.view(33, 1)), "invalid for input of size"),
            (lambda self, x: Net.forward(self, x) + torch.rand(1), "Two calls"),
            (lambda self, x: Net.forward(self, x - x.mean()), "other rows"),
            (lambda self, x: Net.forward(self, x).cumsum(0), "other rows"),
        ],
    )
    def test_refuses_what_is_no_function_of_the_row(self, forward, message, rng):
        """A prediction is the same in any batch and at any time."""
        with pytest.raises((CheckFailed, RuntimeError), match=message):
            modules.check_maps_rows("Net", changed(forward=forward), rng)

    def test_refuses_parameters_that_change(self, rng):
        """A call is no training step."""

        def forward(self, x):
            self.hidden.bias.data += 1e-7
            return Net.forward(self, x)

        with pytest.raises(CheckFailed, match="changes its parameters"):
            modules.check_maps_rows("Net", changed(forward=forward), rng)


class TestTrainable:
    def test_accepts_frozen_layers_and_bare_parameters(self, rng):
        """Not every parameter must be trainable, nor sit in a layer."""
        frozen, bare = Net(), Net()
        frozen.hidden.requires_grad_(False)
        bare.shift = nn.Parameter(torch.zeros(1))
        modules.check_trainable("Net", frozen, rng)
        modules.check_trainable("Net", bare, rng)

    def test_refuses_a_module_without_trainable_parameters(self, rng):
        """All frozen is as good as none."""
        with pytest.raises(CheckFailed, match="no trainable parameters"):
            modules.check_trainable("Net", Net().requires_grad_(False), rng)

    def test_refuses_an_output_without_graph(self, rng):
        """A detached output teaches nothing."""
        module = changed(forward=lambda self, x: Net.forward(self, x).detach())
        with pytest.raises(CheckFailed, match="cut off"):
            modules.check_trainable("Net", module, rng)

    def test_refuses_a_layer_that_is_not_registered(self, rng):
        """A plain list hides its layers from the optimizer."""
        module = changed(inner=lambda self, x: Net.inner(self, x) + self.more[0](x))
        module.more = [nn.Linear(1, 6)]
        with pytest.raises(CheckFailed, match="does not hold"):
            modules.check_trainable("Net", module, rng)

    def test_names_the_layer_that_no_gradient_reaches(self, rng):
        """The message says which one: here the hidden layer is detached."""
        module = changed(inner=lambda self, x: Net.inner(self, x).detach())
        with pytest.raises(CheckFailed, match=r"Net\.hidden"):
            modules.check_trainable("Net", module, rng)


class TestNotAffine:
    @pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.GELU])
    def test_accepts_every_activation(self, activation):
        """For 20 seeds each, a hidden layer with an activation is seen as bent."""
        for seed in range(20):
            module = nn.Sequential(nn.Linear(1, 5), activation(), nn.Linear(5, 1))
            modules.check_not_affine("Net", module, np.random.default_rng(seed))

    def test_accepts_an_output_layer_that_starts_at_zero(self, rng):
        """The first output says nothing about what the module can learn."""
        module = Net()
        nn.init.zeros_(module.output.weight)
        modules.check_not_affine("Net", module, rng)

    @pytest.mark.parametrize("depth", [1, 2, 6])
    def test_refuses_linear_layers_in_a_row(self, depth, rng):
        """However many they are."""
        widths = [1, *[8] * (depth - 1), 1]
        module = nn.Sequential(*(nn.Linear(*pair) for pair in pairwise(widths)))
        with pytest.raises(CheckFailed, match="straight line"):
            modules.check_not_affine("Net", module, rng)

    def test_refuses_a_constant(self, rng):
        """An output that ignores x is affine as well."""
        module = changed(forward=lambda self, x: Net.forward(self, 0 * x))
        with pytest.raises(CheckFailed, match="constant"):
            modules.check_not_affine("Net", module, rng)


class TestInstances:
    def test_accepts_equal_starts(self, rng):
        """A constructor that sets a seed makes equal models, but two of them."""

        def make():
            torch.manual_seed(1)
            return Net()

        modules.check_instances("Net", make, rng)

    def test_refuses_shared_layers(self, rng):
        """One layer in two models is trained twice."""
        shared = nn.Linear(1, 6)

        def make():
            module = Net()
            module.hidden = shared
            return module

        with pytest.raises(CheckFailed, match="share"):
            modules.check_instances("Net", make, rng)


class TestWidth:
    def test_accepts_a_width_that_counts(self):
        """By position and by keyword."""
        modules.check_width("Net", Net)

    def test_refuses_a_width_that_is_ignored(self):
        """The message gives both counts."""
        with pytest.raises(CheckFailed, match="19 parameters"):
            modules.check_width("Net", lambda hidden_features: Net())
