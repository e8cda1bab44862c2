"""The oracles agree with PyTorch and with each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fairmark.checks import oracles


@pytest.fixture
def network():
    rng = np.random.default_rng(3)
    shapes = {"x": (6, 4), "W1": (5, 4), "b1": (5,), "W2": (3, 5), "b2": (3,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.fixture
def target():
    return np.random.default_rng(4).normal(size=(6, 3))


def _torch_mlp(x, W1, b1, W2, b2):
    hidden = torch.tanh(torch.nn.functional.linear(x, W1, b1))
    return torch.nn.functional.linear(hidden, W2, b2)


def test_forward_formulas_agree_with_torch(network, target):
    """Linear, tanh and MSE written as sums are what PyTorch computes."""
    y = _torch_mlp(*(torch.tensor(value) for value in network.values()))
    assert np.allclose(oracles.mlp(**network), y.numpy())
    wanted = torch.nn.functional.mse_loss(y, torch.tensor(target)).item()
    assert oracles.mse(y.numpy(), target) == pytest.approx(wanted)


@pytest.mark.parametrize("of", ["x", "W1", "b1", "W2", "b2"])
def test_numerical_gradient_agrees_with_autograd(network, target, of):
    """Central differences of the network match autograd far within the tolerance of the checks."""
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in network.items()}
    _torch_mlp(**tensors).backward(torch.tensor(target))
    wanted = tensors[of].grad.numpy()
    got = oracles.gradient(oracles.mlp, network, of, target)
    assert np.max(np.abs(got - wanted)) < 1e-8 * np.max(np.abs(wanted))


def test_central_differences_leave_their_argument_alone():
    """The array at which a gradient is taken keeps its values."""
    at = np.array([1.0, -2.0])
    gradient = oracles.central_differences(lambda v: v @ v, at)
    assert np.allclose(gradient, [2.0, -4.0])
    assert at.tolist() == [1.0, -2.0]


def test_step_of_the_network_is_against_the_numerical_gradient(network, target):
    """One step moves each parameter by lr times the central differences of the loss."""
    x = network.pop("x")
    after = oracles.mlp_step(x, target, network, lr=0.25)
    for name, value in network.items():

        def loss(array, name=name):
            return oracles.mse(oracles.mlp(x, **{**network, name: array}), target)

        wanted = value - 0.25 * oracles.central_differences(loss, value)
        assert np.allclose(after[name], wanted, atol=1e-8)
