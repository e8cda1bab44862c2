"""Checks of an MLP with the attributes linear1, tanh, linear2.

Forward and backward pass where they agree with the formula of the network, or with the student's
own layers called in the right order: a mistake in a layer costs the points of that layer only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fairmark.isolation.reach import invoke

from . import oracles
from .compare import (
    Mistakes,
    attempt,
    attribute,
    attributes,
    close,
    compare,
    draw,
    set_attributes,
    unchanged,
)
from .failure import CheckFailed
from .values import read_array

SEED = 40
# (batch, inputs, hidden, outputs, dtype)
SIZES = ((6, 3, 5, 2, np.float64), (7, 2, 4, 1, np.float32))
LAYERS = ("linear1", "tanh", "linear2")
PLACES = {"W1": "linear1.{}W", "b1": "linear1.{}b", "W2": "linear2.{}W", "b2": "linear2.{}b"}
RETURNED = "dL_dx, returned by MLP.backward(dL_dy),"

Values = dict[str, np.ndarray]
Way = Callable[[Any, np.ndarray, np.ndarray], Any]  # (model, x, dL_dy) -> dL_dx


def sample_parameters(rng: np.random.Generator, inputs: int, hidden: int, outputs: int) -> Values:
    """Random W1, b1, W2, b2 of a network with these sizes."""
    shapes = {"W1": (hidden, inputs), "b1": (hidden,), "W2": (outputs, hidden), "b2": (outputs,)}
    return {name: draw(rng, shape) for name, shape in shapes.items()}


def build(make: Callable[..., Any], parameters: Mapping[str, np.ndarray]) -> Any:
    """The student's network of the right sizes, with copies of ``parameters`` in its layers."""
    hidden, inputs = parameters["W1"].shape
    sizes = (inputs, hidden, len(parameters["b2"]))
    model = attempt(f"MLP{sizes}", make, *sizes)
    set_attributes("MLP", model, {place(name): parameters[name].copy() for name in PLACES})
    return model


def place(name: str, prefix: str = "") -> str:
    """The path from a network to one of its parameters, or with ``dL_d`` to its gradient."""
    return PLACES[name].format(prefix)


def read_parameters(model: Any, prefix: str = "") -> Values:
    """W1, b1, W2, b2 of the student's network, or their gradients with the prefix ``dL_d``."""
    paths = {name: place(name, prefix) for name in PLACES}
    found = zip(paths.items(), attributes("MLP", model, *paths.values()), strict=True)
    return {name: read_array(path, value) for (name, path), value in found}


def check_mlp_forward(make: Callable[..., Any]) -> None:
    """Check ``MLP.forward(x)``: Linear, Tanh, Linear of the right sizes, called in this order."""
    for case in _cases(SEED):
        _check_sizes(make, case)
        _check_forward(make, case)


def check_mlp_backward(make: Callable[..., Any]) -> None:
    """Check what ``MLP.backward(dL_dy)`` returns and leaves in the two Linear layers."""
    for case in _cases(SEED + 1):
        exact = _exact_gradients(case)
        try:
            _agree(_gradients(make, case.parameters, case.first, _network), exact, case)
        except CheckFailed:
            own = _own_gradients(make, case)
            ways = [_network] if _forward_is_right(make, case) else [_network, _network_primed]
            if not any(_follows(make, case, way, exact, own) for way in ways):
                raise


class _Case:
    """A network's parameters, and two pairs of an input and an upstream gradient."""

    def __init__(self, rng: np.random.Generator, sizes: list[int], dtype: Any) -> None:
        batch, inputs, hidden, outputs = sizes
        drawn = sample_parameters(rng, inputs, hidden, outputs)
        self.parameters = {name: value.astype(dtype) for name, value in drawn.items()}
        self.first, self.other = (
            (draw(rng, (batch, inputs), dtype), draw(rng, (batch, outputs), dtype))
            for _ in range(2)
        )

    @property
    def values(self) -> Values:
        """The arguments of the oracle."""
        return {"x": self.first[0], **self.parameters}


def _cases(seed: int) -> list[_Case]:
    rng = np.random.default_rng(seed)
    return [_Case(rng, sizes, dtype) for *sizes, dtype in SIZES]


def _check_sizes(make: Callable[..., Any], case: _Case) -> None:
    hidden, inputs = case.parameters["W1"].shape
    sizes = (inputs, hidden, len(case.parameters["b2"]))
    model = attempt(f"MLP{sizes}", make, *sizes)
    found = attributes("MLP", model, *map(place, PLACES))
    for name, value in zip(PLACES, found, strict=True):
        read_array(f"{place(name)} of MLP{sizes}", value, case.parameters[name].shape)


def _check_forward(make: Callable[..., Any], case: _Case) -> None:
    x = case.first[0].copy()
    name = f"MLP.forward(x) for x of shape {x.shape}"
    out = attempt(name, invoke, build(make, case.parameters), "forward", x)
    try:
        advice = "It does not follow from your own layers linear1, tanh, linear2 either."
        compare(name, out, oracles.mlp(**case.values), _forward_mistakes(case), advice)
        unchanged("The input x of MLP.forward", case.first[0], x)
    except CheckFailed:
        own = _own_forward(make, case)
        if own is None or not close(read_array(name, out), own[0]) or np.any(own[1] != x):
            raise


