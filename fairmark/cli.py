"""The command line: ``fairmark demo`` and ``fairmark marks``."""

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
    demo = commands.add_parser("demo", help="grade a sample class, from source to marks")
    marks = commands.add_parser("marks", help="print the marks of a graded assignment")
    for command in (demo, marks):
        command.add_argument("assignment", help="the assignment, for instance ex1")
        command.add_argument("--course-dir", type=Path, default=Path(), help="the course folder")
    options = parser.parse_args(arguments)
    try:
        return {"demo": _demo, "marks": _marks}[options.command](options)
    except CourseError as error:
        print(f"fairmark {options.command}: {error}", file=sys.stderr)
        return 1


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
