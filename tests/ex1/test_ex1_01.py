"""ex1_01: fair marks for numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fairmark.checks import CheckFailed
from fairmark.derivation import Derivation
from fairmark.derivation.rounding import (
    Rounding,
    evaluate,
    evaluate_rounded,
    honest_roundings,
    needs,
)
from fairmark.notebooks import Role, role_of, run

from .pen_and_paper import POINTS, STYLES, Style, work
from .releases import release_of
from .variants import Variant, read_source, run_variant

NOTEBOOK = read_source("ex1_01_pen_and_paper")
REFERENCE = run(NOTEBOOK)
CHAIN: Derivation = REFERENCE.names["chain"]
MISTAKES = [(step.name, text) for step in CHAIN.steps.values() for text in step.mistakes]
NOT_TOLD_APART = [(step.name, text) for step in CHAIN.steps.values() for text in step.cannot_tell]

ROUNDINGS = honest_roundings(2)


def grade(answers: dict[str, object]) -> dict[str, str]:
    """The steps that ``answers`` lose, each with its message."""
    chain = CHAIN.fresh()
    lost = {}
    for name, answer in answers.items():
        try:
            chain.check(name, answer)
        except CheckFailed as failure:
            lost[name] = str(failure)
    return lost


def follow(
    start: dict[str, np.ndarray], way: Rounding | None, carry: bool
) -> dict[str, np.ndarray]:
    """Typed answers of somebody whose answers in ``start`` stand, and who does the rest right.

    ``way`` rounds what is typed; with ``carry``, that is also what is gone on with.
    """
    kept, typed = dict(CHAIN.givens), {}
    for name, step in CHAIN.steps.items():
        value = start[name] if name in start else evaluate(step.formula, kept)
        typed[name] = way(value) if way else value
        kept[name] = typed[name] if carry else value
    return typed


class TestExtremes:
    def test_reference_has_all_points(self):
        """The reference solution gets 6 of 6, split as the course says."""
        assert REFERENCE.errors == {}
        points = {name.removeprefix("test_"): got for name, (got, _) in REFERENCE.points.items()}
        assert {name: got for name, got in points.items() if got} == POINTS
        assert REFERENCE.total == 6

    def test_release_has_none(self):
        """The untouched release gets nothing, and each test cell worth points fails."""
        result = run(release_of(NOTEBOOK))
        assert result.total == 0
        worth = {name for name, (_, maximum) in result.points.items() if maximum}
        assert worth <= set(result.errors)

    def test_placeholders_keep_the_shape(self):
        """Every unsolved answer shows its brackets, and ends in the two lines of a stub."""
        for cell in release_of(NOTEBOOK).cells:
            if role_of(cell) is Role.ANSWER and "nbgrader" in cell.metadata:
                assert "None" in cell.source
                assert cell.source.endswith("# YOUR CODE HERE\nraise NotImplementedError()")

    def test_exact_chain_is_what_autograd_gives(self):
        """The declared formulas agree with PyTorch's autograd."""
        givens = {k: torch.tensor(v, dtype=torch.float64) for k, v in CHAIN.givens.items()}
        for name in ("W1", "b1", "W2", "b2"):
            givens[name].requires_grad_()
        a = givens["W1"] @ givens["x"] + givens["b1"]
        z = torch.tanh(a)
        y = givens["W2"] @ z + givens["b2"]
        y.retain_grad()
        loss = ((y - givens["t"]) ** 2).mean()
        loss.backward()
        exact = {"a": a, "z": z, "y": y, "loss": loss, "dL_dy": y.grad}
        for name in ("W1", "b1", "W2", "b2"):
            exact[f"dL_d{name}"] = givens[name].grad
            exact[f"{name}_updated"] = givens[name] - givens["eta"] * givens[name].grad
        assert set(exact) == set(CHAIN.steps)
        for name, value in exact.items():
            np.testing.assert_allclose(CHAIN.exact[name], value.detach().numpy(), rtol=1e-12)


class TestHonestAnswers:
    @pytest.mark.parametrize("style", STYLES, ids=str)
    def test_every_way_of_rounding(self, style):
        """However somebody rounds, honest work has all points."""
        assert grade(work(style)) == {}

    @pytest.mark.parametrize("kept, typed", [(2, 3), (3, 2), (4, 2), (4, 3)])
    @pytest.mark.parametrize("half_even", [False, True])
    def test_more_digits_kept_than_typed(self, kept, typed, half_even):
        """Somebody works with some decimals and types others."""
        typing = Rounding(typed, half_even)
        answers = work(Style(kept, half_even, carry_rounded=True, inside=True))
        assert grade({name: typing(np.array(value)) for name, value in answers.items()}) == {}

    @pytest.mark.parametrize(
        "container",
        [
            tuple,
            np.array,
            lambda v: np.array(v, dtype=np.float32),
            lambda v: torch.tensor(v),
            lambda v: [np.float64(n) if np.ndim(n) == 0 else [np.float32(m) for m in n] for n in v],
            lambda v: [torch.tensor(n) for n in v],
            lambda v: [[n] for n in v] if np.ndim(v) == 1 else v,
        ],
        ids=["tuple", "array", "float32", "tensor", "numpy_scalars", "tensors", "column"],
    )
    def test_every_container(self, container):
        """The type of an answer is forgiven, in every style; a vector may stand as a column."""
        for style in STYLES:
            answers = work(style)
            given = {n: v if np.ndim(v) == 0 else container(v) for n, v in answers.items()}
            assert grade(given) == {}, style

    def test_as_a_notebook(self):
        """Two decimals at every step, ties to even, typed as columns: 6 of 6 by the notebook."""
        answers = work(Style(2, half_even=True, carry_rounded=True, inside=True))
        answers["a"] = [[n] for n in answers["a"]]
        cells = {name: f"{name} = {value!r}" for name, value in answers.items()}
        assert run_variant(NOTEBOOK, Variant("two_decimals", cells)).total == 6


