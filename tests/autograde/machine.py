"""Runs of ``fairmark autograde`` that are disturbed, and what is seen of them from outside."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.kernel.running import eventually, marked
from tests.pipeline.course import MAIN, Course, answer, check, main_notebook, notebook
from tests.pipeline.submissions import insert, write

SECOND = "second"  # the other notebook of the assignment
SLOW = "import time\nopen('started', 'w').close()\ntime.sleep(1)"
CLASS = {  # how each student changed the right answers of the main notebook
    "alf": None,
    "bea": write("double", "def double(x):\n    return 41"),
    "cid": write("triple", "tripel = 1"),
    "dot": insert("triple", "import os, time; time.sleep(0.3); os._exit(1)"),
    "eve": insert("triple", SLOW),
    "fay": insert("title", "note = open('data.txt').read()"),
}
POINTS = {  # of the main notebook
    "alf": {"test_double": 1, "test_triple": 2},
    "bea": {"test_double": 0, "test_triple": 2},
    "cid": {"test_double": 1, "test_triple": 0},
    "dot": {"test_double": 1, "test_triple": 0},
    "eve": {"test_double": 1, "test_triple": 2},
    "fay": {"test_double": 1, "test_triple": 2},
}


def small_course(root: Path, more: str = "") -> Course:
    """A course of two small notebooks, released; ``more`` is appended to its configuration."""
    second = notebook(
        answer("some", "some = 1", "some = 2"), check("test_some", "assert some == 2")
    )
    course = Course(root, more=more, **{MAIN: main_notebook(), SECOND: second})
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    return course


def hand_in(course: Course) -> None:
    """Hand in the whole class."""
    for student, edit in CLASS.items():
        course.submit(student, edit)
        course.submit(student, name=SECOND)
        folder = course.file(student).parent
        (folder / "data.txt").write_text(student)
        (folder / "timestamp.txt").write_text("2030-01-02 03:04:05 UTC")


def copied(course: Course, root: Path) -> Course:
    """The same course in another folder, with all that was handed in and graded."""
    shutil.copytree(course.root, root)
    twin = copy.copy(course)
    twin.root = root
    return twin


@dataclass
class Ended:
    """A run that came to its end: the exit code, and the lines that it said."""

    code: int
    lines: list[str]

    def says(self, *words: str) -> bool:
        """Whether there is a line with all of these words."""
        return any(all(word in line for word in words) for line in self.lines)


class Machine:
    """A course, and a folder for temporary files by whose name everything of a run is found."""

    def __init__(self, course: Course, temporary: Path) -> None:
        self.course, self.temporary = course, temporary

    @contextlib.contextmanager
    def grading(
        self, *words: str, before: str = "", workers: int = 1
    ) -> Iterator[subprocess.Popen]:
        """A run in a process group of its own, as in a terminal.

        The Python code ``before`` is executed in the process first.
        """
        command = f"{before}\nimport sys\nfrom fairmark.__main__ import main\nsys.exit(main())"
        start = ["-c", command] if before else ["-m", "fairmark"]
        process = subprocess.Popen(
            [sys.executable, *start, "autograde", "ex1", f"--workers={workers}", *words],
            cwd=self.course.root,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def grade(self, *words: str, **more: Any) -> Ended:
        """A run that nobody disturbs."""
        with self.grading(*words, **more) as process:
            return ended(process)

    def _environment(self) -> dict[str, str]:
        path = [str(self.course.root), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        more = {"TMPDIR": str(self.temporary), "PYTHONPATH": os.pathsep.join(filter(None, path))}
        return os.environ | more

    def workers(self, process: subprocess.Popen) -> list[int]:
        """The worker processes of a run."""
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children()
            return [child.pid for child in children if "spawn_main" in " ".join(_command(child))]
        return []

    def kill_workers(self, process: subprocess.Popen) -> list[int]:
        """Kill every worker of a run, and wait until as many others are there."""
        killed = self.workers(process)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: len(set(self.workers(process)) - set(killed)) == len(killed))
        return killed

    def finished(self) -> dict[str, tuple[int, int]]:
        """The students with a graded folder; the values change when one is graded again."""
        folders = (self.course.root / "autograded").glob("*/ex1")
        return {
            folder.parent.name: (folder.stat().st_ino, folder.stat().st_mtime_ns)
            for folder in folders
        }

    def wait_for(self, process: subprocess.Popen, count: int) -> None:
        """Wait until so many more folders are there than now, or the run has ended."""
        before = self.finished()

        def enough() -> bool:
            with contextlib.suppress(FileNotFoundError):  # replaced at this moment
                return len(self.finished().items() - before.items()) >= count
            return False

        assert eventually(lambda: enough() or process.poll() is not None)

    def wait_for_slow(self, running: bool) -> None:
        """Wait until the cell that takes a second is running, or until it is not."""
        assert eventually(lambda: running == any(self.temporary.glob("fairmark-*/*/work/started")))

    def assert_ended(self) -> None:
        """Fail where a process of a run is left."""
        assert eventually(lambda: not marked(self.temporary.name))

    def assert_clean(self) -> None:
        """Fail where anything of a run is left but graded folders."""
        self.assert_ended()
        assert list(self.temporary.iterdir()) == []
        assert list((self.course.root / "autograded").rglob(".*")) == []


def ended(process: subprocess.Popen) -> Ended:
    """Wait for the end of a run, which is no traceback."""
    text, _ = process.communicate(timeout=300)
    assert "Traceback" not in text, text
    return Ended(process.returncode, text.splitlines())


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []
