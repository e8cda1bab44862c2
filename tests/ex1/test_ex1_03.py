"""ex1_03 gives honest solutions all its points and takes from wrong ones what they get wrong."""

from __future__ import annotations

import ast
import builtins
from copy import deepcopy
from numbers import Number

import matplotlib
import numpy as np
import pytest
import torch
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from fairmark.notebooks import Role, role_of, run
from tests.ex1.ex1_03_right import RIGHT
from tests.ex1.ex1_03_wrong import WRONG
from tests.ex1.variants import Variant, changed_source, read_source, run_variant

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


@pytest.fixture(autouse=True)
def closed_figures():
    """Draw without a display, and let no figure outlive its test."""
    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def release_of(notebook: NotebookNode) -> NotebookNode:
    """What a student gets of ``notebook``: no solutions, no hidden tests."""
    released = deepcopy(notebook)
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        released, _ = preprocessor.preprocess(released, {})
    return released


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
    """The lists are as long as promised, and no two entries share a name."""
    names = [variant.name for variant in RIGHT + WRONG]
    assert len(set(names)) == len(names)
    assert len(RIGHT) >= 12
    assert len(WRONG) >= 16


# Two worlds: student cells in one namespace, test cells in another that sees handles and copies.


class Handle:
    """A student's object as a test cell sees it in grading: reached by calls and attributes."""

    def __init__(self, thing):
        object.__setattr__(self, "_thing", thing)

    def __call__(self, *args, **kwargs):
        inner = [_to_student(a) for a in args]
        result = self._thing(*inner, **{k: _to_student(v) for k, v in kwargs.items()})
        for mine, theirs in zip(args, inner, strict=True):
            if isinstance(mine, torch.Tensor):
                mine.data.copy_(theirs.data)  # changes in place travel back
        return _to_grader(result)

    def __getattr__(self, name):
        return _to_grader(getattr(self._thing, name))

    def __setattr__(self, name, value):
        setattr(self._thing, name, _to_student(value))

    def __iter__(self):
        return map(_to_grader, self._thing)

    def __len__(self):
        return len(self._thing)


def _copied(value, cross):
    """A copy of ``value`` if it is data, else None."""
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone().requires_grad_(value.requires_grad)
        copy.grad = None if not value.is_leaf or value.grad is None else value.grad.clone()
        return copy
    if isinstance(value, list | tuple):
        return type(value)(map(cross, value)) if type(value) in (list, tuple) else None
    if type(value) is dict:
        return {key: cross(item) for key, item in value.items()}
    return value.copy() if isinstance(value, np.ndarray | np.generic) else None


def _to_student(value):
    if isinstance(value, Handle):
        return value._thing
    copy = _copied(value, _to_student)
    return value if copy is None else copy


def _to_grader(value):
    if value is None or isinstance(value, str | bool | Number):
        return value
    copy = _copied(value, _to_grader)
    return Handle(value) if copy is None else copy


def _loaded(source: str) -> set[str]:
    """The names that a cell loads and does not define itself."""
    loaded, defined = set(), set(dir(builtins))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    return loaded - defined


def lost_in_two_worlds(notebook: NotebookNode, variant: Variant) -> set[str]:
    """The tests that ``variant`` loses when tests see handles and copies of its objects alone."""
    student, grader, lost = {"__name__": "__main__"}, {"__name__": "grader"}, set()
    for cell in notebook.cells:
        role, name = role_of(cell), cell.metadata.get("nbgrader", {}).get("grade_id")
        if role is Role.TEST:
            wanted = _loaded(cell.source) & student.keys()
            theirs = {key: _to_grader(student[key]) for key in wanted}
            try:
                exec(cell.source, {**theirs, **grader})
            except Exception:
                lost.add(name)
        if role is Role.GIVEN and _loaded(cell.source) <= grader.keys():
            exec(cell.source, grader)
        if role in (Role.GIVEN, Role.ANSWER):
            try:
                exec(changed_source(cell.source, variant.cells.get(name, [])), student)
            except Exception as error:
                student["last_error"] = error  # as in a kernel, the next cell runs all the same
    return lost


TELLING = [Variant("reference", {})] + [
    variant
    for variant in RIGHT + WRONG
    if variant.name
    in {
        "batch_norm_of_the_input",
        "double_precision_inside",
        "line_plus_curve_with_weight_norm",
        "lbfgs_with_closure_for_each_mini_batch",
        "gradients_from_autograd_grad",
        "history_as_detached_tensors",
        "inference_mode",
        "extra_layer_in_a_plain_list",
        "residual_branch_under_no_grad",
        "input_changed_in_place",
        "no_nonlinearity",
        "zero_grad_once_per_epoch",
        "updated_twice",
        "trains_a_copy",
        "history_keeps_the_graph",
        "predict_changes_the_input_in_place",
        "gradient_kept",
        "model_in_train_mode",
    }
]


@pytest.mark.parametrize("variant", TELLING, ids=str)
def test_marks_are_the_same_when_tests_see_handles_only(notebook, variant):
    """Test cells need nothing of a student's object but calls, attributes and copies of data."""
    assert lost_in_two_worlds(notebook, variant) == variant.loses
