"""Comparing what a student's code gave with what an oracle gives, and saying what is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from fairmark.isolation.reach import read, write

from .failure import CheckFailed
from .values import read_array

# An honest float32 layer is about 1e-6 of the largest entry away from the oracle, central
# differences 1e-9; the mildest known mistake is more than 1e-2 away.
TOLERANCE = 1e-4
LONGEST_REASON = 200  # characters of a student's own error message that a failure repeats

Mistakes = Iterable[tuple[str, Any]]  # what it looks like, and the value that the mistake gives


def close(got: np.ndarray, wanted: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether ``got`` has the shape of ``wanted`` and agrees relative to its largest entry."""
    wanted = np.asarray(wanted)
    if got.shape != wanted.shape or not np.all(np.isfinite(wanted)):
        return False
    scale = np.max(np.abs(wanted), initial=0.0)
    return bool(np.all(np.abs(got - wanted) <= tolerance * scale))


def compare(
    name: str, got: Any, wanted: np.ndarray, mistakes: Mistakes = (), advice: str = ""
) -> None:
    """Raise :class:`CheckFailed` unless ``got`` has the shape and the values of ``wanted``.

    The first of ``mistakes`` whose value ``got`` agrees with, shape included, is named; where
    none does, the message ends with ``advice``.
    """
    got = read_array(name, got)
    if close(got, wanted):
        return
    seen = (f"It looks like {words}." for words, value in mistakes if close(got, value))
    hint = next(seen, advice)
    hint = f" {hint}" if hint else ""
    if got.shape != wanted.shape:
        raise CheckFailed(f"{name} has shape {got.shape}; shape {wanted.shape} is wanted.{hint}")
    scale = np.max(np.abs(wanted), initial=0.0)
    wrong = int(np.sum(np.abs(got - wanted) > TOLERANCE * scale))
    what = "the value is wrong" if got.ndim == 0 else f"{wrong} of {got.size} entries are wrong"
    raise CheckFailed(f"{name} has the wanted shape {got.shape}, but {what}.{hint}")


def unchanged(name: str, before: np.ndarray, after: Any) -> None:
    """Raise :class:`CheckFailed` unless ``after`` still holds the values of ``before``."""
    if not np.array_equal(before, np.asarray(after)):
        raise CheckFailed(
            f"{name} was changed in place. It belongs to the caller: compute a new array instead."
        )


def attempt(what: str, function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)``; an error of the student's code becomes :class:`CheckFailed`."""
    try:
        return function(*args)
    except CheckFailed:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
        raise CheckFailed(f"{what} raised {reason}") from None


def attribute(owner: str, thing: Any, name: str) -> Any:
    """The attribute ``name`` of a student's object; :class:`CheckFailed` where it has none."""
    return attempt(f"Reading {owner}.{name}", getattr, thing, name)


def attributes(owner: str, thing: Any, *paths: str) -> Iterator[Any]:
    """What is at paths such as ``linear1.W`` of a student's object, one after the other.

    Raises :class:`CheckFailed` at the first that is missing.
    """
    try:
        found = read(thing, *paths)
    except Exception:  # to say which one it is
        for path in paths:
            holder, label, name = _holder(owner, thing, path)
            yield attribute(label, holder, name)
    else:
        yield from found


def set_attributes(owner: str, thing: Any, values: Mapping[str, Any]) -> None:
    """Put ``values`` at their paths in a student's object; :class:`CheckFailed` for an error."""
    with contextlib.suppress(Exception):
        write(thing, values)
        return
    for path, value in values.items():
        holder, label, name = _holder(owner, thing, path)
        attempt(f"Setting {label}.{name}", setattr, holder, name, value)


def _holder(owner: str, thing: Any, path: str) -> tuple[Any, str, str]:
    """The object that has the last part of ``path``, a name for it, and that part."""
    *parts, name = path.split(".")
    for part in parts:
        owner, thing = part, attribute(owner, thing, part)
    return thing, owner, name


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Random numbers of either sign, each between 0.3 and 1.5 in size: none is near zero."""
    return (rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype)
