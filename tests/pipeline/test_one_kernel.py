"""The same class graded without isolation: tests and answers in one kernel, as stock nbgrader does.

Honest work gets the same marks. Hidden tests can be read there, so their text is kept out of
messages and pages as far as that can be done.
"""

from __future__ import annotations

import pytest

from .course import FAULTS_IN_ONE_KERNEL, ONE_KERNEL, VALUES, Course, cell_of, message
from .submissions import ALTERED, FILES
from .test_feedback import SECRETS, text_of
from .tiny_class import SCORES, graded_class


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The class, graded with one line of configuration changed."""
    return graded_class(tmp_path_factory.mktemp("one_kernel"), ONE_KERNEL)


@pytest.mark.parametrize("student", sorted({*ALTERED, "blank"}))
def test_score(graded: Course, student: str) -> None:
    """Every student has the score that isolation gives."""
    assert sum(graded.points(student).values()) == SCORES.get(student, 3)


@pytest.mark.parametrize("student", sorted(FILES))
def test_file(graded: Course, student: str) -> None:
    """So does every odd file."""
    assert sum(graded.points(student).values()) == FILES[student][1]


@pytest.mark.parametrize("name", VALUES)
def test_points(graded: Course, name: str) -> None:
    """A last value that may as well be shown by an answer is a fault of the test."""
    wanted = 0 if name in FAULTS_IN_ONE_KERNEL else VALUES[name][1]
    assert graded.points("valued", "values")[name] == wanted
    fault = graded.lines("ERROR", f"valued/values: test cell `{name}`: fault of the test")
    assert len(fault) == (name in FAULTS_IN_ONE_KERNEL)


@pytest.mark.parametrize("how", ["as_check", "in_name", "as_repr", "one_line"])
def test_leaks(graded: Course, how: str) -> None:
    """Whatever name an error has, its text is not told where it shows a hidden line."""
    told = message(graded.graded(f"leaks_{how}"), "test_double")
    assert told.startswith("a hidden check did not pass (")
    assert "\n" not in told


def test_page_of_a_leak(graded: Course) -> None:
    """An output that shows a hidden line is not shown."""
    page = text_of(graded.page("leaks"))
    assert "showed the text of hidden tests" in page
    assert not any(secret in page for secret in SECRETS)
    assert "secret_input" in str(cell_of(graded.graded("leaks"), "mine").outputs)