class TestKnownMistakes:
    @pytest.mark.parametrize("name, text", MISTAKES)
    @pytest.mark.parametrize("way", [None, *ROUNDINGS], ids=str)
    def test_costs_its_own_step_and_is_named(self, name, text, way):
        """A mistake is caught at its step and named; what follows from it is not touched."""
        for carry in (False, True):
            before = dict(CHAIN.givens) | follow({}, way, carry)
            source = before if carry else CHAIN.exact
            wrong = evaluate(CHAIN.steps[name].mistakes[text], source)
            lost = grade(follow({name: wrong}, way, carry))
            assert set(lost) == {name}
            assert text in lost[name]

    @pytest.mark.parametrize("name, text", MISTAKES)
    @pytest.mark.parametrize("way", ROUNDINGS, ids=str)
    def test_with_every_operation_rounded(self, name, text, way):
        """The same where the mistaken formula was worked out with rounding inside."""
        own = follow({}, way, carry=True)
        formula = CHAIN.steps[name].mistakes[text]
        wrong = way(evaluate_rounded(formula, dict(CHAIN.givens) | own, way)[0])
        lost = grade(follow({name: wrong}, way, carry=True))
        assert set(lost) == {name}
        assert text in lost[name]

    def test_the_three_that_look_like_rounding(self):
        """Three mistakes cannot be told from honest rounding on these numbers; they are listed."""
        assert set(NOT_TOLD_APART) == {
            ("dL_dW1", "tanh' was taken as 1 - a^2"),
            ("dL_dW1", "tanh' was taken as 1 - tanh(z)^2"),
            ("dL_dW2", "a stands in place of z"),
        }
        for name, text in NOT_TOLD_APART:
            wrong = evaluate(CHAIN.steps[name].cannot_tell[text], CHAIN.exact)
            assert np.abs(wrong - CHAIN.exact[name]).max() < 0.005

    def test_names_no_expected_value(self):
        """No message holds a number of the exact chain."""
        for name, text in MISTAKES:
            wrong = evaluate(CHAIN.steps[name].mistakes[text], CHAIN.exact)
            message = grade(follow({name: wrong}, None, carry=False))[name]
            for value in CHAIN.exact[name].ravel():
                assert f"{value:.2f}" not in message


def wrong_values(name: str) -> st.SearchStrategy[np.ndarray]:
    """Finite wrong numbers in the shape of a step."""
    shape = CHAIN.steps[name].shape
    number = st.floats(-3, 3).map(lambda v: round(v, 4))
    return st.lists(number, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))).map(
        lambda numbers: np.array(numbers).reshape(shape)
    )


class TestCarryingForward:
    @settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def test_a_slip_costs_one_step(self, data):
        """Any wrong finite answer, followed in any honest way, loses its own points only."""
        name = data.draw(st.sampled_from(list(CHAIN.steps)))
        way = data.draw(st.sampled_from([None, *ROUNDINGS]))
        carry = data.draw(st.booleans())
        slip = data.draw(wrong_values(name))
        answers = follow({name: slip}, way, carry)
        assume(np.abs(answers[name] - CHAIN.exact[name]).max() > 0.05)
        assume(not rests_on_zeros(answers))
        assert set(grade(answers)) == {name}

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def test_several_slips(self, data):
        """Several wrong answers cost their own points only."""
        names = data.draw(st.lists(st.sampled_from(list(CHAIN.steps)), min_size=2, max_size=4))
        way = data.draw(st.sampled_from([None, *ROUNDINGS]))
        slips = {name: data.draw(wrong_values(name)) for name in names}
        answers = follow(slips, way, carry=True)
        assume(not rests_on_zeros(answers))
        assert set(grade(answers)) <= set(names)

    @pytest.mark.parametrize("way", ROUNDINGS, ids=str)
    def test_rounding_inside_after_a_slip(self, way):
        """A slip in a, and from there on every inner product rounded."""
        own = dict(CHAIN.givens) | {"a": np.array([1.3, -0.7])}
        answers = {"a": own["a"]}
        for name in list(CHAIN.steps)[1:]:
            own[name] = way(evaluate_rounded(CHAIN.steps[name].formula, own, way)[0])
            answers[name] = own[name]
        assert set(grade(answers)) == {"a"}

    @pytest.mark.parametrize("name", list(CHAIN.steps)[1:])
    def test_typing_slip_after_a_slip(self, name):
        """A wrong a, and later digits transposed in typing only: the calculator kept the right."""
        answers = follow({"a": np.array([0.2, 0.04])}, None, carry=False)
        answers[name] = answers[name] + 0.27
        assert set(grade(answers)) == {"a", name}

    def test_says_what_was_carried_forward(self):
        """The summary of the last cell names the steps that follow from a slip."""
        chain = CHAIN.fresh()
        for name, answer in follow({"y": np.array([0.9])}, None, carry=False).items():
            if name == "y":
                with pytest.raises(CheckFailed):
                    chain.check(name, answer)
            else:
                chain.check(name, answer)
        assert chain.summary().splitlines()[0] == "12 of 13 steps are right."
        assert "loss, dL_dy, dL_dW2" in chain.summary()


