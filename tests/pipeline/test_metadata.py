"""The check of nbgrader's metadata: the verdicts and the words are nbgrader's own."""

from __future__ import annotations

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import CheckCellMetadata

from fairmark.preprocessors.metadata import CheckMetadata

from .course import check, notebook

ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([])
TRUTH = st.booleans()
SOUND = st.fixed_dictionaries(
    {"schema_version": st.just(3), "grade": TRUTH, "solution": TRUTH, "locked": TRUTH},
    optional={
        "grade_id": st.sampled_from(["a", "b-1", "", "b c", "c\n"]),
        "points": st.sampled_from([0, 1.5, -1, float("nan"), True]),
        "task": TRUTH,
        "checksum": st.sampled_from(["0" * 32, "0"]),
        "cell_type": st.sampled_from(["code", "markdown", "heading"]),
    },
)
META = st.builds(
    lambda sound, odd: sound | odd,
    SOUND,
    st.just({})
    | st.dictionaries(
        st.sampled_from(["schema_version", "grade", "locked", "grade_id", "points", "task", "x"]),
        ODD,
    ),
)


@settings(max_examples=200, deadline=None)
@given(kinds=st.lists(st.tuples(TRUTH, st.none() | META), max_size=3))
def test_same_verdicts(kinds: list[tuple[bool, dict | None]]) -> None:
    """What passes nbgrader's check passes ours; what does not raises the same."""
    cells = []
    for code, meta in kinds:
        cells.append(new_code_cell("x") if code else new_markdown_cell("x"))
        if meta is not None:
            cells[-1].metadata["nbgrader"] = nbformat.from_dict(meta)

    def raised(check: CheckCellMetadata) -> tuple[type, str] | None:
        try:
            check.preprocess(notebook(*cells), {})
        except Exception as error:
            return type(error), str(error)
        return None

    assert raised(CheckMetadata()) == raised(CheckCellMetadata())


def test_names_of_cells() -> None:
    """Two cells of one name are refused, in any notebook after any other."""
    first, second, same = check("a", "x"), check("b", "x"), check("a", "x")
    same.id = "c"
    for _ in range(2):
        CheckMetadata().preprocess(notebook(first, second), {})
        with pytest.raises(ValidationError, match="may be corrupted"):
            CheckMetadata().preprocess(notebook(first, second, same), {})
