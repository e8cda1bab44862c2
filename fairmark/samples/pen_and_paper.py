"""Answers of students who work a declared chain by hand, each in a way of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from fairmark.derivation import Derivation
from fairmark.derivation.rounding import Rounding, evaluate, evaluate_rounded

Answers = dict[str, np.ndarray]


def follow(
    chain: Derivation,
    slips: Mapping[str, np.ndarray] | None = None,
    rounding: Rounding | None = None,
) -> Answers:
    """The answers of somebody who does every step right, but for the ``slips``.

    What follows a slip follows from it. With ``rounding``, every operation is rounded, inner
    products that nobody asked for included.
    """
    own, typed = dict(chain.givens), {}
    for name, step in chain.steps.items():
        if slips and name in slips:
            own[name] = slips[name]
        elif rounding:
            own[name] = rounding(evaluate_rounded(step.formula, own, rounding)[0])
        else:
            own[name] = evaluate(step.formula, own)
        typed[name] = own[name]
    return typed


def known_mistakes(chain: Derivation) -> dict[str, tuple[str, Answers]]:
    """By a name of its own, each declared mistake: the step that it costs, and all answers."""
    found = {}
    for step in chain.steps.values():
        for text, formula in step.mistakes.items():
            wrong = {step.name: evaluate(formula, chain.exact)}
            found[f"{step.name}_{slug(text)}"] = (step.name, follow(chain, wrong))
    return found


def slug(text: str) -> str:
    """``text`` as a part of a file name."""
    text = text.replace("'", "_prime").replace("1/2", "one_half").replace("-", "minus")
    return re.sub(r"\W+", "_", text).strip("_")


def as_typed(values: np.ndarray, decimals: int = 4) -> str:
    """``values`` as a student types them: a nested list."""
    return repr(np.round(values, decimals).tolist())
