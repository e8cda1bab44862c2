"""What nbgrader does without our configuration: the reason for each part of it.

Where a newer nbgrader makes one of these fail, the part of ours may be dropped.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .course import MAIN, VALUES, Course, main_notebook, over_notebook, values_notebook
from .submissions import delete, duplicate, skipped_test

FULL = 2.0
STOCK = {  # what stock nbgrader 0.9.6 gives, of 2 points, for each last value of a test cell
    "stderr": 0.0,
    "nan": FULL,
    "negative": FULL,
    "numpy_float": FULL,
    "numpy_nan": FULL,
    "listed": FULL,
    "shown_then_failed": FULL,
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The tiny course under an empty configuration, graded once."""
    course = Course(
        tmp_path_factory.mktemp("stock"),
        stock=True,
        **{
            MAIN: main_notebook(),
            "values": values_notebook(set(VALUES) - {"infinite"}),
            "over": over_notebook(),
        },
    )
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    course.submit("valued", name="values")
    course.submit("over", name="over")
    course.submit(
        "lost_neighbours", delete("base", "test_double", "factor", "triple", "test_triple")
    )
    course.submit("skipped", skipped_test)
    course.nbgrader("autograde", "ex1", "--OverwriteCells.add_missing_cells=True")
    return course


@pytest.mark.parametrize("name", STOCK)
def test_values(stock: Course, name: str) -> None:
    """Marks are read off the outputs as they come."""
    assert stock.points("valued", "values")[name] == STOCK[name]


def test_above_maximum(stock: Course) -> None:
    """One value above the maximum, inf among them, gives up the whole submission."""
    assert stock.lines("ValueError: partial credit cannot be greater than maximum")
    assert not (stock.root / "autograded" / "over" / "ex1").exists()


def test_restored_neighbours(stock: Course) -> None:
    """Where a test and the cell before it are missing, the submission is given up."""
    assert stock.lines("KeyError: 'triple'")
    assert not (stock.root / "autograded" / "lost_neighbours" / "ex1").exists()


def test_skipped(stock: Course) -> None:
    """A test that a tag keeps from running gives full marks."""
    assert stock.points("skipped") == {"test_double": 1, "test_triple": 2}


def test_duplicate_ends_the_batch(tmp_path: Path) -> None:
    """A copied cell ends the run for every student after it."""
    course = Course(tmp_path, stock=True, **{MAIN: main_notebook()})
    assert course.nbgrader("generate_assignment", "ex1") == 0, course.log
    course.submit("a_copy", duplicate("double"))
    course.submit("b_perfect")
    assert course.nbgrader("autograde", "ex1") != 0
    assert course.lines("use an old version")
    assert not (course.root / "autograded" / "b_perfect" / "ex1").exists()
