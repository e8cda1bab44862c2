"""What a student typed for a step: read, and how much is known about the digits behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fairmark.checks import read_array

if TYPE_CHECKING:
    from .references import Reference

Shape = tuple[int, ...]

# Beyond this an earlier answer is no number that a person worked out; nothing is followed from it.
LARGEST = 1e6


@dataclass
class Answer:
    """A readable answer.

    ``kept`` holds the values that the student may have gone on with: the typed one, and what it
    should be, unrounded: a typing slip is not in the calculator's memory. An answer is ``blurred``
    where such an unrounded value is not known: after a slip, somebody may have typed 0.37 and gone
    on with 0.3694. It is ``earnest`` where it is wrong by a known mistake rather than by anything.
    """

    value: np.ndarray
    kept: list[np.ndarray] = field(default_factory=list)
    blurred: bool = True
    earnest: bool = False

    def __post_init__(self) -> None:
        self.kept = [self.value]

    def recognise(self, references: Iterable[Reference]) -> None:
        """Note what may stand behind this answer, now that it agrees with ``references``."""
        references = list(references)
        self.blurred = all(reference.blurred for reference in references)
        self.keep(references)

    def keep(self, references: Iterable[Reference]) -> None:
        """Note values that the student may have gone on with, whatever was typed."""
        for value in (reference.value for reference in references if reference.unrounded):
            if not any(np.allclose(value, kept, rtol=1e-10, atol=1e-12) for kept in self.kept):
                self.kept.append(value)

    def half_unit(self, decimals: int) -> float:
        """Half a unit of the last decimal that was typed, where at least ``decimals`` are asked."""
        return typed_half_unit(self.value, decimals)


@dataclass(frozen=True)
class Unusable:
    """An answer that nothing can be worked out from, and why."""

    reason: str


def typed_half_unit(array: np.ndarray, decimals: int) -> float:
    """Half a unit of the last decimal in ``array``, of ``decimals`` at least; 0 beyond eight."""
    for typed in range(decimals, 9):
        if np.allclose(array, np.round(array, typed), rtol=0, atol=1e-10):
            return 0.5 * 10.0**-typed
    return 0.0


def read_answer(name: str, typed: Any, shape: Shape) -> np.ndarray:
    """The typed numbers in the given ``shape``; a vector may also be typed as a nested column.

    Raises :class:`CheckFailed` as :func:`fairmark.checks.read_array` does.
    """
    array = _shortest_decimals(read_array(name, typed))
    if len(shape) == 1 and array.shape == (*shape, 1):
        return array[:, 0]
    return read_array(name, array, shape)


def _shortest_decimals(array: np.ndarray) -> np.ndarray:
    """``array`` with 0.37 for what a float32 makes of 0.37, 0.3700000047683716."""
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float32)
    came_narrow = narrow.astype(np.float64) == array
    return np.where(came_narrow, narrow.astype(str).astype(np.float64), array)


def usable(name: str, array: np.ndarray) -> Answer | Unusable:
    """``array`` as an answer to go on from, unless it is too large to be one."""
    if np.abs(array).max(initial=0.0) > LARGEST:
        return Unusable(f"{name} holds a number beyond {LARGEST:g}")
    return Answer(array)
