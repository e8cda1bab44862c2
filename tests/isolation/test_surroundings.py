"""What is around a run: files, other notebooks, threads, and what nbgrader may not have said."""

from __future__ import annotations

import threading

import nbformat
import pytest
from jupyter_core.utils import ensure_event_loop

from fairmark.isolation.execute import IsolatedExecute
from tests.pipeline.course import check, given, message, notebook

from .graded import grade, student

NUMPY = given("imports", "import numpy as np")


class TestAround:
    @pytest.mark.parametrize("resources", [{}, {"metadata": {}}, {"nbgrader": {}}])
    def test_resources_may_lack_what_nbgrader_adds(self, resources):
        """The executor runs on its own, too."""
        assert (
            grade(student("x = 1"), check("t", "assert x"), resources=resources).result("t") is None
        )

    def test_files_beside(self, tmp_path):
        """The course's for given cells and tests, those handed in for the kernel."""
        folders = {name: tmp_path / name for name in ("course", "submission")}
        for name, folder in folders.items():
            folder.mkdir()
            (folder / "data.txt").write_text(name)
            for module in ("numpy", "fairmark", "json", "helper"):
                (folder / f"{module}.py").write_text(f"where = '{name}'\n")
        nbformat.write(notebook(), folders["course"] / "n.ipynb")
        graded = grade(
            given("data", "from pathlib import Path\ntext = Path('data.txt').read_text()"),
            student("theirs = text"),
            check("test", "assert (text, theirs) == ('course', 'submission')"),
            check(
                "modules",
                "import json, numpy, fairmark.checks\nassert json.dumps(numpy.ones(1).tolist())\n"
                "assert not hasattr(numpy, 'where') or callable(numpy.where)",
            ),
            resources={
                "metadata": {"path": str(folders["submission"])},
                "nbgrader": {"originals": [str(folders["course"] / "n.ipynb")]},
            },
        )
        assert graded.result("test") is None and graded.result("modules") is None

    def test_nothing_reaches_the_next_notebook(self):
        """Each has processes of its own, forked from one that has seen no test."""
        change = (
            "import os\nnp.random.seed(0)\nnp.tag = 1\nos.environ['TAG'] = 'x'\n"
            "os.chdir('/')\nnp.seterr(all='raise')\ndrawn = np.random.rand()\nprint(drawn)"
        )
        fresh = (
            "import os\nassert not hasattr(np, 'tag') and 'TAG' not in os.environ\n"
            "assert os.getcwd() != '/' and np.geterr()['divide'] == 'warn'\nprint(np.random.rand())"
        )
        cells = [NUMPY, student("x = 1"), check("test", change)]
        assert grade(*cells).result("test") is None
        after = [grade(*cells[:2], check("test", fresh)) for _ in range(2)]
        assert [graded.result("test") for graded in after] == [None, None]
        assert after[0].printed("test") != after[1].printed("test")

    def test_two_threads(self):
        """A server may grade two notebooks at the same time."""
        results = {}

        def one(number):
            cells = [student(f"x = {number}"), check("t", f"assert x == {number}")]
            results[number] = [grade(*cells).result("t") for _ in range(4)]
            ensure_event_loop().close()  # nbclient made it for this thread

        threads = [threading.Thread(target=one, args=[number]) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {0: [None] * 4, 1: [None] * 4}

    def test_nothing_to_run(self):
        """Without an answer no kernel is started."""
        content = notebook(check("t", "pass"))
        IsolatedExecute().preprocess(content, {})
        assert message(content, "t") == "not run: no answer was found in this notebook"
