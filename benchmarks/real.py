"""Grades the same submissions of ex1 with every grader, in turns, on the same cores."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fairmark.samples import CLASSES, Assignment

from . import measure
from .graders import CONFIG, NAME, ROOT, STOCK, CourseGrader, Grader, Marks, OtterGrader

STUDENTS = (  # their marks differ; each of them did all of the work
    "perfect",
    "two_decimals_at_every_step",
    "one_early_slip_carried_forward",
    "wrong_shapes",
)
BLANK = "blank"
TIMINGS = "timings.json"
WORKERS = (1, 2, 4)
LARGER = 6  # times as large are the classes for ours: its cost per submission is a smaller slope
STOCK_NAME, OTTER_NAME = "nbgrader autograde, stock", "otter run"
CONFIGURED = "nbgrader autograde, configured as here"


def ours(workers: int) -> str:
    """The name of our command with so many workers."""
    return f"fairmark autograde, {workers} worker{'s' if workers > 1 else ''}"


def measured(turns: int, sizes: Sequence[int]) -> dict[str, Any]:
    """All that is measured on ex1, ready to be written as JSON.

    Each turn grades classes of all ``sizes`` with each grader; :class:`SystemExit` where a mark is
    not the fair one. Memory is looked at in a run of its own, which is not timed.
    """
    with tempfile.TemporaryDirectory() as name:
        graders, fair = set_up(Path(name), LARGER * max(sizes))
        classes = {
            name: [size * (LARGER if name in map(ours, WORKERS) else 1) for size in sizes]
            for name in graders
        }
        everybody = [path for path in fair if path.name != BLANK]
        for grader in graders.values():  # fills caches, and is not measured
            graded(grader, fair, [path for path in fair if path.name in (BLANK, everybody[0].name)])
        seen = {name: memory(each, fair, everybody[: sizes[0]]) for name, each in graders.items()}
        print("memory: looked at")
        runs: dict[str, list[list[Any]]] = {name: [] for name in graders}
        floor, parts = [], {ours(number): [] for number in WORKERS}
        for turn in range(turns):
            for name, grader in graders.items():
                spent = [graded(grader, fair, everybody[:size]) for size in classes[name]]
                runs[name].append([asdict(each) for each in spent])
                print(f"turn {turn + 1}, {name}: {spent[-1].wall:.1f} s for {classes[name][-1]}")
                if name in parts:
                    parts[name].append(json.loads((grader.folder / TIMINGS).read_text()))
            floor.append(student_work())
    return {"sizes": classes, "runs": runs, "parts": parts, "floor": floor, "memory": seen}


def set_up(folder: Path, count: int) -> tuple[dict[str, Grader], dict[Path, dict[str, float]]]:
    """The graders by name, and ``count`` submissions and a blank one with their fair marks.

    No two files are alike, so that nobody can save work on copies.
    """
    autograde = ("autograde", NAME)
    graders: dict[str, Grader] = {
        STOCK_NAME: CourseGrader(folder / "stock", STOCK, "nbgrader", *autograde),
        CONFIGURED: CourseGrader(folder / "configured", CONFIG, "nbgrader", *autograde),
    }
    for number in WORKERS:
        command = ("fairmark", *autograde, "--workers", str(number), "--timings", TIMINGS)
        graders[ours(number)] = CourseGrader(folder / f"ours_{number}", CONFIG, *command)
    assignment = Assignment(folder / "stock/source" / NAME, folder / "stock/release" / NAME)
    graders[OTTER_NAME] = OtterGrader(folder / "otter", assignment)

    samples = {sample.name: sample for sample in CLASSES[NAME](assignment)}
    class_ = {f"{STUDENTS[i % 4]}_{i // 4}": samples[STUDENTS[i % 4]] for i in range(count)}
    fair = {}
    for student, sample in (class_ | {BLANK: samples[BLANK]}).items():
        submission = sample.build(assignment)
        for notebook in submission.notebooks.values():
            notebook.metadata["student"] = student
        submission.write(folder / "students" / student / NAME)
        fair[folder / "students" / student] = sample.fair_marks(assignment)
    return graders, fair


def graded(
    grader: Grader, fair: dict[Path, dict[str, float]], submissions: Sequence[Path]
) -> measure.Spent:
    """Grade ``submissions`` and check their marks; what it took."""
    grader.get(submissions)
    spent = measure.run(grader.commands(), grader.folder, grader.env)
    wanted: Marks = {path.name: fair[path] for path in submissions}
    if (got := grader.marks()) != wanted:
        sys.exit(f"{grader.commands()[0]} gave {got}, fair is {wanted}")
    return spent


def memory(
    grader: Grader, fair: dict[Path, dict[str, float]], submissions: Sequence[Path]
) -> dict[str, Any]:
    """Peaks of memory by role; :class:`SystemExit` where CPU seconds are seen and not counted."""
    processes = measure.Processes()
    with measure.watching(processes.look, seconds=0.05):
        spent = graded(grader, fair, submissions)
    seen = sum(processes.cpu.values())
    if seen > spent.cpu:
        sys.exit(f"{grader.commands()[0]}: {seen:.2f} CPU s were seen, {spent.cpu:.2f} counted")
    return {"rss": processes.rss, "pss": processes.pss, "together": processes.together}


def student_work() -> float:
    """CPU seconds of the student cells and tests alone, in a process that is warm."""
    command = [sys.executable, ROOT / "benchmarks" / "student_work.py", NAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
