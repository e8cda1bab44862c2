"""A chain of hand-worked answers, marked with errors carried forward.

The chain is declared once: the givens, then for each step its formula from earlier names, its
shape and the known mistakes, as formulas too. From that declaration come the check, the message
and the tests of the check::

    chain = Derivation(decimals=2, w=[2.0], x=[1.5])
    chain.step("a", shape=(1,), formula=lambda w, x: w * x,
               mistakes={"w is squared": lambda w, x: w**2 * x})
    chain.check("a", a)  # returns, or raises CheckFailed with a message for the student
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fairmark.checks import CheckFailed

from .answers import Answer, Shape, Unusable, read_answer, typed_half_unit, usable
from .explain import explain, named_mistakes
from .references import Reference, followed, followed_with_rounding
from .rounding import Formula, evaluate, evaluate_rounded, honest_roundings, needs

Mistakes = Mapping[str, Formula]
EXACT, CARRIED = "exact", "carried forward"  # how a step can be right


@dataclass(frozen=True)
class Step:
    """One asked quantity. ``cannot_tell``: mistakes that look like honest rounding here."""

    name: str
    shape: Shape
    formula: Formula
    mistakes: Mistakes = field(default_factory=dict)
    cannot_tell: Mistakes = field(default_factory=dict)


class Derivation:
    """A chain of steps, and the answers that one student gave to them.

    ``givens`` are the numbers of the exercise; they are copied, so that nothing that happens to the
    caller's objects later changes the chain. ``decimals`` is what the exercise asks for.
    """

    def __init__(self, decimals: int, **givens: Any):
        self.decimals = decimals
        self.givens = {name: np.array(value, dtype=np.float64) for name, value in givens.items()}
        self.steps: dict[str, Step] = {}
        self.answers: dict[str, Answer | Unusable] = {}
        self.right: dict[str, str] = {}  # the steps that are right: EXACT or CARRIED forward
        # The chain worked out from the givens: exactly, and by everyone who rounds as they go.
        self.exact = dict(self.givens)
        self.rounded = {way: dict(self.givens) for way in honest_roundings(decimals)}

    def fresh(self) -> Derivation:
        """The same chain, with no answers yet."""
        other = copy.copy(self)
        other.answers, other.right = {}, {}
        return other

    @property
    def half_unit(self) -> float:
        """Half a unit of the last decimal that is asked for."""
        return 0.5 * 10.0**-self.decimals

    def step(
        self,
        name: str,
        shape: Shape,
        formula: Formula,
        mistakes: Mistakes | None = None,
        cannot_tell: Mistakes | None = None,
    ) -> None:
        """Declare the next step: ``formula`` takes earlier names and gives an array of ``shape``.

        ``mistakes`` maps what went wrong, as the student shall read it, to the formula that gives
        it. Raises ValueError where the declaration does not fit what was declared before.
        """
        unknown = [need for need in needs(formula) if need not in self.exact]
        if unknown:
            raise ValueError(f"step {name!r} needs {unknown[0]!r}, which is not declared before it")
        exact = evaluate(formula, self.exact)
        if exact.shape != shape:
            raise ValueError(f"step {name!r} gives shape {exact.shape}, declared is {shape}")
        self.steps[name] = Step(name, shape, formula, mistakes or {}, cannot_tell or {})
        self.exact[name] = exact
        for way, values in self.rounded.items():
            values[name] = way(evaluate_rounded(formula, values, way)[0])

    def check(self, name: str, typed: Any) -> None:
        """Check the answer ``typed`` for the step ``name`` and remember it for later steps.

        Returns where it agrees with the exact chain or with what follows from the student's own
        earlier answers. Raises :class:`CheckFailed` with a message for the student otherwise.
        """
        step = self.steps[name]
        self.right.pop(name, None)
        try:
            array = read_answer(name, typed, step.shape)
        except CheckFailed as failure:
            self.answers[name] = Unusable(str(failure))
            raise
        self.answers[name] = answer = usable(name, array)
        self._refuse_uncheckable(step)
        agreeing = self._agreeing(step, array)
        if not agreeing:
            mistakes = named_mistakes(self, step, array)
            if isinstance(answer, Answer):
                answer.keep(self._likely(step))
                answer.earnest = bool(mistakes) and not self._rests_on_zeros(step)
            raise CheckFailed(explain(self, step, array, mistakes))
        self.right[name] = CARRIED if all(r.own for r in agreeing) else EXACT
        if isinstance(answer, Answer):
            answer.recognise(agreeing)

    def summary(self) -> str:
        """For the instructor: how many steps are right, and which of them by carrying forward."""
        carried = [name for name, how in self.right.items() if how == CARRIED]
        lines = [f"{len(self.right)} of {len(self.steps)} steps are right."]
        if carried:
            lines.append(f"Carried forward from earlier answers: {', '.join(carried)}.")
        return "\n".join(lines)

    def needed_steps(self, formula: Formula) -> list[str]:
        """The earlier steps that ``formula`` is worked out from."""
        return [need for need in needs(formula) if need in self.steps]

    def own_answers(self, formula: Formula) -> dict[str, Answer] | None:
        """The student's answers that ``formula`` needs, or None where one of them is unusable."""
        own = {need: self.answers.get(need) for need in self.needed_steps(formula)}
        return own if all(isinstance(answer, Answer) for answer in own.values()) else None

    def agrees(self, reference: Reference, array: np.ndarray) -> bool:
        """Whether ``array`` is ``reference``, accurate to the decimals asked for."""
        unit = self.half_unit
        if reference.rounded:
            unit = min(unit, typed_half_unit(array, self.decimals))
        return reference.distance(array) <= unit + 1e-9

    def _refuse_uncheckable(self, step: Step) -> None:
        for need in self.needed_steps(step.formula):
            earlier = self.answers.get(need, Unusable(f"there is no answer for {need}"))
            if isinstance(earlier, Unusable):
                raise CheckFailed(
                    f"{step.name} cannot be checked: it is worked out from {need}, "
                    f"but {earlier.reason.rstrip('.')}."
                )

    def _agreeing(self, step: Step, array: np.ndarray) -> list[Reference]:
        """The references that ``array`` agrees with; the costly ones are looked at last."""
        agreeing = [r for r in self._likely(step) if self.agrees(r, array)]
        if agreeing:
            return agreeing
        return next(([r] for r in self._rounded_inside(step) if self.agrees(r, array)), [])

    def references(self, step: Step) -> Iterator[Reference]:
        """Everything that an honest answer to ``step`` may agree with."""
        yield from self._likely(step)
        yield from self._rounded_inside(step)

    def _likely(self, step: Step) -> Iterator[Reference]:
        yield Reference(self.exact[step.name], unrounded=True)
        for values in self.rounded.values():
            if self._went_this_way(step, values):
                yield Reference(values[step.name], rounded=True)
        own = self.own_answers(step.formula)
        for reference in followed(step.formula, self.givens, own, self.decimals):
            if not self.trivial(step, reference):
                yield reference

    def _went_this_way(self, step: Step, values: Mapping[str, np.ndarray]) -> bool:
        """Whether what was typed before ``step`` may stand for ``values``, kept all along."""
        return all(
            Reference(values[need]).distance(answer.value) <= answer.half_unit(self.decimals) + 1e-9
            for need, answer in self.own_answers(step.formula).items()
        )

    def _rounded_inside(self, step: Step) -> Iterator[Reference]:
        own = self.own_answers(step.formula)
        for reference in followed_with_rounding(step.formula, self.givens, own, self.decimals):
            if not self.trivial(step, reference):
                yield reference

    def trivial(self, step: Step, reference: Reference) -> bool:
        """Whether following earns nothing: all zero, or a given copied because all before is zero.

        Not trivial is what follows from right answers, what is zero in the exact chain as well, and
        what follows from a known mistake: who takes the gradient of a bias for zero is right to
        leave the bias as it is.
        """
        if all(need in self.right for need in self.needed_steps(step.formula)):
            return False
        if self._is_zero(reference.value):
            return not self._is_zero(self.exact[step.name])
        alike = (given for given in self.givens.values() if given.shape == step.shape)
        copied = any(self._is_zero(reference.value - given) for given in alike)
        return copied and self._rests_on_zeros(step)

    def _rests_on_zeros(self, step: Step) -> bool:
        """Whether all answers that ``step`` needs are zero to the decimals, and not by mistake."""
        needed = [self.answers[need] for need in self.needed_steps(step.formula)]
        return bool(needed) and all(
            np.all(np.abs(answer.value) <= 2 * self.half_unit) and not answer.earnest
            for answer in needed
        )

    def _is_zero(self, array: np.ndarray) -> bool:
        return bool(np.all(np.abs(array) <= self.half_unit + 1e-9))