def _forward_is_right(make: Callable[..., Any], case: _Case) -> bool:
    try:
        _check_forward(make, case)
    except CheckFailed:
        return False
    return True


def _forward_mistakes(case: _Case) -> Mistakes:
    v = case.values
    a = oracles.linear(v["x"], v["W1"], v["b1"])
    yield "tanh left out between the layers", oracles.linear(a, v["W2"], v["b2"])
    yield "a tanh after the output layer, which is linear", np.tanh(oracles.mlp(**v))
    yield "the hidden layer, without linear2", np.tanh(a)


def _through_layers(model: Any, x: np.ndarray) -> Any:
    # Each layer gets a copy of what the last one returned, as if the layers were apart.
    for name in LAYERS:
        layer = attribute("MLP", model, name)
        x = read_array(f"{name}.forward", attempt(f"{name}.forward", invoke, layer, "forward", x))
    return x


def _layers(model: Any, x: np.ndarray, dL_dy: np.ndarray) -> Any:
    """The student's own layers, called one by one."""
    _through_layers(model, x)
    for name in reversed(LAYERS):
        layer, call = attribute("MLP", model, name), f"{name}.backward"
        dL_dy = read_array(call, attempt(call, invoke, layer, "backward", dL_dy))
    return dL_dy


def _network(model: Any, x: np.ndarray, dL_dy: np.ndarray) -> Any:
    """The student's own forward and backward of the network."""
    attempt("MLP.forward(x)", invoke, model, "forward", x)
    return attempt("MLP.backward(dL_dy)", invoke, model, "backward", dL_dy)


def _network_primed(model: Any, x: np.ndarray, dL_dy: np.ndarray) -> Any:
    """The student's backward after a forward pass through the layers, for a wrong forward."""
    with contextlib.suppress(CheckFailed):
        attempt("MLP.forward(x)", invoke, model, "forward", x.copy())
    _through_layers(model, x)
    return attempt("MLP.backward(dL_dy)", invoke, model, "backward", dL_dy)


def _own_forward(make: Callable[..., Any], case: _Case) -> tuple[np.ndarray, np.ndarray] | None:
    """What the student's layers give, and x afterwards; None where that proves nothing."""
    x = case.first[0].copy()
    try:
        own = read_array("own", _through_layers(build(make, case.parameters), x))
        other = _through_layers(build(make, case.parameters), case.other[0].copy())
        other = read_array("other", other)
    except CheckFailed:
        return None
    return None if not own.any() or close(own, other) else (own, x)


def _gradients(
    make: Callable[..., Any], parameters: Values, pair: tuple[np.ndarray, np.ndarray], way: Way
) -> Values:
    """dL_dx and the gradients of the parameters after one pass through a new network."""
    model = build(make, parameters)
    returned = way(model, *(array.copy() for array in pair))
    return {"x": read_array(RETURNED, returned), **read_parameters(model, "dL_d")}


def _own_gradients(make: Callable[..., Any], case: _Case) -> Values | None:
    """What the student's layers give one by one; None where that proves nothing."""
    try:
        own = _gradients(make, case.parameters, case.first, _layers)
        other = _gradients(make, case.parameters, case.other, _layers)
    except CheckFailed:
        return None
    trivial = any(not own[name].any() or close(own[name], other[name]) for name in own)
    return None if trivial else own


def _exact_gradients(case: _Case) -> Values:
    values = case.values
    return {name: oracles.gradient(oracles.mlp, values, name, case.first[1]) for name in values}


def _agree(got: Values, exact: Values, case: _Case) -> None:
    advice = "It does not follow from your own layers called in reverse order either."
    for name, wanted in exact.items():
        label = RETURNED
        if name in PLACES:
            label = f"{place(name, 'dL_d')} after MLP.backward(dL_dy)"
        mistakes = (hint for about, *hint in _backward_mistakes(case) if about == name)
        compare(label, got[name], wanted, mistakes, advice)


def _backward_mistakes(case: _Case) -> Iterator[tuple[str, str, np.ndarray]]:
    v, dL_dy = case.values, case.first[1]
    a = oracles.linear(v["x"], v["W1"], v["b1"])
    dL_dz = dL_dy @ v["W2"]
    dL_da = dL_dz * (1 - np.tanh(a) ** 2)
    left_out = "the derivative of tanh left out"
    yield "W2", "the pre-activation a in place of z", dL_dy.T @ a
    yield "x", left_out, dL_dz @ v["W1"]
    yield "x", "dL_da: linear1.backward is missing", dL_da
    yield "W1", left_out, dL_dz.T @ v["x"]
    yield "b1", left_out, dL_dz.sum(axis=0)


def _follows(
    make: Callable[..., Any], case: _Case, way: Way, exact: Values, own: Values | None
) -> bool:
    """Whether every gradient is exact or what the student's own layers give."""
    try:
        got = _gradients(make, case.parameters, case.first, way)
    except CheckFailed:
        return False
    return all(
        close(got[name], exact[name]) or (own is not None and close(got[name], own[name]))
        for name in exact
    )
