"""Checks of a layer written in NumPy: its forward pass, and each gradient of its backward pass.

A :class:`Layer` says what a layer computes, how its attributes are called, and what the known
mistakes give; the checks do the rest. They reach the student's layer by calls and attributes only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairmark.isolation.reach import invoke

from . import oracles
from .compare import (
    attempt,
    attribute,
    close,
    compare,
    draw,
    set_attributes,
    unchanged,
)
from .failure import CheckFailed
from .values import read_array

SEED = 20
# (batch, inputs, outputs, dtype): all sizes differ; one batch of one row, one single output.
SIZES = (
    (7, 4, 3, np.float64),
    (2, 5, 6, np.float32),
    (4, 3, 1, np.float64),
    (1, 2, 4, np.float64),
)


@dataclass(frozen=True)
class Sample:
    """One call of a layer: ``values`` holds x and the parameters, all of one dtype."""

    values: dict[str, np.ndarray]
    dL_dout: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        return self.dL_dout if name == "dL_dout" else self.values[name]


@dataclass(frozen=True)
class Stage:
    """When a gradient is looked at, and what may be wrong if it is right until then."""

    when: str
    advice: str


ONCE = Stage("", "Compare it with a numerical gradient.")
TWICE = Stage(
    " (second call of backward)",
    "Does backward add to the last gradient, or change what forward stored?",
)
SECOND_BATCH = Stage(
    " (second batch through the same layer)", "Is something of the first batch still in use?"
)
INTERLEAVED = Stage(
    " (another layer ran forward in between)", "Do two layers share what they store?"
)

Formula = Callable[[Sample], np.ndarray]


@dataclass(frozen=True)
class Layer:
    """What a layer computes.

    ``forward(x, **parameters)`` is the oracle. ``parameters`` maps the name of each parameter to
    its shape for (inputs, outputs); a layer without any is made without arguments and keeps the
    shape of its input. ``mistakes`` maps "out", "x" or a parameter to (words, formula) pairs.
    ``from_out(out, dL_dout)`` is dL_dx for a layer whose derivative is known from its output.
    """

    name: str
    forward: Callable[..., np.ndarray]
    parameters: Mapping[str, Callable[[int, int], tuple[int, ...]]] = field(default_factory=dict)
    mistakes: Mapping[str, tuple[tuple[str, Formula], ...]] = field(default_factory=dict)
    from_out: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    def sample(self, rng: np.random.Generator, batch: int, size: tuple[int, int], dtype) -> Sample:
        """A random input with parameters and an upstream gradient for ``size`` (in, out)."""
        values = {"x": draw(rng, (batch, size[0]), dtype)}
        for name, shape in self.parameters.items():
            values[name] = draw(rng, shape(*size), dtype)
        outputs = size[1] if self.parameters else size[0]
        return Sample(values, draw(rng, (batch, outputs), dtype))

    def build(self, make: Callable[..., Any], sample: Sample, size: tuple[int, int]) -> Any:
        """The student's layer with the parameters of ``sample`` put in place."""
        call = f"{self.name}({', '.join(map(str, size))})" if self.parameters else f"{self.name}()"
        student = attempt(call, make, *(size if self.parameters else ()))
        set_attributes(call, student, {name: sample[name].copy() for name in self.parameters})
        return student

    def check_new(self, make: Callable[..., Any], size: tuple[int, int]) -> None:
        """Check the shapes of the parameters that a new layer of ``size`` (in, out) has."""
        for name, shape in self.parameters.items():
            call = f"{self.name}({', '.join(map(str, size))})"
            initial = attribute(call, attempt(call, make, *size), name)
            read_array(f"{call}.{name}", initial, shape(*size))

    def hints(self, quantity: str, sample: Sample) -> Iterator[tuple[str, np.ndarray]]:
        """The known mistakes of ``quantity`` with what they give for ``sample``."""
        return ((words, formula(sample)) for words, formula in self.mistakes.get(quantity, ()))


def check_forward(layer: Layer, make: Callable[..., Any]) -> None:
    """Check ``forward(x)`` of the layers that ``make`` builds; input and parameters must stay."""
    rng = np.random.default_rng(SEED)
    for batch, *size, dtype in SIZES:
        layer.check_new(make, size)
        first = layer.sample(rng, batch, size, dtype)
        student = layer.build(make, first, size)
        second = Sample({**first.values, "x": draw(rng, (batch + 1, size[0]), dtype)}, None)
        for sample in (first, second, first):
            x = sample["x"].copy()
            name = f"{layer.name}.forward(x) for x of shape {x.shape}"
            out = attempt(name, invoke, student, "forward", x)
            unchanged(f"The input x of {layer.name}.forward", sample["x"], x)
            compare(name, out, layer.forward(**sample.values), layer.hints("out", sample))
            for parameter in layer.parameters:
                now = attribute(layer.name, student, parameter)
                unchanged(f"{parameter} of {layer.name}", sample[parameter], now)


