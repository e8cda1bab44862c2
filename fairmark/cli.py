"""The command line: ``fairmark autograde``, ``fairmark demo`` and ``fairmark marks``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from fairmark.course import CourseError, open_course


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. A person reads one line where it fails."""
    parser = argparse.ArgumentParser(prog="fairmark", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser(
        "autograde",
        help="grade a class, on all cores or on a cluster",
        epilog="What else `nbgrader autograde` takes is taken too, as --Class.trait=value.",
    )
    grade.add_argument("--force", action="store_true", help="grade again what was graded before")
    grade.add_argument("--student", metavar="NAME", help="this one alone; a pattern such as 'a*'")
    grade.add_argument("--notebook", metavar="NAME", help="this one alone; or a pattern")
    grade.add_argument("--workers", type=_count, help="default: what this machine carries")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="use this Dask scheduler's workers")
    grade.add_argument(
        "--timings", metavar="FILE", type=Path, help="write what it took there, as JSON"
    )
    demo = commands.add_parser("demo", help="grade a sample class, from source to marks")
    marks = commands.add_parser("marks", help="print the marks of a graded assignment")
    for command in (grade, demo, marks):
        command.add_argument("assignment", help="the assignment, for instance ex1")
        command.add_argument("--course-dir", type=Path, default=Path(), help="the course folder")
    options, more = parser.parse_known_args(arguments)
    if more and options.command != "autograde":
        parser.error(f"unknown: {' '.join(more)}")
    options.more = more
    try:
        return {"autograde": _autograde, "demo": _demo, "marks": _marks}[options.command](options)
    except CourseError as error:
        print(f"fairmark {options.command}: {error}", file=sys.stderr)
        return 1


def _autograde(options: argparse.Namespace) -> int:
    from fairmark.autograde.command import autograde

    for_nbgrader = options.more
    if options.force:
        for_nbgrader.append("--force")
    for name in ("student", "notebook"):
        if getattr(options, name):
            for_nbgrader.append(f"--{name}={getattr(options, name)}")
    return autograde(
        options.assignment,
        options.course_dir,
        for_nbgrader,
        options.workers,
        options.scheduler,
        options.timings,
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _marks(options: argparse.Namespace) -> int:
    from fairmark.report import print_table, read_marks

    maxima, marks = read_marks(open_course(options.course_dir), options.assignment)
    print_table(console(), maxima, marks, f"Marks of {options.assignment}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    from fairmark.demo import run_demo

    return run_demo(options.assignment, options.course_dir, console())


def console() -> Console:
    """A console that is wide enough for a table where the output is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=150)
