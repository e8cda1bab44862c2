"""How people round, and a formula evaluated the way somebody would who rounds as they go.

A formula is written once, in plain NumPy. To know what honest rounding can do to it, it is
evaluated on :class:`RoundedArray`, which rounds the result of every operation: products before
they are summed, squares, differences. Nothing but the formula has to be declared for that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np

Formula = Callable[..., Any]
Values = Mapping[str, np.ndarray]

# A tie such as 0.285 is not exact in binary: scaled values are cleaned before they are rounded.
_CLEAN = 7


@dataclass(frozen=True)
class Rounding:
    """Rounding to ``decimals``, ties away from zero (``half_even`` False) or to even."""

    decimals: int
    half_even: bool

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """``values`` rounded, same shape."""
        scale = 10.0**self.decimals
        scaled = np.round(values * scale, _CLEAN)
        if self.half_even:
            return np.rint(scaled) / scale
        return np.copysign(np.floor(np.abs(scaled) + 0.5), scaled) / scale


def honest_roundings(decimals: int) -> list[Rounding]:
    """The ways to round that count as honest where ``decimals`` are asked: n to n + 2 decimals."""
    return [Rounding(d, even) for d in range(decimals, decimals + 3) for even in (False, True)]


class _Rounder:
    """Rounds the results of the operations of one evaluation and counts them."""

    def __init__(self, rounding: Rounding, only: Collection[int] | None):
        self.rounding, self.only, self.operations = rounding, only, 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        number, self.operations = self.operations, self.operations + 1
        return self.rounding(values) if self.only is None or number in self.only else values


class RoundedArray(np.ndarray):
    """An array whose every operation has its result rounded by the rounder it carries."""

    def __array_finalize__(self, parent: Any) -> None:
        self.rounder = getattr(parent, "rounder", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        rounder = next(i.rounder for i in inputs if isinstance(i, RoundedArray) and i.rounder)
        plain = [np.asarray(i).view(np.ndarray) for i in inputs]
        if ufunc is np.matmul:
            left, right = np.atleast_2d(plain[0]), plain[1].reshape(plain[1].shape[0], -1)
            products = rounder(left[:, :, None] * right[None])
            shape = plain[0].shape[:-1] + plain[1].shape[1:]
            result = rounder(products.sum(axis=1)).reshape(shape)
        else:
            result = rounder(getattr(ufunc, method)(*plain, **kwargs))
        return _rounded(result, rounder)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.outer:  # NumPy's own drops the subclass
            left, right = (np.ravel(array) for array in args)
            return np.multiply.outer(left, right)
        return super().__array_function__(func, types, args, kwargs)


def _rounded(values: Any, rounder: _Rounder) -> RoundedArray:
    array = np.asarray(values, dtype=np.float64).view(RoundedArray)
    array.rounder = rounder
    return array


def needs(formula: Formula) -> tuple[str, ...]:
    """The names that ``formula`` is worked out from: its parameters."""
    return tuple(inspect.signature(formula).parameters)


def evaluate(formula: Formula, values: Values) -> np.ndarray:
    """``formula`` on ``values``, unrounded, as a float64 array."""
    with np.errstate(all="ignore"):
        result = formula(**{name: values[name] for name in needs(formula)})
    return np.array(result, dtype=np.float64)


def evaluate_rounded(
    formula: Formula, values: Values, rounding: Rounding, only: Collection[int] | None = None
) -> tuple[np.ndarray, int]:
    """``formula`` with its operations rounded (those numbered in ``only``), and their number."""
    rounder = _Rounder(rounding, only)
    with np.errstate(all="ignore"):
        result = formula(**{name: _rounded(values[name], rounder) for name in needs(formula)})
    return np.array(np.asarray(result), dtype=np.float64), rounder.operations


def rounded_variants(formula: Formula, values: Values, decimals: int) -> Iterator[np.ndarray]:
    """What ``formula`` gives to people who round some or all of its operations.

    Every subset of the operations where there are few, otherwise all, each alone, and all but one.
    """
    for rounding in honest_roundings(decimals):
        value, operations = evaluate_rounded(formula, values, rounding)
        yield value
        numbers = range(operations)
        sizes = range(1, operations) if operations <= 6 else (1, operations - 1)
        for only in chain.from_iterable(combinations(numbers, size) for size in sizes):
            yield evaluate_rounded(formula, values, rounding, only)[0]
