"""Looks at what a grading run left, and tells what an attack gained or broke."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .attack import Attack
from .course import FIRST, MAXIMA, NEIGHBOUR, SECOND, SECRETS

SCORES = """
    SELECT base_cell.name, COALESCE(grade.manual_score, grade.auto_score)
    FROM submitted_assignment
    JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN grade ON grade.notebook_id = submitted_notebook.id
    JOIN base_cell ON base_cell.id = grade.cell_id
    WHERE submitted_assignment.student_id = ?
"""
KEPT = (  # what no submission of another student may change
    "SELECT id, first_name, last_name FROM student WHERE id NOT LIKE 's__a%' "
    "AND id NOT LIKE 's__b%' ORDER BY id",
    "SELECT name, source, locked FROM source_cell ORDER BY name, source",
    "SELECT base_cell.name, max_score FROM grade_cells JOIN base_cell USING (id) ORDER BY 1",
)


def scores(course: Path, student: str) -> dict[str, float | None]:
    """The points of each test of a student; None where there are none yet."""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        return dict(database.execute(SCORES, (student,)).fetchall())


def kept(course: Path) -> list[object]:
    """What the gradebook holds that is to stay as it is."""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows: list[object] = [database.execute(query).fetchall() for query in KEPT]
    return [*rows, scores(course, NEIGHBOUR)]


def wrong_mark(course: Path, student: str, attack: Attack) -> str:
    """How the marks differ from what was earned; empty where they do not."""
    earned = {name: attack.earned.get(name, 0) for name in MAXIMA}
    earned["test_mean"] = attack.earned.get("test_mean", MAXIMA["test_mean"])
    try:
        found = scores(course, student)
    except sqlite3.Error as error:
        return f"the gradebook cannot be read: {error}"
    got = {name: found.get(name) for name in MAXIMA}
    if got == earned:
        return ""
    if all(value is None for value in got.values()):
        return "given up without a mark" if any(earned.values()) else ""
    sums = [sum(value or 0 for value in points.values()) for points in (got, earned)]
    if all((got[name] or 0) == earned[name] for name in MAXIMA):
        return "some tests were left without a mark"
    others = [name for name in MAXIMA if (got[name] or 0) != earned[name]]
    return f"{sums[0]:g} points, earned {sums[1]:g} ({', '.join(others)})"


def broken_next(course: Path, student: str, mark: str) -> str:
    """What is wrong with the honest submission that is graded after an attack."""
    try:
        found = scores(course, student)
    except sqlite3.Error:
        found = {}
    if found != MAXIMA:
        got = sum(value or 0 for value in found.values())
        return (
            f"the next student gets {got:g} of {sum(MAXIMA.values())}"
            if found
            else ("the next student is not graded")
        )
    for path in (course / "autograded" / student).rglob("*.ipynb"):
        if mark in path.read_text("utf-8", "replace"):
            return "the next student's notebook shows text of the attack"
    return ""


def leaks(course: Path, student: str, mark: str) -> list[str]:
    """The secrets in what a student's code has written or a student gets back.

    And what it says that it got, where it leaves no other trace.
    """
    found, got = set(), set()
    for text in _texts(course, student):
        found |= revealed(text)
        got |= set(re.findall(rf"{mark}-got: ([\w ./]+)", text))
    return [f"shows {what}" for what in sorted(found)] + [f"got {what}" for what in sorted(got)]


def revealed(text: str) -> set[str]:
    """Which secrets ``text`` holds, as they are or in an encoding that any student knows."""
    variants = [text, html.unescape(re.sub(r"<[^>]*>", "", text)), text[::-1]]
    for run in re.findall(r"(?:[0-9a-f]{2}){8,}", text):
        variants.append(bytes.fromhex(run).decode("utf-8", "replace"))
    for run in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", text):
        with suppress(ValueError):
            variants.append(base64.b64decode(run, validate=True).decode("utf-8", "replace"))
    return {what for what, secret in SECRETS.items() if any(secret in each for each in variants)}


def _texts(course: Path, student: str) -> Iterator[str]:
    """All texts of a student, apart from the test cells themselves and their own errors."""
    for path in _files(course / "autograded" / student):
        if path.name in (f"{FIRST}.ipynb", f"{SECOND}.ipynb"):
            with suppress(ValueError):
                yield from _outputs(json.loads(path.read_text("utf-8", "replace")))
        else:
            yield _text(path)
    for path in _files(course / "feedback" / student):
        yield _text(path)


def _files(folder: Path) -> Iterator[Path]:
    """The regular files in ``folder``, as deep as any honest student's are."""
    for pattern in ("*", "*/*", "*/*/*", "*/*/*/*"):
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file())


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(50_000_000).decode("utf-8", "replace")


def _outputs(content: dict[str, Any]) -> Iterator[str]:
    yield json.dumps(content.get("metadata", {}), ensure_ascii=False)
    for cell in content["cells"]:
        meta = cell.get("metadata", {})
        test = meta.get("nbgrader", {}).get("grade")
        yield json.dumps({k: v for k, v in meta.items() if k != "nbgrader"}, ensure_ascii=False)
        for output in cell.get("outputs", []):
            if not test or output.get("output_type") == "stream":
                yield from _strings(output)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        yield "".join(each for each in value if isinstance(each, str))
        for each in value:
            yield from _strings(each)


def faults(course: Path, student: str) -> list[str]:
    """Signs that the grader, and not the student's answer, went wrong."""
    found = []
    for name in (FIRST, SECOND):
        path = course / "autograded" / student / "ex1" / f"{name}.ipynb"
        if not path.exists():
            found.append(f"{name} was not graded")
        elif "FaultInTest" in path.read_text("utf-8", "replace"):
            found.append(f"a test of {name} was reported as faulty")
    return found
