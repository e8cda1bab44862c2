"""What a student reads about a step that is not right; never the expected value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .references import Reference, followed, followed_with_rounding
from .rounding import Formula, evaluate

if TYPE_CHECKING:
    from .chain import Derivation, Step


def explain(chain: Derivation, step: Step, array: np.ndarray, mistakes: list[str]) -> str:
    """Why ``array`` is not accepted for ``step``; ``mistakes`` are the known ones that give it."""
    own = chain.needed_steps(step.formula)
    answers = chain.own_answers(step.formula)
    if any(
        chain.agrees(r, array)
        for r in followed(step.formula, chain.givens, answers, chain.decimals)
    ):
        return (
            f"{step.name} follows from your own {' and '.join(own)}, but only because of zeros "
            "there, so it cannot be counted."
        )
    if mistakes:
        return f"{step.name} is not right. It looks as if {' or '.join(mistakes)}."
    if any(r.distance(array) <= 2 * chain.half_unit for r in chain.references(step)):
        return (
            f"{step.name} is close, but not accurate to {chain.decimals} decimal places. "
            "Carry more digits and round at the end."
        )
    if not own:
        return f"{step.name} does not follow from the given numbers."
    from_own = f"it does not follow from your own {' and '.join(own)} either"
    return f"{step.name} is not right, and {from_own}."


def named_mistakes(chain: Derivation, step: Step, array: np.ndarray) -> list[str]:
    """The declared mistakes that give ``array``; with rounding inside them only if none does."""
    for values in (_mistaken, _mistaken_with_rounding):
        named = [
            text
            for text, formula in step.mistakes.items()
            if any(chain.agrees(Reference(value), array) for value in values(chain, formula))
        ]
        if named:
            return named
    return []


def _mistaken(chain: Derivation, formula: Formula) -> Iterator[np.ndarray]:
    """What the mistake ``formula`` gives from the exact chain or from one's own answers."""
    yield evaluate(formula, chain.exact)
    own = chain.own_answers(formula)
    if own is not None:
        for reference in followed(formula, chain.givens, own, chain.decimals):
            yield reference.value


def _mistaken_with_rounding(chain: Derivation, formula: Formula) -> Iterator[np.ndarray]:
    """The same for somebody who rounds inside the formula, or at every step before it."""
    for values in chain.rounded.values():
        yield evaluate(formula, values)
    own = chain.own_answers(formula)
    if own is not None:
        for reference in followed_with_rounding(formula, chain.givens, own, chain.decimals):
            yield reference.value
