"""nbgrader's commands with this configuration: their exit codes, lines and files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .course import MAIN, Course, main_notebook


@pytest.fixture
def new(tmp_path: Path) -> Course:
    """A course that nothing was done with yet."""
    return Course(tmp_path / "new", **{MAIN: main_notebook()})


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """One with a release, figures and one submission."""
    course = Course(tmp_path_factory.mktemp("commands"), **{MAIN: main_notebook()})
    (course.root / "source" / "ex1" / "figures").mkdir()
    (course.root / "source" / "ex1" / "figures" / "draw_graph.py").write_text("draw = 1\n")
    (course.root / "source" / "ex1" / "figures" / "graph.svg").write_text("<svg/>\n")
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    course.submit("perfect")
    return course


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, by its path in it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def failed_in_one_line(course: Course, *words: str) -> None:
    """The last command said why in one line that holds ``words``, without a traceback."""
    assert not course.lines("Traceback")
    assert len(course.lines("ERROR")) == 1, course.log
    assert course.lines("ERROR", *words)


class TestBeforeRelease:
    """Commands that come too early."""

    def test_nothing_handed_in(self, new: Course) -> None:
        """Without any submission autograde says where it looked."""
        assert new.nbgrader("autograde", "ex1", "--force") != 0
        failed_in_one_line(new, "No notebooks were matched", "submitted/*/ex1")

    def test_no_release(self, new: Course) -> None:
        """Without a release it says what to run, and writes nothing."""
        new.file("early").write_text("{}")
        before = set(files(new.root))
        assert new.nbgrader("autograde", "ex1", "--force") != 0
        failed_in_one_line(new, "run `nbgrader generate_assignment ex1` first")
        assert set(files(new.root)) == before
        assert not (new.root / "autograded").exists()


class TestRelease:
    """``nbgrader generate_assignment``."""

    def test_twice(self, released: Course) -> None:
        """A second run gives the same bytes."""
        first = files(released.root / "release")
        assert released.nbgrader("generate_assignment", "ex1", "--force") == 0, released.log
        assert files(released.root / "release") == first

    def test_files(self, released: Course) -> None:
        """Figures are released, the scripts that draw them are not."""
        assert set(files(released.root / "release" / "ex1")) == {
            f"{MAIN}.ipynb",
            "figures/graph.svg",
        }

    def test_inactive_environment(self, new: Course) -> None:
        """A first run works though the environment's commands are not on PATH."""
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", "ex1"]
        env = {**os.environ, "PATH": "/usr/bin:/bin"}
        assert subprocess.run(command, cwd=new.root, env=env, capture_output=True).returncode == 0


NO_LANDLOCK = """
from fairmark.kernel import sandbox

def refuse():
    raise sandbox.SandboxUnavailable("Landlock ABI 6 is needed, this kernel has 4")

sandbox.check = refuse
"""


class TestAutograde:
    """``nbgrader autograde``."""

    def test_unknown_student(self, released: Course) -> None:
        """A student who handed in nothing is one line."""
        assert released.nbgrader("autograde", "ex1", "--student", "nobody") != 0
        assert not released.lines("Traceback")
        assert released.lines("ERROR", "No notebooks were matched", "submitted/nobody/ex1")
        assert not (released.root / "autograded" / "nobody").exists()

    def test_unknown_assignment(self, released: Course) -> None:
        """An assignment that was handed in but never released is one line."""
        path = released.root / "submitted" / "perfect" / "ex7"
        path.mkdir()
        (path / "a.ipynb").write_text("{}")
        assert released.nbgrader("autograde", "ex7") != 0
        failed_in_one_line(released, "run `nbgrader generate_assignment ex7` first")

    def test_no_sandbox(self, tmp_path: Path) -> None:
        """Where the system cannot confine student code, one line says what and how to go on."""
        course = Course(tmp_path, more=NO_LANDLOCK, **{MAIN: main_notebook()})
        assert course.nbgrader("generate_assignment", "ex1") == 0, course.log
        course.submit("perfect")
        assert course.nbgrader("autograde", "ex1") != 0
        failed_in_one_line(course, "this kernel has 4; to run it unconfined all the same")
        assert not (course.root / "autograded" / "perfect").exists()
        assert course.nbgrader("autograde", "ex1", "--WarmProvisioner.confined=False") == 0
        assert sum(course.points("perfect").values()) == 3

    def test_no_kernel(self, released: Course) -> None:
        """Where no kernel starts, nobody is given 0 for it: the submission is named and left."""
        hangs = "--WarmProvisioner.start_timeout=0"
        assert released.nbgrader("autograde", "ex1", "--force", hangs) != 0
        assert released.lines("ERROR", "error processing assignment 'ex1' for student 'perfect'")
        assert released.lines("LaunchError: a forked kernel did not start: it hangs")
        assert not (released.root / "autograded" / "perfect" / "ex1").exists()

    def test_again(self, released: Course) -> None:
        """Graded again with force, the marks are right; without, nothing is done."""
        assert released.nbgrader("autograde", "ex1", "--force") == 0, released.log
        assert sum(released.points("perfect").values()) == 3
        assert released.nbgrader("autograde", "ex1") == 0
        assert released.lines("Skipping existing assignment")


class TestOthers:
    """Commands that only share the configuration."""

    @pytest.mark.parametrize(
        "words",
        [["--help-all"], ["autograde", "--help-all"], ["generate_feedback", "--help-all"]],
        ids=" ".join,
    )
    def test_help(self, new: Course, words: list[str]) -> None:
        """The help, which lists the configuration, loads."""
        assert new.nbgrader(*words) == 0
        assert not new.lines("Traceback")

    def test_validate(self, released: Course) -> None:
        """The source passes its own tests."""
        assert released.nbgrader("validate", f"source/ex1/{MAIN}.ipynb") == 0, released.log
        assert released.lines("Success!")

    def test_solution(self, released: Course) -> None:
        """A solved version can be made."""
        assert released.nbgrader("generate_solution", "ex1", "--force") == 0, released.log
        assert (released.root / "solution" / "ex1" / f"{MAIN}.ipynb").exists()

    def test_formgrader(self, released: Course) -> None:
        """What formgrader runs when a person presses its buttons works too."""
        code = (
            "from nbgrader.apps.baseapp import NbGrader\n"
            "from nbgrader.apps.api import NbGraderAPI\n"
            "app = NbGrader(); app.initialize([])\n"
            "api = NbGraderAPI(config=app.config)\n"
            "for run in (api.autograde, api.generate_feedback):\n"
            "    result = run('ex1', 'perfect')\n"
            "    assert result['success'], result\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=released.root, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert sum(released.points("perfect").values()) == 3
        assert "Score: 3.0 / 3.0" in released.page("perfect")
