"""Feedback pages: the short message of each result, and nothing of the hidden tests."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup

from .course import MAIN, Course, cell_of
from .submissions import ALTERED

SECRETS = ("secret_input", "wanted 42", "== 42", "triple(21)", "HIDDEN TESTS")


def text_of(page: str) -> str:
    """What a reader sees on ``page``."""
    soup = BeautifulSoup(page, "html.parser")
    for tag in soup(["style", "script"]):
        tag.decompose()
    return soup.get_text()


@pytest.mark.parametrize("student", sorted({*ALTERED, "blank"} - {"marker"}))
def test_no_secret(graded: Course, student: str) -> None:
    """No page shows hidden lines or expected values, as text or in its HTML."""
    body = graded.page(student).split("</head>")[1]
    for secret in SECRETS:
        assert secret not in text_of(body)
        assert secret not in re.sub(r"<[^>]*>", "", body)
        assert secret not in body


def test_message(graded: Course) -> None:
    """A test cell shows the message of its result alone."""
    text = text_of(graded.page("wrong"))
    assert "a hidden check did not pass (AssertionError)." in text
    assert "Traceback" not in text
    text = text_of(graded.page("undefined"))
    assert "triple is not defined: did its cell run without an error?" in text
    assert "triple(1) is to be an int" in text  # the visible part of the test stays


def test_partial(graded: Course) -> None:
    """A test with a part of its points says how many."""
    assert "Points for this cell: 0.5" in text_of(graded.page("valued", "values"))


def test_printed_text_is_gone(graded: Course) -> None:
    """What a test printed is the instructor's."""
    text = text_of(graded.page("valued", "values")).replace("print('warned'", "")
    assert "warned" not in text


def test_markers_of_a_student(graded: Course) -> None:
    """A student's own cell may hold nbgrader's markers, and stays as it is."""
    assert "note = '### BEGIN HIDDEN TESTS'" in text_of(graded.page("marker"))


def test_other_cells_stay(graded: Course) -> None:
    """The student's own outputs are shown, unless they show a hidden line."""
    assert "without torch: line 3 of this cell imports it" in text_of(graded.page("torch"))
    assert "Implement triple." in text_of(graded.page("perfect"))


def test_nothing_to_leak(graded: Course) -> None:
    """What a student's code may print of its own process holds nothing of a test."""
    for student in ("leaks", "leaks_one_line"):
        printed = str(cell_of(graded.graded(student), "mine").outputs)
        assert not any(secret in printed for secret in SECRETS)


def test_unreadable(graded: Course) -> None:
    """The page of a file that could not be read says why."""
    assert "cannot be read: it is empty" in text_of(graded.page("f_empty"))
    assert f"{MAIN} (Score: 0.0 / 3.0)" in text_of(graded.page("f_empty"))
