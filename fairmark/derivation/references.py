"""The values that a step may honestly have: from the exact chain, or from one's own answers.

"Accurate to n decimals" leaves half a unit of the n-th decimal for the answer itself. How much
more an honest answer can be away is not a chosen tolerance but follows from the formula: from
the digits that may stand behind an earlier answer, and from rounding inside the formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

import numpy as np

from .answers import Answer
from .rounding import Formula, Values, evaluate, rounded_variants

# Of the values that a student may have gone on with, this many combinations are tried.
MOST_COMBINATIONS = 64


@dataclass(frozen=True)
class Reference:
    """A value that an answer may agree with, ``slack`` beyond half a unit per element.

    ``own``: it follows from the student's own earlier answers. ``unrounded``: it may be what the
    student went on with. ``rounded``: it was rounded inside, so an answer typed to more decimals
    has to agree to all of them. ``blurred``: it rests on an answer whose digits are not known.
    """

    value: np.ndarray
    slack: np.ndarray | float = 0.0
    own: bool = False
    unrounded: bool = False
    rounded: bool = False
    blurred: bool = False

    def distance(self, array: np.ndarray) -> float:
        """How far ``array`` is from agreeing, beyond the slack; inf where it cannot be compared."""
        if self.value.shape != array.shape or not np.all(np.isfinite(self.value)):
            return np.inf
        float_noise = 1e-9 * np.abs(self.value)
        return float(np.max(np.abs(array - self.value) - self.slack - float_noise, initial=0.0))


def followed(
    formula: Formula, givens: Values, answers: Mapping[str, Answer], decimals: int
) -> Iterator[Reference]:
    """What follows from every combination of values that the student may have gone on with.

    Slack for unknown digits goes to what rests on a typed value, not on one that is known.
    """
    typed = {**givens, **{name: answer.value for name, answer in answers.items()}}
    blurred = any(answer.blurred for answer in answers.values())
    combinations = product(*(answer.kept for answer in answers.values()))
    for kept in islice(combinations, MOST_COMBINATIONS):
        chosen = dict(zip(answers, kept, strict=True))
        unknown = {name: a for name, a in answers.items() if chosen[name] is a.value}
        slack = _slack_of_blur(formula, typed, unknown, decimals)
        value = evaluate(formula, {**typed, **chosen})
        yield Reference(value, slack, own=bool(answers), unrounded=True, blurred=blurred)


def followed_with_rounding(
    formula: Formula, givens: Values, answers: Mapping[str, Answer], decimals: int
) -> Iterator[Reference]:
    """What follows from the typed answers for somebody who rounds inside the formula."""
    typed = {**givens, **{name: answer.value for name, answer in answers.items()}}
    slack = _slack_of_blur(formula, typed, answers, decimals)
    blurred = any(answer.blurred for answer in answers.values())
    for value in rounded_variants(formula, typed, decimals):
        yield Reference(value, slack, own=bool(answers), rounded=True, blurred=blurred)


def _slack_of_blur(
    formula: Formula, typed: Values, answers: Mapping[str, Answer], decimals: int
) -> np.ndarray:
    """How far the unknown digits behind the blurred answers can move the formula, per element.

    The sum over their elements of the larger of the two moves by half a typed unit.
    """
    base = evaluate(formula, typed)
    slack = np.zeros_like(base)
    for name, answer in answers.items():
        half_unit = answer.half_unit(decimals)
        if not answer.blurred or half_unit == 0:
            continue
        for index in np.ndindex(answer.value.shape):
            moves = []
            for move in (half_unit, -half_unit):
                moved = answer.value.copy()
                moved[index] += move
                moves.append(np.abs(evaluate(formula, {**typed, name: moved}) - base))
            slack = slack + np.maximum(*moves)
    return slack
