"""Checks of the mean squared error as a class with ``forward(y, t)`` and ``backward()``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from fairmark.isolation.reach import invoke

from . import oracles
from .compare import attempt, compare, draw, unchanged

SEED = 30
# (batch, outputs, dtype); the last but one is the shape of most regressions.
SIZES = ((5, 3, np.float64), (2, 4, np.float32), (6, 1, np.float64), (1, 2, np.float64))

Pair = tuple[np.ndarray, np.ndarray]

TIMES = (
    ("a missing factor 2", 0.5),
    ("the sign being wrong", -1.0),
    ("the sign being wrong and a missing factor 2", -0.5),
)


def check_mse_forward(make: Callable[[], Any]) -> None:
    """Check ``MSELoss().forward(y, t)``: one number, the mean over all elements."""
    loss_fn = attempt("MSELoss()", make)
    for y, t in _pairs(SEED):
        given = y.copy(), t.copy()
        name = f"MSELoss.forward(y, t) for y and t of shape {y.shape}"
        got = attempt(name, invoke, loss_fn, "forward", *given)
        unchanged("The argument y of MSELoss.forward", y, given[0])
        unchanged("The argument t of MSELoss.forward", t, given[1])
        compare(name, got, oracles.mse(y, t), _loss_mistakes(y, t))


def check_mse_backward(make: Callable[[], Any]) -> None:
    """Check ``backward()``: dL/dy of the last ``forward``, with the shape of y.

    Central differences are the oracle: after one pass, after a second ``backward``, and where
    another loss was evaluated in between.
    """
    first, other = attempt("MSELoss()", make), attempt("MSELoss()", make)
    for pair, another in zip(_pairs(SEED + 1), _pairs(SEED + 2), strict=True):
        _forward(first, pair)
        _check_gradient(first, pair, "")
        _check_gradient(first, pair, " (second call of backward)")
        _forward(first, pair)
        _forward(other, another)
        _check_gradient(first, pair, " (another MSELoss ran forward in between)")


def _pairs(seed: int) -> list[Pair]:
    rng = np.random.default_rng(seed)
    return [(draw(rng, (n, k), kind), draw(rng, (n, k), kind)) for n, k, kind in SIZES]


def _forward(loss_fn: Any, pair: Pair) -> None:
    # A wrong value has its own test: here only what backward makes of y and t counts.
    with contextlib.suppress(Exception):
        invoke(loss_fn, "forward", pair[0].copy(), pair[1].copy())


def _check_gradient(loss_fn: Any, pair: Pair, when: str) -> None:
    y, t = (array.astype(np.float64) for array in pair)
    name = f"dL_dy, returned by MSELoss.backward(){when},"
    got = attempt(f"MSELoss.backward(){when}", invoke, loss_fn, "backward")
    wanted = oracles.central_differences(lambda at: oracles.mse(at, t), y)
    compare(name, got, wanted, _gradient_mistakes(wanted))


def _loss_mistakes(y: np.ndarray, t: np.ndarray) -> list[tuple[str, Any]]:
    squares = (y.astype(np.float64) - t) ** 2
    return [
        ("the sum over all elements instead of the mean", squares.sum()),
        ("half of the mean", squares.mean() / 2),
        ("the mean over the batch only: divide by the number of elements", squares.sum() / len(y)),
        ("the squared differences without the mean", squares),
        ("one loss per sample; the mean over all elements is one number", squares.mean(axis=1)),
        ("one loss per output; the mean over all elements is one number", squares.mean(axis=0)),
        ("the root of the mean", np.sqrt(squares.mean())),
        ("the mean of the absolute differences", np.abs(y - t).mean()),
        ("all differences of y and t (N, N) instead of the pairs", _all_pairs(y, t)),
    ]


def _all_pairs(y: np.ndarray, t: np.ndarray) -> Any:
    return np.mean((y - t.ravel()) ** 2) if y.shape[1] == 1 else np.nan


def _gradient_mistakes(wanted: np.ndarray) -> list[tuple[str, Any]]:
    batch, outputs = wanted.shape
    scaled = [(words, factor * wanted) for words, factor in TIMES]
    return [
        *scaled,
        ("the sum instead of the mean: divide by the number of elements", batch * outputs * wanted),
        ("a division by the batch only, not by the number of elements", outputs * wanted),
        ("a division by the outputs only, not by the number of elements", batch * wanted),
        ("a missing factor 2 and no division", batch * outputs * wanted / 2),
    ]
