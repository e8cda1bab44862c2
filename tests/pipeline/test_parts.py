"""Corners of the preprocessors that no small class of students reaches."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.nbgraderformat import MetadataValidator

from fairmark.preprocessors.cells import parse, split_hidden
from fairmark.preprocessors.execute import BoundedExecute, NotedLimit
from fairmark.preprocessors.reading import Unreadable, read_submission
from fairmark.preprocessors.refusals import refused_imports
from fairmark.preprocessors.restore import Known, _known, _order_in, _positions
from fairmark.preprocessors.results import result_of

from .course import check, message, notebook

PACKAGES = ["torch", "jax"]


class TestRefusedImports:
    """Which imports are seen."""

    @pytest.mark.parametrize(
        ("source", "line"),
        [
            ("import torch", 1),
            ("x = 1\nimport numpy, torch.nn as nn", 2),
            ("from torch.nn import functional as F", 1),
            ("def f():\n    def g():\n        import torch", 3),
            ("net = __import__('torch')", 1),
            ("import importlib\nt = importlib.import_module('torch.nn')", 2),
            ("from importlib import import_module as m, import_module\nimport_module('torch')", 2),
            ("\n\n  \nimport torch", 4),
            ("%matplotlib inline\n!ls\nimport torch", 3),
            ("%%time\nx = 1\nimport torch", 3),
            ("x = 1\n%time import torch", 2),
            ("exec('import torch')", 1),
            ("x = 1; import torch", 1),
        ],
    )
    def test_found(self, source: str, line: int) -> None:
        """An import is found, with the line on which a person sees it."""
        assert refused_imports(source, PACKAGES) == [(line, "torch")]

    @pytest.mark.parametrize(
        "source",
        [
            "import numpy as np",
            "torch = 3",
            "# import torch",
            "text = 'import torch'",
            "import torchlight",
            "from . import torch",
            "def broken(:\n    import torch",
            "x = 1\n    import torch",
            "import to\0rch",
            "",
        ],
    )
    def test_not_found(self, source: str) -> None:
        """What imports nothing refused, or cannot run at all, is no import."""
        assert refused_imports(source, PACKAGES) == []

    def test_several(self) -> None:
        """All of them come, in order."""
        assert refused_imports("import jax\nimport torch", PACKAGES) == [(1, "jax"), (2, "torch")]


class TestExecute:
    """Bounds that the class of students does not reach."""

    def test_budget(self) -> None:
        """When the time of the notebook is used up, what is left is not run."""
        nap = "import time; time.sleep(2)"
        content = notebook(
            check("first", "1"), new_code_cell(nap), new_code_cell(nap), check("last", "1")
        )
        BoundedExecute(notebook_timeout=4).preprocess(content, {})
        assert [cell.execution_count for cell in content.cells] == [1, 2, 3, None]
        assert "ran longer than 1 s, what was left of 4 s" in str(content.cells[2].outputs)
        assert message(content, "last") == "not run: the 4 s of the notebook were used up before it"

    def test_no_answers(self) -> None:
        """A notebook without any code of the student's needs no kernel and earns nothing."""
        content = notebook(new_markdown_cell("prose"), check("test", "pass"))
        BoundedExecute(kernel_name="absent").preprocess(content, {})
        assert message(content, "test") == "not run: no answer was found in this notebook"

    def test_oversized_results(self) -> None:
        """A huge value or error is cut, never dropped: a dropped one would be full marks."""
        content = notebook(
            new_code_cell("x = 1"),
            check("value", "'x' * 5_000_000"),
            check("error", "raise ValueError('x' * 5_000_000)"),
        )
        BoundedExecute(max_output_bytes=50_000).preprocess(content, {})
        for cell in content.cells[1:]:
            assert len(str(cell.outputs)) < 200_000
            assert result_of(cell, content).output_type == "error"

    def test_notice_of_a_cut(self) -> None:
        """Cut output is noted after all that was kept, and beside what was noted before."""
        content = notebook(
            new_code_cell("print('x' * 5_000)\nprint('later')\n1 / 0", id="long"),
            new_code_cell("print('y\\n' * 2_000)", id="lines"),
            new_code_cell("print('z')", id="short"),
        )
        content.metadata["fairmark"] = {"noticed": ["before"]}
        BoundedExecute(max_output_bytes=4_500).preprocess(content, {})
        NotedLimit(max_lines=500).preprocess(content, {})
        assert [out.output_type for out in content.cells[0].outputs] == [
            "stream",
            "error",
            "stream",
        ]
        assert content.cells[0].outputs[0].text == "x" * 4_500
        assert "only 4500 bytes of output are kept" in content.cells[0].outputs[2].text
        assert content.metadata["fairmark"]["noticed"] == [
            "before",
            "the output of cell `long` was cut",
            "the output of cell `lines` was cut",
        ]

    def test_deadline_of_a_flood(self) -> None:
        """Past the deadline the messages of a cell are no longer listened to."""
        executor = BoundedExecute()
        executor._until = 0.0
        text = {"msg_type": "stream", "content": {"name": "stdout", "text": "x"}}
        with pytest.raises(CellExecutionComplete):
            executor.process_message(text, new_code_cell("x"), 0)
        assert executor._cut


