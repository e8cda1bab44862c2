"""The other tools of an instructor, with our configuration: validate, formgrader, nbconvert."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.course import MAIN, Course, cell_of, main_notebook

pytestmark = pytest.mark.pipeline

# As formgrader does when its button is pressed: in a process where an event loop is running.
BUTTON = """
import asyncio, json, os
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from fairmark.kernel import launcher

async def press(student):
    app = NbGrader()
    app.load_config_file()
    app.config.CourseDirectory.root = os.getcwd()
    api = NbGraderAPI(CourseDirectory(config=app.config), config=app.config)
    return api.autograde("ex1", student)

async def serve():
    done = [await press(student) for student in ("right", "wrong", "right")]
    started = [[zygote.process.pid, str(zygote.folder)] for zygote in launcher._running.values()]
    print(json.dumps([[answer["success"] for answer in done], started]))

asyncio.run(serve())
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with two submissions, released but not graded."""
    made = Course(tmp_path_factory.mktemp("tools"), **{MAIN: main_notebook()})
    assert made.nbgrader("generate_assignment", "ex1") == 0, made.log

    def wrong(content):
        cell_of(content, "triple").source = "def triple(x):\n    return 2 * x"

    made.submit("right")
    made.submit("wrong", wrong)
    return made


def run(course, *words):
    """A program of this environment, in the folder of the course."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, *words],
        cwd=course.root,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )


class TestTools:
    def test_validate(self, course):
        """The source passes; the release says which cells do not yet."""
        assert course.nbgrader("validate", f"source/ex1/{MAIN}.ipynb") == 0
        assert "Success!" in course.log
        assert course.nbgrader("validate", f"release/ex1/{MAIN}.ipynb") == 0
        assert "FAILED ON 2 CELL(S)" in course.log

    def test_a_source_notebook_runs_in_an_ordinary_kernel(self, course):
        """From top to bottom, hidden tests included."""
        words = ["--to", "notebook", "--execute", "--stdout", f"source/ex1/{MAIN}.ipynb"]
        assert "wanted 42" in run(course, "-m", "jupyter", "nbconvert", *words).stdout

    def test_the_button_of_formgrader(self, course):
        """It grades one student after another in the server, and leaves nothing behind."""
        line = run(course, "-c", BUTTON).stdout.strip().splitlines()[-1]
        success, started = json.loads(line)
        assert success == [True] * 3 and len(started) == 1
        for pid, folder in started:
            assert not Path(f"/proc/{pid}").exists() and not Path(folder).exists()
        marks = [sum(course.points(student).values()) for student in ("right", "wrong")]
        assert marks == [3, 1]
