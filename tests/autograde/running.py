"""A course graded by ``fairmark autograde``, and what a grading run leaves, to be compared."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

COMMAND = [sys.executable, "-m", "fairmark", "autograde", "ex1"]
TABLES = {  # what a submission has in the gradebook, with names in place of random ids
    "submissions": """
        SELECT s.student_id, a.name, s.timestamp, s.extension
        FROM submitted_assignment s JOIN assignment a ON a.id = s.assignment_id""",
    "notebooks": """
        SELECT s.student_id, n.name, b.late_submission_penalty, b.flagged
        FROM submitted_notebook b JOIN notebook n ON n.id = b.notebook_id
        JOIN submitted_assignment s ON s.id = b.assignment_id""",
    "grades": """
        SELECT s.student_id, n.name, c.name, g.auto_score, g.manual_score, g.extra_credit,
               g.needs_manual_grade
        FROM grade g JOIN base_cell c ON c.id = g.cell_id
        JOIN submitted_notebook b ON b.id = g.notebook_id
        JOIN notebook n ON n.id = b.notebook_id
        JOIN submitted_assignment s ON s.id = b.assignment_id""",
    "comments": """
        SELECT s.student_id, n.name, c.name, k.auto_comment, k.manual_comment
        FROM comment k JOIN base_cell c ON c.id = k.cell_id
        JOIN submitted_notebook b ON b.id = k.notebook_id
        JOIN notebook n ON n.id = b.notebook_id
        JOIN submitted_assignment s ON s.id = b.assignment_id""",
    "students": "SELECT id, first_name, last_name, email, lms_user_id FROM student",
}
CHANGING = re.compile(r"ipykernel_\d+/\d+\.py|/tmp/[^\s\"']*|0x[0-9a-f]{6,}|\x1b\[[0-9;]*m")


def autograde(course: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run ``fairmark autograde ex1`` in ``course``; what it said is in ``stderr``."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=course, capture_output=True, text=True, timeout=900, **more
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def rows(db_url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the gradebook that is about submissions, in order."""
    engine = create_engine(db_url)
    with contextlib.closing(engine.connect()) as database:
        found = {
            name: sorted(map(tuple, database.execute(text(query))), key=repr)
            for name, query in TABLES.items()
        }
    engine.dispose()
    return found


def rows_of(course: Path) -> dict[str, list[tuple[Any, ...]]]:
    """:func:`rows` of the database file in ``course``."""
    return rows(f"sqlite:///{course}/gradebook.db")


def files_of(course: Path) -> dict[str, Any]:
    """Every file in ``autograded/`` with its rights; notebooks without what changes every time."""
    found = {}
    top = course / "autograded"
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder, name)
            content: Any = path.read_bytes()
            if name.endswith(".ipynb"):
                content = _lasting(json.loads(content))
            found[str(path.relative_to(top))] = (oct(path.stat().st_mode), content)
    return found


def _lasting(notebook: dict[str, Any]) -> str:
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)  # the times of its messages
        if re.fullmatch("[0-9a-f]{8}", cell["id"]):
            cell["id"] = "made up by nbformat"
        for output in cell.get("outputs", []):
            if output.get("ename") in {"KeyboardInterrupt", "CellTimeoutError"}:
                output["traceback"] = "where it was when it was stopped"
    return CHANGING.sub("~", json.dumps(notebook, indent=1))