def check_gradient(layer: Layer, make: Callable[..., Any], of: str) -> None:
    """Check the gradient with respect to ``of`` ("x" or a parameter) that ``backward`` gives.

    It is compared with central differences: after one pass, after a second ``backward``, for a
    second batch through the same layer, and for two layers that run one between the other. All
    batches of a layer have one size, so that a mistake in one gradient raises no error in others.
    """
    rng = np.random.default_rng(SEED + 1)
    for batch, *size, dtype in SIZES:
        sample, other, another = (layer.sample(rng, batch, size, dtype) for _ in range(3))
        student = layer.build(make, sample, size)
        first = _Pass(layer, student, sample, of)
        first.forward()
        first.check(ONCE)
        first.check(TWICE)
        second = _Pass(
            layer, student, Sample({**sample.values, "x": other["x"]}, other.dL_dout), of
        )
        second.forward()
        second.check(SECOND_BATCH)
        twin = _Pass(layer, layer.build(make, another, size), another, of)
        first.forward()
        twin.forward()
        first.check(INTERLEAVED)
        twin.check(INTERLEAVED)
        first.check_kept()


class _Pass:
    """One batch through one of the student's layers, and what is wanted of its backward pass."""

    def __init__(self, layer: Layer, student: Any, sample: Sample, of: str) -> None:
        self.layer, self.student, self.sample, self.of = layer, student, sample, of
        self.wanted = oracles.gradient(layer.forward, sample.values, of, sample.dL_dout)
        self.out: np.ndarray | None = None

    def forward(self) -> None:
        # A mistake in forward has its own test: here only what backward makes of it counts.
        with contextlib.suppress(Exception):
            self.out = read_array("out", invoke(self.student, "forward", self.sample["x"].copy()))

    def check(self, stage: Stage) -> None:
        """Run backward and check the gradient; raises :class:`CheckFailed`."""
        upstream = self.sample.dL_dout.copy()
        name, got = self._backward(upstream, stage.when)
        try:
            mistakes = self.layer.hints(self.of, self.sample)
            compare(name, got, self.wanted, mistakes, stage.advice)
        except CheckFailed:
            if not self._follows_from_output(got):
                raise
        owner = self.layer.name
        if self.of == "x":
            unchanged(f"The argument dL_dout of {owner}.backward", self.sample.dL_dout, upstream)
        else:
            now = attribute(owner, self.student, self.of)
            unchanged(f"{self.of} of {owner}", self.sample[self.of], now)

    def check_kept(self) -> None:
        """Check that the stored gradient is still there after another layer ran backward."""
        if self.of != "x":
            owner = self.layer.name
            got = attribute(owner, self.student, f"dL_d{self.of}")
            name = f"dL_d{self.of} of {owner} (another layer ran backward since)"
            compare(name, got, self.wanted, advice=INTERLEAVED.advice)

    def _backward(self, upstream: np.ndarray, when: str) -> tuple[str, Any]:
        """The name of the gradient and its value after backward."""
        call = f"{self.layer.name}.backward(dL_dout)"
        returned, failure = None, None
        try:
            returned = attempt(f"{call}{when}", invoke, self.student, "backward", upstream)
        except CheckFailed as error:
            failure = error
        if self.of == "x":
            if failure:
                raise failure
            return f"dL_dx, returned by {call}{when},", returned
        if failure:
            self._require_stored(failure)
        got = attribute(f"{self.layer.name} (after backward)", self.student, f"dL_d{self.of}")
        return f"dL_d{self.of} of {self.layer.name}{when}", got

    def _require_stored(self, failure: CheckFailed) -> None:
        """Raise ``failure`` unless backward stores the gradient before its error.

        The error may be about another gradient, which has a test of its own.
        """
        name = f"dL_d{self.of}"
        setattr(self.student, name, np.full(self.wanted.shape, np.nan))
        with contextlib.suppress(Exception):
            invoke(self.student, "backward", self.sample.dL_dout.copy())
        try:
            read_array(name, getattr(self.student, name))
        except Exception:  # nan is still there: nothing was stored
            raise failure from None

    def _follows_from_output(self, got: Any) -> bool:
        """Whether ``got`` is right for what the student's own forward pass gave."""
        if self.layer.from_out is None or self.out is None:
            return False
        if self.out.shape != self.wanted.shape or np.allclose(self.out, self.out.flat[0]):
            return False  # trivial: an output that does not depend on the input proves nothing
        wanted = self.layer.from_out(self.out, self.sample.dL_dout)
        return close(read_array("dL_dx", got), wanted)
