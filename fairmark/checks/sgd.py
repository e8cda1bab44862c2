"""Check of one step of gradient descent on an MLP with the attributes linear1 and linear2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .compare import attempt, compare, draw, set_attributes, unchanged
from .mlp import PLACES, build, place, read_parameters, sample_parameters

SEED = 60
RATES = (0.5, 0.125)


def check_sgd_step(sgd_step: Callable[..., Any], make_mlp: Callable[..., Any]) -> None:
    """Check ``sgd_step(model, lr)``: theta <- theta - lr * dL_dtheta for all four parameters.

    Parameters and gradients are put in place beforehand: no forward or backward is run.
    """
    rng = np.random.default_rng(SEED)
    for dtype, lr in zip((np.float64, np.float32), RATES, strict=True):
        before = {k: v.astype(dtype) for k, v in sample_parameters(rng, 3, 4, 2).items()}
        gradients = {k: draw(rng, v.shape, dtype) for k, v in before.items()}
        model = build(make_mlp, before)
        given = {place(name, "dL_d"): gradients[name].copy() for name in PLACES}
        set_attributes("MLP", model, given)
        for _ in range(2):  # the second step starts where the first one ended
            attempt("sgd_step(model, lr)", sgd_step, model, lr)
            after, kept = read_parameters(model), read_parameters(model, "dL_d")
            for name in PLACES:
                start, step = before[name], gradients[name]
                mistakes = _step_mistakes(start, step, lr)
                label = f"{place(name)} after sgd_step(model, lr)"
                compare(label, after[name], start - lr * step, mistakes)
                unchanged(place(name, "dL_d"), step, kept[name])
            before = after


def _step_mistakes(start: np.ndarray, step: np.ndarray, lr: float) -> Iterator[tuple[str, Any]]:
    yield "no update of this parameter", start
    yield "a step up the gradient: the sign is wrong", start + lr * step
    yield "a step without the learning rate", start - step
    yield "two steps in place of one", start - 2 * lr * step
    yield "the step alone, not the parameter after it", -lr * step
