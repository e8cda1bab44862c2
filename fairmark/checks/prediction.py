"""Checks of predictions: made in eval mode without a graph, and close to held-out data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .failure import CheckFailed
from .modules import load_parameters, named_parameters, parameters_of, random_rows
from .values import read_array


def check_prediction(
    predict: Callable[..., Any], model: Any, rng: np.random.Generator, name: str = "predict"
) -> None:
    """``predict(model, x)`` is the output (N, 1) of ``model`` in eval mode, without a graph.

    ``model`` maps (N, 1) to (N, 1) and holds dropout, so that the modes differ. It is in train
    mode before each call; which mode it is left in, is up to ``predict``.
    """
    load_parameters(model, {k: rng.normal(0, 2, v.shape) for k, v in parameters_of(model).items()})
    before = parameters_of(model)
    for rows in (1, 9, 40):
        x = random_rows(rng, rows)
        model.train()
        given = x.clone()
        y = predict(model, given)
        what = f"{name}(model, x) for x of shape {tuple(x.shape)}"
        got = read_array(what, y, (rows, 1))
        if getattr(y, "requires_grad", False):
            raise CheckFailed(
                f"{what} still carries a graph (requires_grad is True): run the model under "
                "torch.no_grad() or torch.inference_mode()."
            )
        if not torch.equal(given, x):
            raise CheckFailed(f"{name}(model, x) changes x in place.")
        model.eval()
        _compare(what, got, read_array(what, model(x)))
    _check_model_is_untouched(name, model, before)


def _compare(what: str, got: np.ndarray, own: np.ndarray) -> None:
    if not np.allclose(got, own, rtol=1e-4, atol=1e-4):
        raise CheckFailed(
            f"{what} differs from the output of that model in eval mode by up to "
            f"{np.abs(got - own).max():.2g}: call model.eval() first, so that dropout is off, and "
            "return what the given model computes for x."
        )


def _check_model_is_untouched(name: str, model: Any, before: dict[str, np.ndarray]) -> None:
    after = parameters_of(model)
    if any(not np.array_equal(value, after.get(key)) for key, value in before.items()):
        raise CheckFailed(f"{name} changes the parameters of the model.")
    if not all(value.requires_grad for _, value in named_parameters(model)):
        raise CheckFailed(
            f"{name} leaves parameters with requires_grad False, so the model cannot be trained "
            "any more; switch gradients off for the call only, with torch.no_grad()."
        )


def check_fit(model: Any, x: np.ndarray, t: np.ndarray, bound: float, name: str = "model") -> None:
    """The MSE of ``model`` in eval mode on inputs ``x`` (N,) and targets ``t`` (N,) is below
    ``bound``.
    """
    model.eval()
    inputs = torch.tensor(x, dtype=torch.float32).reshape(-1, 1)
    y = read_array(f"{name}(x)", model(inputs), (len(x), 1))
    error = float(np.mean((y[:, 0] - t) ** 2))
    if error < bound:
        return
    line = float(np.mean((np.polyval(np.polyfit(x, t, 1), x) - t) ** 2))
    hint = (
        "a straight line does as well, so the model has not learnt the curve"
        if error > 0.9 * line
        else "it has learnt part of the curve; more epochs or another lr may do"
    )
    raise CheckFailed(
        f"The MSE of {name} on the test set is {error:.3g}, not below {bound}: {hint}."
    )
