"""``fairmark demo``: from source to marks on a sample class, in a folder of its own.

It calls the same commands that an instructor does, on a course folder ``demo/`` that is made anew
each time, so that no real submission or gradebook is touched.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from fairmark.course import CONFIG, CourseError, open_course
from fairmark.report import print_table, read_marks
from fairmark.samples import CLASSES, Assignment, Sample, write_class


def run_demo(name: str, course: Path, console: Console) -> int:
    """Grade the sample class of assignment ``name``; 0 where every mark is the fair one."""
    course = Path(open_course(course).root)
    source = course / "source" / name
    if name not in CLASSES:
        known = ", ".join(CLASSES)
        raise CourseError(f"there is no sample class of {name!r}; there is one of {known}")
    demo = course / "demo"
    _fresh_course(course, demo)
    log = demo / "nbgrader.log"

    _call(["nbgrader", "generate_assignment", name], demo, console, log)
    assignment = Assignment(source, demo / "release" / name)
    samples = CLASSES[name](assignment)
    write_class(samples, assignment, demo / "submitted")
    console.print(f"{len(samples)} sample submissions written to demo/submitted/")
    _call(["fairmark", "autograde", name], demo, console)

    maxima, marks = read_marks(open_course(demo), name)
    order = [sample.name for sample in samples]
    marks.sort(key=lambda student: order.index(student.student))
    print_table(console, maxima, marks, f"Marks of the sample class of {name}")
    return _compare(samples, assignment, {m.student: m.points for m in marks}, console)


def _fresh_course(course: Path, demo: Path) -> None:
    shutil.rmtree(demo, ignore_errors=True)
    demo.mkdir()
    (demo / "source").symlink_to(course / "source")
    (demo / CONFIG).symlink_to(course / CONFIG)


def _call(command: list[str], demo: Path, console: Console, log: Path | None = None) -> None:
    """Run one command in ``demo``; what it says goes to ``log``, or else to the person."""
    console.print(f"$ {' '.join(command)}", style="bold", highlight=False)
    with log.open("w") if log else contextlib.nullcontext() as file:
        done = subprocess.run([sys.executable, "-m", *command], cwd=demo, stderr=file, check=False)
    if done.returncode:
        why = f"; {log} says why" if log else ""
        raise CourseError(f"{' '.join(command)} failed{why}")


def _compare(
    samples: list[Sample],
    assignment: Assignment,
    marks: dict[str, dict[str, float]],
    console: Console,
) -> int:
    """Say which samples did not get the marks that are fair for them."""
    unfair = 0
    for sample in samples:
        fair, got = sample.fair_marks(assignment), marks.get(sample.name)
        if got != fair:
            console.print(f"{sample.name}: got {got}, fair is {fair}", style="red", markup=False)
            unfair += 1
    if not unfair:
        console.print(f"All {len(samples)} submissions got the marks that are fair for them.")
    return 1 if unfair else 0
