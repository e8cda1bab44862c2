"""Comparing arrays, and what the messages say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fairmark.checks import CheckFailed
from fairmark.checks.compare import (
    attempt,
    attribute,
    attributes,
    close,
    compare,
    draw,
    set_attributes,
    unchanged,
)

WANTED = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


class TestCompare:
    @pytest.mark.parametrize("got", [WANTED, WANTED.tolist(), WANTED.astype(np.float32)])
    def test_types_are_forgiven(self, got):
        """Lists and single precision agree."""
        compare("dL_dW", got, WANTED)

    def test_rounding_of_single_precision_is_forgiven(self):
        """A relative error of 1e-5 is honest, one of 1e-2 is a mistake."""
        compare("dL_dW", WANTED * (1 + 1e-5), WANTED)
        with pytest.raises(CheckFailed):
            compare("dL_dW", WANTED * 1.01, WANTED)

    def test_shape_is_not_forgiven(self):
        """The message states both shapes."""
        with pytest.raises(CheckFailed, match=r"dL_db has shape \(1, 3\); shape \(3,\) is wanted"):
            compare("dL_db", WANTED[:1], WANTED[0])

    def test_first_mistake_that_matches_is_named(self):
        """A mistake may have another shape than the right value."""
        mistakes = [("the wrong sign", -WANTED), ("the shape of W.T", WANTED.T)]
        with pytest.raises(CheckFailed, match=r"shape \(2, 3\) is wanted.*looks like.*of W.T"):
            compare("dL_dW", WANTED.T, WANTED, mistakes)

    def test_advice_stands_where_no_mistake_matches(self):
        """The number of wrong entries is told, no entry of the wanted array is."""
        got = WANTED.copy()
        got[0, 0] = 7.25
        with pytest.raises(CheckFailed, match=r"1 of 6 entries are wrong. Look again.") as failed:
            compare("dL_dW", got, WANTED, [("the wrong sign", -WANTED)], "Look again.")
        assert not any(str(value) in str(failed.value) for value in WANTED.flat)

    @pytest.mark.parametrize("got", [None, "text", np.full(WANTED.shape, np.nan)])
    def test_what_is_no_number_fails(self, got):
        """None, text and nan are failures with the name of the quantity."""
        with pytest.raises(CheckFailed, match="dL_dW"):
            compare("dL_dW", got, WANTED)


def test_nothing_agrees_with_a_value_that_is_not_finite():
    """A mistake or an own value that overflowed is no match."""
    assert not close(np.zeros(2), np.array([np.inf, 0.0]))
    assert not close(np.zeros(2), np.array([np.nan, 0.0]))


def test_change_in_place_is_seen():
    """The name of the array is in the message."""
    unchanged("x", WANTED, WANTED.copy())
    with pytest.raises(CheckFailed, match="x was changed in place"):
        unchanged("x", WANTED, WANTED + 1e-12)


def test_error_of_student_code_becomes_a_short_failure():
    """Kind and first words of the error are kept; a long text is cut."""

    def fails():
        raise ValueError("shapes\ndo not fit " + 500 * "x")

    with pytest.raises(CheckFailed, match="forward raised ValueError: shapes do not fit") as failed:
        attempt("forward", fails)
    assert len(str(failed.value)) < 300


class Locked:
    """Nothing can be set here."""

    __slots__ = ()


def test_attributes_come_one_after_the_other():
    """What is before one that is missing is there to be checked first."""
    net = SimpleNamespace(linear=SimpleNamespace(W=1))
    found = attributes("MLP", net, "linear.W", "linear.b")
    assert next(found) == 1
    with pytest.raises(CheckFailed, match=r"Reading linear\.b raised AttributeError"):
        next(found)


def test_what_cannot_be_set_is_named():
    """The object, and its attribute."""
    with pytest.raises(CheckFailed, match=r"Setting linear\.W raised AttributeError"):
        set_attributes("MLP", SimpleNamespace(linear=Locked()), {"linear.W": 1})
    with pytest.raises(CheckFailed, match=r"Reading MLP\.linear raised AttributeError"):
        set_attributes("MLP", Locked(), {"linear.W": 1})


def test_missing_attribute_is_named():
    """Owner and attribute are in the message."""
    with pytest.raises(CheckFailed, match=r"Linear\.dL_dW"):
        attribute("Linear", object(), "dL_dW")


def test_drawn_numbers_are_of_either_sign_and_far_from_zero():
    """So that no wanted value is close to zero by chance."""
    numbers = draw(np.random.default_rng(0), (50, 4), np.float32)
    assert numbers.dtype == np.float32
    assert 0.3 <= np.abs(numbers).min() <= np.abs(numbers).max() <= 1.5
    assert (numbers > 0).any() and (numbers < 0).any()
