"""PostgreSQL as gradebook: every command works, and a server that goes away costs nobody a mark."""

from __future__ import annotations

import contextlib
import copy
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text

from tests.pipeline.course import MAIN, Course, cell_of, main_notebook, notebook

from . import postgres
from .gradebooks import by_hand
from .postgres import PASSWORD, Server
from .running import autograde, rows, rows_of

pytestmark = pytest.mark.faults
server = postgres.server

SECRETS = (PASSWORD, quote(PASSWORD, safe=""))
IMPATIENT = """
import sys
from fairmark.autograde import coordinator
from fairmark.cli import main
coordinator.PATIENCE = 3
sys.exit(main())
"""
WATCHED = """
import sys
from fairmark.autograde.engine import Engine
from fairmark.cli import main

run = Engine.run

def watched(self, kit, tasks):
    with open("sent", "ab") as sent:
        def noted():
            sent.write(kit)
            for task in tasks:
                sent.write(task.pack())
                yield task
        yield from run(self, kit, noted())

Engine.run = watched
sys.exit(main())
"""


def course_on(url: str, root: Path) -> Course:
    """A course with its gradebook at ``url``, handed out."""
    written = by_hand("written", grade=True, solution=True, task=False)
    task = by_hand("task", grade=False, solution=False, task=True)
    content = notebook(*main_notebook().cells, written, task)
    course = Course(root, more=f"c.CourseDirectory.db_url = {url!r}\n", **{MAIN: content})
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    return course


def move(course: Course, root: Path, url: str) -> Course:
    """A copy of ``course`` in another folder, with its gradebook at ``url``."""
    shutil.copytree(course.root, root)
    moved = copy.copy(course)
    moved.root = root
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(f"c.CourseDirectory.db_url = {url!r}\n")
    return moved


def wrong(content: NotebookNode) -> None:
    """An answer that costs 2 of 3 points, and one that a person has to read."""
    cell_of(content, "triple").source = "def triple(x):\n    return x"
    cell_of(content, "written").source = "Since it is linear."


def slow(content: NotebookNode) -> None:
    """A right answer that takes a second."""
    cell_of(content, "double").source += "\nimport time\ntime.sleep(1)"


def command(*words: str, script: str = "") -> list[str]:
    """How ``fairmark`` is called, or a script that calls it."""
    return [sys.executable, *(["-c", script] if script else ["-m", "fairmark"]), *words]


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said: no traceback and no password."""
    told = done.stdout + done.stderr
    assert "Traceback" not in told and not any(secret in told for secret in SECRETS), told
    return told


@pytest.fixture(scope="module")
def handed_out(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course in which nobody has handed anything in; what was said is in ``log``."""
    return course_on(server.new_database("handed_out"), tmp_path_factory.mktemp("handed_out"))


@pytest.fixture
def course(server: Server, handed_out: Course, tmp_path: Path) -> Course:
    """A course for one test, with the database ``course``."""
    return move(handed_out, tmp_path / "course", server.new_database("course", "handed_out"))


@pytest.fixture
def slow_course(course: Course) -> Course:
    """Six students whose answers take a second each."""
    for number in range(6):
        course.submit(f"student{number}", slow)
    return course


@pytest.fixture(scope="module")
def graded_course(
    server: Server, handed_out: Course, tmp_path_factory: pytest.TempPathFactory
) -> Course:
    """A class that was graded by both commands; what they said is in ``said.txt``."""
    root = tmp_path_factory.mktemp("graded") / "course"
    course = move(handed_out, root, server.new_database("graded", "handed_out"))
    course.submit("right")
    course.submit("wrong", wrong)
    course.submit("Zoë")
    course.file("Zoë").with_name("timestamp.txt").write_text("2026-03-01 12:30:00 CET")
    course.file("blank").write_bytes((root / f"release/ex1/{MAIN}.ipynb").read_bytes())
    done = autograde(root)
    assert done.returncode == 0, done.stderr
    logs = [handed_out.log, said(done)]
    course.submit("afterwards", wrong)
    for words in (
        ("autograde", "ex1", "--student=afterwards"),
        ("generate_feedback", "ex1"),
        ("export",),
    ):
        assert course.nbgrader(*words) == 0, course.log
        logs.append(course.log)
    (root / "said.txt").write_text("\n".join(logs))
    return course