class TestResult:
    """The one result of a test cell."""

    @staticmethod
    def cell(source: str, *outputs: NotebookNode, count: int | None = 3) -> NotebookNode:
        """An executed test cell of 1 point."""
        cell = check("test", source)
        cell.execution_count, cell.outputs = count, list(outputs)
        return cell

    @staticmethod
    def told(cell: NotebookNode, *others: NotebookNode) -> str:
        """The message for the student about ``cell``, in a notebook with ``others``."""
        return result_of(cell, notebook(*others, cell)).evalue

    def test_not_executed(self) -> None:
        """Without a sign of execution there are no marks."""
        cell = self.cell("assert True", count=None)
        assert result_of(cell, notebook(cell)).ename == "NotRun"

    def test_fault_in_answer(self) -> None:
        """An error in the student's own code, under a hidden call, is told in full."""
        frames = ["Cell In[3], line 3\n", "Cell In[1], line 7, in double(x)\n", "TypeError: no"]
        error = nbformat.v4.new_output("error", ename="TypeError", evalue="no", traceback=frames)
        source = "# test\n### BEGIN HIDDEN TESTS\ndouble(2)\n### END HIDDEN TESTS"
        assert self.told(self.cell(source, error)) == "TypeError in your code: no"

    def test_visible_check(self) -> None:
        """So is a failed check that the student can read."""
        error = nbformat.v4.new_output(
            "error", ename="AssertionError", evalue="", traceback=["Cell In[3], line 1\n"]
        )
        source = "assert x\n### BEGIN HIDDEN TESTS\ny\n### END HIDDEN TESTS"
        assert "line 1 of this cell" in self.told(self.cell(source, error))

    def test_hidden_without_traceback(self) -> None:
        """Where no traceback says whence an error comes, its text is not told."""
        error = nbformat.v4.new_output("error", ename="E", evalue="wanted 42", traceback=[])
        source = "assert x\n### BEGIN HIDDEN TESTS\ny\n### END HIDDEN TESTS"
        assert self.told(self.cell(source, error)) == "a hidden check did not pass (E)."

    def test_check_failed(self) -> None:
        """A message that was written for students is told."""
        error = nbformat.v4.new_output(
            "error", ename="CheckFailed", evalue="y has shape (2,)", traceback=[]
        )
        assert self.told(self.cell("x", error)) == "y has shape (2,)"

    @pytest.mark.parametrize(
        ("visible", "answer", "told"),
        [
            ("assert chain", "", "chain is not defined: did its cell run without an error?"),
            ("pass", "chain = 1 / 0", "chain is not defined: did its cell run without an error?"),
            ("pass", "def chain(): pas s", "a hidden check did not pass (NameError)."),
            ("# Checks the chain.", "x = chain", "a hidden check did not pass (NameError)."),
            ("pass", "raise NameError", "a hidden check did not pass (NameError)."),
        ],
    )
    def test_unknown_name(self, visible: str, answer: str, told: str) -> None:
        """A name that only hidden lines hold is neither told nor the student's fault."""
        error = nbformat.v4.new_output(
            "error",
            ename="NameError",
            evalue="name 'chain' is not defined",
            traceback=["Cell In[3], line 3\n"],
        )
        source = f"{visible}\n### BEGIN HIDDEN TESTS\nchain.check('a', a)\n### END HIDDEN TESTS"
        assert self.told(self.cell(source, error), new_code_cell(answer)) == told


