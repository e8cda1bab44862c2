"""Reading what a student gave: types are forgiven, shapes are not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from .failure import CheckFailed

Shape = tuple[int, ...]


def read_array(name: str, value: Any, shape: Shape | None = None) -> np.ndarray:
    """The numbers in ``value`` as a new float64 array.

    A list, tuple, NumPy array or scalar, torch tensor, int, float, Fraction or Decimal counts, and
    any nesting of them. With ``shape`` given, the array must have exactly that shape.

    Raises :class:`CheckFailed` where ``value`` holds None, something that is no real number, is
    ragged, holds nan or inf, or has another shape. The message starts with ``name``.
    """
    if value is None:
        raise CheckFailed(f"{name} is None: no answer was given.")
    array = _as_float_array(name, value)
    if shape is not None and array.shape != shape:
        raise CheckFailed(
            f"{name} has shape {array.shape}, but shape {shape} is wanted"
            + (": a single number." if shape == () else ".")
        )
    if not np.all(np.isfinite(array)):
        raise CheckFailed(f"{name} holds a value that is not finite (nan or inf).")
    return array


def _as_float_array(name: str, value: Any) -> np.ndarray:
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray):
        _refuse_what_is_no_number(name, value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        raise CheckFailed(f"{name} has rows of different lengths.") from None
    if array.dtype.kind == "O":
        _refuse_what_is_no_number(name, array.tolist())
    elif array.dtype.kind not in "iuf":
        raise CheckFailed(f"{name} holds {array.dtype} values; real numbers are wanted.")
    try:
        with np.errstate(over="ignore"):  # too large for a float: reported as not finite
            return np.array(array, dtype=np.float64)
    except OverflowError:
        return np.full(array.shape, np.inf)
    except (ValueError, TypeError):
        raise CheckFailed(f"{name} cannot be read as numbers.") from None


def _refuse_what_is_no_number(name: str, value: Any, depth: int = 0) -> None:
    if depth > 8:
        raise CheckFailed(f"{name} is nested too deeply.")
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_what_is_no_number(name, item, depth + 1)
    elif value is None:
        raise CheckFailed(f"{name} still holds None; put a number in its place.")
    elif isinstance(value, bool | np.bool_) or not (
        isinstance(value, Real | Decimal | Fraction | np.ndarray) or hasattr(value, "detach")
    ):
        raise CheckFailed(f"{name} holds a {type(value).__name__}; real numbers are wanted.")
