"""ex1_03 gives honest solutions all its points and takes from wrong ones what they get wrong."""

from __future__ import annotations

from copy import deepcopy

import pytest
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from fairmark.notebooks import Role, role_of, run

from .ex1_03_right import RIGHT
from .ex1_03_wrong import WRONG
from .releases import release_of
from .variants import read_source, run_variant

NAME = "ex1_03_pytorch_regression"
POINTS = {
    "test_regression_mlp": 1.0,
    "test_train_model": 1.5,
    "test_fit": 1.0,
    "test_predict": 0.5,
}
# What torch says about some wrong solutions; students may well see it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using a target size"),
    pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad"),
]
STUB = ["# YOUR CODE HERE", "raise NotImplementedError()"]


@pytest.fixture
def notebook() -> NotebookNode:
    return read_source(NAME)


class TestReference:
    def test_scores_every_point(self, notebook):
        """The reference solution has 4 of 4 points, spread as the course says."""
        result = run(notebook)
        assert result.errors == {}
        assert {name: top for name, (_, top) in result.points.items()} == POINTS
        assert result.total == 4

    @pytest.mark.parametrize("seed", range(1, 6))
    def test_scores_every_point_under_other_seeds(self, notebook, seed):
        """The points do not hang on the seed of the student's process."""
        result = run(notebook, lambda c: c.source.replace("manual_seed(0)", f"manual_seed({seed})"))
        assert result.total == 4, result.errors


class TestRelease:
    def test_scores_nothing(self, notebook):
        """Every test cell fails on the untouched release."""
        result = run(release_of(notebook))
        assert result.total == 0
        assert result.lost == set(POINTS)

    def test_scores_nothing_with_hidden_tests(self, notebook):
        """Nor does it score when the hidden tests are back, as in grading."""
        result = run(ClearSolutions().preprocess(deepcopy(notebook), {})[0])
        assert result.lost == set(POINTS)
        assert result.total == 0

    def test_answer_cells_end_in_the_stub(self, notebook):
        """Each marked cell says where to work, in its last two lines."""
        answers = [
            cell.source
            for cell in release_of(notebook).cells
            if role_of(cell) is Role.ANSWER and "nbgrader" in cell.metadata
        ]
        assert len(answers) == 5
        for source in answers:
            assert [line.strip() for line in source.splitlines()[-2:]] == STUB

    def test_needs_no_fairmark(self, notebook):
        """What students get runs with numpy, torch and matplotlib alone."""
        assert all("fairmark" not in cell.source for cell in release_of(notebook).cells)


@pytest.mark.parametrize("variant", RIGHT, ids=str)
def test_right_solution_keeps_every_point(notebook, variant):
    """Another right solution has 4 of 4 points."""
    result = run_variant(notebook, variant)
    assert result.total == 4, result.errors


@pytest.mark.parametrize("variant", WRONG, ids=str)
def test_wrong_solution_loses_exactly_its_tests(notebook, variant):
    """A wrong solution loses the tests that it is about, and no other."""
    result = run_variant(notebook, variant)
    assert result.lost == variant.loses, result.errors


def test_variants_are_many_and_named_once():
    """The lists are as long as promised, names are unique, and some mistake costs each test."""
    names = [variant.name for variant in RIGHT + WRONG]
    assert len(set(names)) == len(names)
    assert len(RIGHT) >= 12
    assert len(WRONG) >= 16
    assert all(variant.loses for variant in WRONG)
    assert set(POINTS) == set().union(*(variant.loses for variant in WRONG))