def plain(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows with times as text, which SQLite gives to a plain query."""
    found["submissions"] = [
        (*row[:2], row[2] and str(row[2]).removesuffix(".000000"), row[3])
        for row in found["submissions"]
    ]
    return found


class TestCommands:
    def test_same_rows(self, server, graded_course, tmp_path):
        """The rows are those of an SQLite gradebook of the same class."""
        course_on(f"sqlite:///{tmp_path}/gradebook.db", tmp_path)
        shutil.copytree(graded_course.root / "submitted", tmp_path / "submitted")
        assert autograde(tmp_path).returncode == 0
        found = plain(rows(server.url("graded")))
        assert found == plain(rows_of(tmp_path))
        assert ("Zoë", "ex1", "2026-03-01 11:30:00", None) in found["submissions"]
        assert len(found["grades"]) == 5 * 4

    def test_feedback_and_export(self, graded_course):
        """Feedback and export show the points that the tests gave."""
        assert graded_course.exported() == {
            "right": 3,
            "wrong": 1,
            "Zoë": 3,
            "blank": 0,
            "afterwards": 1,
        }
        assert "test_triple" in graded_course.page("afterwards")

    def test_marks(self, graded_course):
        """The table of marks has every student."""
        done = subprocess.run(
            command("marks", "ex1"), cwd=graded_course.root, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        table = said(done)
        for student in ("right", "wrong", "Zoë", "blank", "afterwards"):
            assert student in table

    def test_password_is_not_said(self, graded_course):
        """No command prints the password, as it is or as it is written in the URL."""
        told = (graded_course.root / "said.txt").read_text()
        assert "afterwards" in told
        assert not any(secret in told for secret in SECRETS)

    def test_password_is_not_sent(self, graded_course):
        """Nothing that goes to the workers has the password in it, or the name of the server."""
        done = subprocess.run(
            command("autograde", "ex1", "--force", script=WATCHED),
            cwd=graded_course.root,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, said(done)
        sent = (graded_course.root / "sent").read_bytes()
        assert b"afterwards" in sent and b"secret_input" in sent
        for secret in (*SECRETS, "postgresql+psycopg"):
            assert secret.encode() not in sent


class TestServerGoesAway:
    def test_it_comes_back(self, server, slow_course):
        """The run waits, says so in one line, and goes on; every mark is there, once."""
        with running(slow_course, command("autograde", "ex1", "--workers=2")) as (process, output):
            wait_for(lambda: list(slow_course.root.glob("autograded/*/ex1")), process)
            server.stop()
            wait_for(lambda: "trying again" in output.read_text(), process)
            sleep(2)
            server.start()
            assert process.wait(300) == 0, output.read_text()
        told = output.read_text()
        assert "Traceback" not in told and not any(secret in told for secret in SECRETS)
        assert "6 graded" in told
        assert told.count("trying again") == 1, told
        assert slow_course.exported() == {f"student{number}": 3 for number in range(6)}
        assert len(rows(server.url("course"))["grades"]) == 6 * 4

    def test_it_never_comes_back(self, server, slow_course):
        """The run stops with one line, and the next one grades what is missing."""
        impatient = command("autograde", "ex1", "--workers=2", script=IMPATIENT)
        with running(slow_course, impatient) as (process, output):
            wait_for(lambda: list(slow_course.root.glob("autograded/*/ex1")), process)
            server.stop(signal.SIGQUIT)
            assert process.wait(300) == 1, output.read_text()
        told = output.read_text()
        assert "Traceback" not in told and not any(secret in told for secret in SECRETS)
        assert told.count("No write to the gradebook for 3 s") == 1, told
        assert "Run the same command again" in told
        server.start()
        done = autograde(slow_course.root)
        assert done.returncode == 0 and "were graded before" in said(done)
        assert slow_course.exported() == {f"student{number}": 3 for number in range(6)}
        assert len(rows(server.url("course"))["grades"]) == 6 * 4


@pytest.mark.parametrize("words", [("autograde", "ex1"), ("marks", "ex1")])
@pytest.mark.parametrize("why", ["No such file", "password authentication", "does not exist"])
def test_unreachable(server, handed_out, tmp_path, words, why):
    """A server that is not there, a wrong password, a wrong name: one line says which."""
    name = "other" if why == "does not exist" else "handed_out"
    password = "lock&key" if why == "password authentication" else PASSWORD
    course = move(handed_out, tmp_path / "course", server.url(name, password))
    course.submit("right")
    with contextlib.ExitStack() as afterwards:
        if why == "No such file":
            server.stop()
            afterwards.callback(server.start)
        done = subprocess.run(
            command(*words), cwd=course.root, capture_output=True, text=True, timeout=60
        )
    (line,) = said(done).splitlines()
    assert done.returncode == 1
    assert line.startswith(f"fairmark {words[0]}: the gradebook postgresql+psycopg:///{name} ")
    assert why in line and "lock" not in line
    assert not (course.root / "autograded").exists()


def test_runs_and_readers_at_once(server, course, tmp_path):
    """Two runs, somebody who looks at marks all the time, and one who has read for long: nobody
    waits for another, and every mark is right."""
    url = server.url("course")
    courses = [course, move(course, tmp_path / "other", url)]
    for name, one in zip("ab", courses, strict=True):
        for number in range(4):
            one.submit(f"{name}{number}", slow)
        one.submit("both", wrong)
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    with engine.connect() as reader, contextlib.ExitStack() as stack:
        count = text(
            "SELECT count(*) FROM grade, submitted_notebook, submitted_assignment, student"
        )
        assert reader.scalar(count) == 0
        words = command("autograde", "ex1", "--workers=1")
        runs = [stack.enter_context(running(one, words)) for one in courses]
        looks = 0
        while any(process.poll() is None for process, _ in runs):
            with Gradebook(url) as gradebook:
                gradebook.submission_dicts("ex1")
            looks += 1
            sleep(0.1)
        for process, output in runs:
            assert process.returncode == 0 and "5 graded" in output.read_text()
        assert looks > 3
        assert reader.scalar(count) == 0  # its transaction is still the same
    engine.dispose()
    scores = {f"{name}{number}": 3 for name in "ab" for number in range(4)} | {"both": 1}
    assert course.exported() == scores
    assert len(rows(url)["grades"]) == 9 * 4


def test_no_server_to_test_with(monkeypatch, tmp_path):
    """Where PostgreSQL is not installed, the tests fail and say what to install."""
    monkeypatch.setattr(postgres, "PACKAGES", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="apt-get install postgresql"):
        Server()


@contextlib.contextmanager
def running(course: Course, words: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A command in the background, with the file that its output goes to."""
    output = course.root / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(words, cwd=course.root, stdout=file, stderr=file)
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


def wait_for(happens, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until ``happens`` is true, while a command runs."""
    give_up = monotonic() + seconds
    while not happens():
        assert process.poll() is None and monotonic() < give_up
        sleep(0.05)