def rests_on_zeros(answers: dict[str, np.ndarray]) -> bool:
    """Whether some answer is zero to two decimals, so that what follows may be for nothing."""
    steps = CHAIN.steps.values()
    return any(
        np.abs(answers[s.name]).max() <= 0.0101 and np.abs(CHAIN.exact[s.name]).max() > 0.0101
        for s in steps
    )


JUNK = {
    "zeros": lambda shape: np.zeros(shape),
    "nan": lambda shape: np.full(shape, np.nan),
    "inf": lambda shape: np.full(shape, np.inf),
    "huge": lambda shape: np.full(shape, 1e300),
    "large": lambda shape: np.full(shape, 1e7),
    "none": lambda shape: np.full(shape, None).tolist(),
    "nothing": lambda shape: None,
    "text": lambda shape: np.full(shape, "0.3").tolist(),
    "true": lambda shape: np.full(shape, True).tolist(),
    "complex": lambda shape: np.full(shape, 1j),
    "too_many": lambda shape: np.zeros((*shape, 2)),
    "empty": lambda shape: [],
    "function": lambda shape: print,
    "dict": lambda shape: {},
}


class TestNoFreePoints:
    @pytest.mark.parametrize("junk", JUNK)
    def test_the_same_junk_everywhere(self, junk):
        """Filling every answer with the same junk earns nothing."""
        answers = {name: JUNK[junk](step.shape) for name, step in CHAIN.steps.items()}
        assert set(grade(answers)) == set(CHAIN.steps)

    @pytest.mark.parametrize("junk", JUNK)
    @pytest.mark.parametrize("name", [n for n in CHAIN.steps if not n.endswith("updated")])
    def test_nothing_trivial_follows_from_junk(self, junk, name):
        """After junk upstream, zeros and copies of given numbers earn nothing."""
        lazy = {n: np.zeros(step.shape) for n, step in CHAIN.steps.items()}
        copied = {n: CHAIN.givens[n[:2]] for n in lazy if n.endswith("_updated")}
        answers = (
            lazy | copied | {"y": CHAIN.givens["b2"], name: JUNK[junk](CHAIN.steps[name].shape)}
        )
        assert set(grade(answers)) == set(CHAIN.steps)

    @pytest.mark.parametrize("junk", ["none", "nothing", "nan", "text", "too_many", "huge"])
    def test_uncheckable_steps_say_what_is_missing(self, junk):
        """Steps that need an unusable answer score 0 and say which one it is."""
        answers = dict(work(Style(4)), z=JUNK[junk]((2,)))
        lost = grade(answers)
        uses_z = {n for n, step in CHAIN.steps.items() if "z" in needs(step.formula)}
        assert set(lost) == {"z"} | uses_z
        for name in uses_z:
            assert "worked out from z" in lost[name]

    @pytest.mark.parametrize(
        "large, later",
        [
            ({"y": [1000.0]}, {"loss": 7.0}),
            ({"z": [1000.0, 1000.0]}, {"dL_dW1": np.full((2, 3), 0.5), "dL_db1": [0.5, 0.5]}),
        ],
    )
    def test_large_answers_give_no_room(self, large, later):
        """The slack that large answers make is theirs alone: anything near the exact is wrong."""
        right = {name: CHAIN.exact[name] for name in CHAIN.steps}
        lost = grade(right | large | later)
        assert {*large, *later} <= set(lost)

    def test_zero_gradient_does_not_pay_for_the_update(self):
        """A gradient of zero makes the update a copy of the old weights: no points for it."""
        answers = follow({"dL_dW1": np.zeros((2, 3))}, None, carry=False)
        lost = grade(answers)
        assert set(lost) == {"dL_dW1", "W1_updated"}
        assert "zeros" in lost["W1_updated"]

    @pytest.mark.parametrize("first, second", [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    def test_an_answer_may_be_corrected(self, first, second):
        """The last answer to a step counts, as when a cell is run again."""
        chain = CHAIN.fresh()
        for value in ([first, second], CHAIN.exact["a"]):
            try:
                chain.check("a", value)
            except CheckFailed:
                continue
        assert chain.right == {"a": "exact"}
