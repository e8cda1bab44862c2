"""Checks of a student's torch module: its shapes, its parameters, its nonlinearity.

A module is reached by its public methods alone: it is called with tensors, switched with
``train`` and ``eval``, and its parameters are read by ``named_parameters`` and written by
``load_state_dict``. So it may as well live in another process, where its tensors arrive as
copies: no check here changes a tensor in place and hopes that the module notices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from fairmark.isolation.reach import invoke, items

from .failure import CheckFailed
from .values import read_array

ROWS = (1, 6, 33)  # batch sizes to try: a single row, a few, more than one mini-batch
SPAN = 3.0  # inputs are drawn from [-SPAN, SPAN]
SAME = 1e-4  # two float32 results that differ by less, relative to their size, are the same
BENT = 1e-3  # an affine function in float32 leaves a residual far below this share of its span


def random_rows(rng: np.random.Generator, rows: int, features: int = 1) -> torch.Tensor:
    """Float32 inputs of shape (rows, features), uniform over [-SPAN, SPAN]."""
    return torch.tensor(rng.uniform(-SPAN, SPAN, (rows, features)), dtype=torch.float32)


def parameters_of(module: Any) -> dict[str, np.ndarray]:
    """Copies of the registered parameters of ``module`` by name, as float64 arrays."""
    return {name: read_array(name, value) for name, value in named_parameters(module)}


def named_parameters(module: Any) -> list[tuple[str, Any]]:
    """The registered parameters of ``module`` with their names."""
    return items(invoke(module, "named_parameters"))


def count_parameters(module: Any) -> int:
    """How many numbers the registered parameters of ``module`` hold."""
    return sum(value.size for value in parameters_of(module).values())


def load_parameters(module: Any, values: dict[str, np.ndarray]) -> None:
    """Write ``values`` into the parameters of ``module``; its buffers stay."""
    state = {name: torch.tensor(value, dtype=torch.float32) for name, value in values.items()}
    invoke(module, "load_state_dict", state, strict=False)


def call(name: str, module: Any, x: torch.Tensor, out_features: int = 1) -> torch.Tensor:
    """``module(x)`` for a copy of ``x`` of shape (N, in), checked for form.

    Raises :class:`CheckFailed` unless the result is a finite floating-point tensor of shape
    (N, out_features) and the copy still equals ``x``.
    """
    given = x.clone()
    y = module(given)
    what = f"{name}(x) for x of shape {tuple(x.shape)}"
    if not hasattr(y, "requires_grad"):
        raise CheckFailed(f"{what} is no tensor; forward must return one.")
    read_array(what, y, (len(x), out_features))
    if not y.dtype.is_floating_point:
        raise CheckFailed(f"{what} has dtype {y.dtype}; a floating-point tensor is wanted.")
    if not torch.equal(given, x):
        raise CheckFailed(f"{name}(x) changes x in place; the caller's tensor must stay as it was.")
    return y


def check_maps_rows(name: str, module: Any, rng: np.random.Generator) -> None:
    """``module`` maps (N, 1) to (N, 1) for any N, row by row, and a call leaves it unchanged."""
    module.eval()
    for rows in ROWS:
        call(name, module, random_rows(rng, rows))
    before = parameters_of(module)
    x = random_rows(rng, 7)
    first, second = (read_array(name, call(name, module, x)) for _ in range(2))
    if not _same(first, second):
        raise CheckFailed(
            f"Two calls of {name} in eval mode with the same x differ: are layers or random "
            "numbers created in forward? Create the layers once, in __init__."
        )
    alone = np.vstack([read_array(name, call(name, module, row)) for row in x.split(1)])
    if not _same(first, alone):
        raise CheckFailed(
            f"What {name} predicts for one row depends on the other rows of the batch; "
            "each prediction may depend on its own input only."
        )
    after = parameters_of(module)
    if any(not np.array_equal(value, after.get(key)) for key, value in before.items()):
        raise CheckFailed(f"Calling {name} changes its parameters; only training may do that.")


def check_trainable(name: str, module: Any, rng: np.random.Generator) -> None:
    """``module`` has trainable parameters, all registered, and gradients reach each part.

    Which part a gradient reaches is seen from the output's ``requires_grad`` when the parameters
    of that part alone are trainable. Afterwards all parameters are trainable, frozen ones too: pass
    a module made for this.
    """
    module.train()
    x = random_rows(rng, 6)
    y = call(name, module, x)
    trainable = [key for key, value in named_parameters(module) if value.requires_grad]
    if not trainable:
        raise CheckFailed(
            f"{name} has no trainable parameters: model.parameters() finds layers and "
            "nn.Parameter only where they are attributes of the module (self.hidden = ...), "
            "not in a plain list, and only those with requires_grad."
        )
    if not y.requires_grad:
        raise CheckFailed(
            f"The output of {name} is cut off from its parameters, so no gradient can flow back: "
            "is there a detach(), .data, .numpy() or no_grad() in forward?"
        )
    module.requires_grad_(False)
    if call(name, module, x).requires_grad:
        raise CheckFailed(
            f"{name} uses layers or parameters that model.parameters() does not hold, so an "
            "optimizer never updates them. Make them attributes in __init__; several layers go "
            "into nn.Sequential or nn.ModuleList, not into a plain list."
        )
    for part in sorted({key.rpartition(".")[0] for key in trainable}):
        _check_gradient_reaches(name, module, part, x)
    module.requires_grad_(True)


def _check_gradient_reaches(name: str, module: Any, part: str, x: torch.Tensor) -> None:
    owner = module.get_submodule(part)
    owner.requires_grad_(True)
    if not call(name, module, x).requires_grad:
        raise CheckFailed(
            f"No gradient reaches the parameters of {name}.{part or 'parameters()'}: "
            "is that layer left out of forward, or cut off by a detach() or no_grad()?"
        )
    owner.requires_grad_(False)


def check_not_affine(name: str, module: Any, rng: np.random.Generator) -> None:
    """``module``, from one feature to one, is no affine function of x.

    It is judged at shifted parameters, so that a careful initialization (an output layer that
    starts at zero, say) does not count against it. The shifted parameters stay in ``module``.
    """
    module.eval()
    start = parameters_of(module)
    x = torch.linspace(-SPAN, SPAN, 61).reshape(-1, 1)
    affine = np.hstack([x.numpy().astype(float), np.ones((len(x), 1))])
    for scale in (0.5, 0.2, 1.0, 0.5, 0.5):
        shifted = {k: v + scale * rng.standard_normal(v.shape) for k, v in start.items()}
        load_parameters(module, shifted)
        y = read_array(name, call(name, module, x))
        span = np.ptp(y)
        if span <= BENT * np.abs(y).max():
            continue  # constant at these parameters, for example a dead ReLU unit
        line = affine @ np.linalg.lstsq(affine, y, rcond=None)[0]
        if np.abs(y - line).max() > BENT * span:
            return
    raise CheckFailed(
        f"{name} computes a straight line (or a constant) whatever its parameters are: "
        "linear layers in a row stay linear. Put a nonlinear function between them."
    )


def check_instances(name: str, make: Callable[..., Any], rng: np.random.Generator) -> None:
    """Two modules made by ``make()`` share no parameters."""
    changed, other = make(), make()
    other.eval()
    x = random_rows(rng, 5)
    before = read_array(name, call(name, other, x))
    values = parameters_of(changed)
    load_parameters(changed, {k: v + 1 + rng.random(v.shape) for k, v in values.items()})
    if not _same(before, read_array(name, call(name, other, x))):
        raise CheckFailed(
            f"Two models made by {name}() share their parameters; "
            "each model must create its own layers in __init__."
        )


def check_width(name: str, make: Callable[..., Any], narrow: int = 5, wide: int = 23) -> None:
    """``make(hidden_features)`` gives a module that grows with it, by position or by keyword."""
    few, many = count_parameters(make(narrow)), count_parameters(make(hidden_features=wide))
    if not few < many:
        raise CheckFailed(
            f"{name}({narrow}) has {few} parameters and {name}(hidden_features={wide}) has "
            f"{many}: hidden_features must set the width of the hidden layer."
        )


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() <= SAME * (1 + np.abs(one).max()))
