"""Formulas that the checks compare with: written as sums, differentiated numerically.

None of them is written the way a solution is (matrix products, backward passes by the chain
rule), so that a mistake cannot hide in both. Everything is float64 NumPy; batches are rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


def linear(x: Any, W: Any, b: Any) -> np.ndarray:
    """x (N, D_in), W (D_out, D_in), b (D_out,) -> (N, D_out)."""
    return np.einsum("ni,oi->no", x, W) + b


def tanh(x: Any) -> np.ndarray:
    """x of any shape -> the same shape, through the exponential function."""
    return 1 - 2 / (np.exp(2 * np.asarray(x)) + 1)


def mse(y: Any, t: Any) -> np.ndarray:
    """y and t of one shape -> the mean of the squared differences, shape ()."""
    pairs = list(zip(np.ravel(y), np.ravel(t), strict=True))
    return np.asarray(sum((a - b) ** 2 for a, b in pairs) / len(pairs))


def mlp(x: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> np.ndarray:
    """Linear, tanh, Linear: x (N, D_in) -> (N, D_out)."""
    return linear(tanh(linear(x, W1, b1)), W2, b2)


def mlp_step(x: Any, t: Any, parameters: Arrays, lr: float) -> dict[str, np.ndarray]:
    """The parameters of :func:`mlp` after one step of gradient descent on the MSE of (x, t)."""
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    z = tanh(linear(x, W1, b1))
    dL_dy = 2 * (linear(z, W2, b2) - t) / np.size(t)
    dL_da = np.einsum("nk,kh,nh->nh", dL_dy, W2, 1 - z**2)
    gradients = {
        "W1": np.einsum("nh,ni->hi", dL_da, x),
        "b1": np.einsum("nh->h", dL_da),
        "W2": np.einsum("nk,nh->kh", dL_dy, z),
        "b2": np.einsum("nk->k", dL_dy),
    }
    return {name: parameters[name] - lr * gradients[name] for name in gradients}


def central_differences(
    function: Callable[[np.ndarray], Any], at: Any, step: float = 1e-5
) -> np.ndarray:
    """The gradient of the scalar ``function`` at the array ``at``, with the shape of ``at``."""
    at = np.array(at, dtype=np.float64)
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        at[index] = kept + step
        above = float(function(at))
        at[index] = kept - step
        below = float(function(at))
        at[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def gradient(forward: Callable[..., Any], values: Arrays, of: str, dL_dout: Any) -> np.ndarray:
    """The gradient of L = sum(dL_dout * forward(**values)) with respect to ``values[of]``."""
    rest = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}

    def loss(array: np.ndarray) -> float:
        return np.sum(dL_dout * forward(**{**rest, of: array}))

    return central_differences(loss, rest[of])
