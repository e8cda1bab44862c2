"""Seconds per submission: stock ``nbgrader autograde`` and ours, on the same submissions.

Both grade the same sample submissions of ex1, one after the other, in turns. Each run is split up:
starting and ending kernels, the cells of students and givens, the test cells, and the rest, which
is nbgrader's own work. Quoted are medians over the turns; what is paid once a run (imports, and
for ours the process that kernels are forked from) stands on a line of its own.

    .venv/bin/python benchmarks/autograde.py [--turns 3] [--submissions 6]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from fairmark.samples import CLASSES, Assignment, write_class

ROOT = Path(__file__).parents[1]
HONEST = ("perfect", "blank", "one_early_slip_carried_forward")  # then whoever comes next
STOCK = """\
import os, sys
from pathlib import Path
c = get_config()
c.CourseDirectory.course_id = "stock"
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
"""
PARTS = {
    "kernel_start": "kernel start",
    "cells": "cells of students and givens",
    "tests": "test cells",
    "kernel_end": "kernel shutdown",
    "own": "nbgrader's own work",
}
ROWS = PARTS | {
    "submission": "a submission, three notebooks",
    "once": "once a run",
}


def main() -> None:
    """Grade in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--submissions", type=int, default=6)
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        courses = {
            "stock": make_course(Path(folder, "stock"), options.submissions, STOCK),
            "ours": make_course(Path(folder, "ours"), options.submissions, None),
        }
        timed_run(courses["ours"])  # what is found out once and kept is not measured
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in courses}
        for turn in range(options.turns):
            for name, course in courses.items():
                runs[name].append(timed_run(course))
                console.print(f"turn {turn + 1}, {name}: {runs[name][-1]['submission']:.2f} s")
    console.print(table(runs, options))


def make_course(course: Path, count: int, config: str | None) -> Path:
    """A course folder with ``count`` sample submissions of ex1, ready to be graded."""
    course.mkdir()
    shutil.copytree(ROOT / "source", course / "source")
    if config:
        (course / "nbgrader_config.py").write_text(config)
    else:
        shutil.copy(ROOT / "nbgrader_config.py", course)
    nbgrader(course, "generate_assignment", "ex1")
    assignment = Assignment(course / "source" / "ex1", course / "release" / "ex1")
    samples = CLASSES["ex1"](assignment)
    samples.sort(key=lambda sample: sample.name not in HONEST)
    write_class(samples[:count], assignment, course / "submitted")
    return course


def nbgrader(course: Path, *words: str) -> None:
    """Run an nbgrader command in ``course``; its log is shown where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=course, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"nbgrader {' '.join(words)} failed:\n{done.stderr[-3000:]}")


def timed_run(course: Path) -> dict[str, float]:
    """Grade everything in ``course`` anew; seconds per submission for each part, and once a run."""
    shutil.rmtree(course / "autograded", ignore_errors=True)
    parts = course / "parts.json"
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("timed_autograde.py")), course.name, "ex1"],
        cwd=course,
        env=os.environ | {"PARTS": str(parts)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"nbgrader autograde failed:\n{done.stderr[-3000:]}")
    whole = perf_counter() - began
    seconds = json.loads(parts.read_text())
    count = len(list((course / "autograded").iterdir()))
    result = {name: seconds[name] / count for name in PARTS}
    graded = sum(result.values())
    return result | {"submission": graded, "once": whole - graded * count}


def table(runs: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> Table:
    """Medians of stock and ours side by side, and their ratio."""
    title = f"Seconds per submission, median of {options.turns} turns, {options.submissions} each"
    result = Table("part", title=title)
    for heading in ("stock", "ours", "stock / ours"):
        result.add_column(heading, justify="right")
    for key, name in ROWS.items():
        stock, ours = (median(run[key] for run in runs[who]) for who in ("stock", "ours"))
        ratio = f"{stock / ours:.1f}" if ours > 0 else ""
        result.add_row(name, f"{stock:.3f}", f"{ours:.3f}", ratio)
    return result


if __name__ == "__main__":
    main()