class TestOrder:
    """The order of the cells of an assignment, which the gradebook does not keep."""

    @staticmethod
    def kept(*names: str) -> SimpleNamespace:
        """A notebook of the gradebook that gives its cells in this order."""
        cells = [
            SimpleNamespace(name=n, locked=True, cell_type="code", source=n, checksum=None)
            for n in names
        ]
        return SimpleNamespace(source_cells=cells, grade_cells=[], solution_cells=[], task_cells=[])

    def test_of_the_release(self, tmp_path: Path) -> None:
        """It is that of the first original that can be read; what is not in it comes last."""
        broken, original = tmp_path / "broken.ipynb", tmp_path / "a.ipynb"
        broken.write_text("{")
        cells = [new_markdown_cell("title"), *(check(name, "pass") for name in "abc")]
        nbformat.write(notebook(*cells), original)
        order = _order_in([tmp_path / "absent.ipynb", broken, original])
        assert list(_known(self.kept("new", "c", "a", "b"), order)) == ["a", "b", "c", "new"]

    def test_without_original(self, tmp_path: Path) -> None:
        """Where there is none, the gradebook's stays."""
        order = _order_in([tmp_path / "absent.ipynb"])
        assert list(_known(self.kept("b", "a"), order)) == ["b", "a"]


class TestPositions:
    """Where missing cells go."""

    KNOWN = tuple(
        Known(name, "code", name, {"locked": "A" not in name, "grade": "T" in name, "task": False})
        for name in ("G1", "A1", "T1", "G2", "A2", "T2")
    )

    def place(self, *names: str, prose: tuple[str, ...] = ()) -> list[str]:
        """The order of cells after restoring what is missing among ``names``."""
        cells = [(new_markdown_cell if n in prose else new_code_cell)(n, id=n) for n in names]
        places = {one.name: names.index(one.name) for one in self.KNOWN if one.name in names}
        order: list[str] = []
        found = [(index, one.name) for index, one in _positions(cells, self.KNOWN, places)]
        for index in range(len(names) + 1):
            order += [name for at, name in found if at == index] + list(names[index : index + 1])
        return order

    @pytest.mark.parametrize("left", [["A1", "A2"], ["G1", "A1", "A2"], ["A1", "G2", "A2"]])
    def test_neighbours(self, left: list[str]) -> None:
        """Any missing neighbours come back in order."""
        assert self.place(*left) == ["G1", "A1", "T1", "G2", "A2", "T2"]

    def test_own_cells(self) -> None:
        """A test comes after what the student added to the answer, before the next lead-in."""
        order = self.place("G1", "A1", "mine", "lead", "A2", prose=("lead",))
        assert order == ["G1", "A1", "mine", "T1", "G2", "lead", "A2", "T2"]

    def test_nothing_recognised(self) -> None:
        """Without any known cell, what is given comes first and the tests last."""
        order = self.place("title", "x", "y", prose=("title",))
        assert order == ["title", "G1", "x", "y", "T1", "G2", "T2"]


def test_split_hidden() -> None:
    """The hidden part is told from the visible one by line."""
    source = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    assert split_hidden(source) == ("a\nc", {2, 3, 4})


def test_parse_keeps_line_numbers() -> None:
    """Blank lines and magics before a statement do not shift it."""
    tree = parse("\n\n%matplotlib inline\nx = 1")
    assert tree is not None
    assert tree.body[-1].lineno == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading", 3]),
        "source": JSON | st.text(),
        "id": JSON | st.sampled_from(["a", "b c", "x" * 70]),
        "metadata": JSON | st.fixed_dictionaries({"nbgrader": JSON, "tags": JSON}),
        "outputs": JSON,
        "attachments": JSON,
        "execution_count": JSON,
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=st.lists(CELL | JSON) | JSON, version=st.sampled_from([4, 4, 4, 3, 5, None, "4", []]))
def test_any_json(tmp_path_factory: pytest.TempPathFactory, cells: object, version: object) -> None:
    """Whatever JSON is in a file, it is a valid notebook or is said to be none."""
    path = tmp_path_factory.mktemp("json") / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": version, "metadata": cells}))
    try:
        content, _ = read_submission(path, 1_000_000)
    except Unreadable as reason:
        assert str(reason)
    else:
        nbformat.validate(content)
        MetadataValidator().validate_nb(content)


def test_outputs_are_not_read(tmp_path: Path) -> None:
    """Whatever a file shows under its cells, none of it is there when grading begins."""
    shown = nbformat.v4.new_output("stream", text="x")
    path = tmp_path / "a.ipynb"
    nbformat.write(notebook(new_code_cell("x", outputs=[shown], execution_count=3)), path)
    cell = read_submission(path, 1_000_000)[0].cells[0]
    assert (cell.source, cell.outputs, cell.execution_count) == ("x", [], None)


@pytest.mark.parametrize("folder", [True, False])
def test_no_file(tmp_path: Path, folder: bool) -> None:
    """A folder or a dangling link under the name of a notebook is no notebook."""
    path = tmp_path / "a.ipynb"
    path.mkdir() if folder else path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Unreadable, match="a link or something else than a file"):
        read_submission(path, 1_000_000)
