"""The marks of a class as a table in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .marks import StudentMarks

SHOWN = 2  # remarks per student; the rest is counted


def print_table(
    console: Console, maxima: dict[str, float], marks: list[StudentMarks], title: str
) -> None:
    """Print a row per student: marks per notebook, total, what was noticed."""
    table = Table(title=title, title_justify="left", show_lines=False)
    table.add_column("student", overflow="fold")
    for notebook, maximum in maxima.items():
        table.add_column(f"{_short(notebook)}\n/ {maximum:g}", justify="right", no_wrap=True)
    table.add_column(f"total\n/ {sum(maxima.values()):g}", justify="right", no_wrap=True)
    table.add_column("noticed", overflow="fold")
    for student in marks:
        points = [f"{student.points.get(notebook, 0.0):g}" for notebook in maxima]
        # plain text: what a student's code said may look like markup
        noticed = Text("\n".join(_shown(student.noticed)))
        table.add_row(Text(student.student), *points, f"{student.total:g}", noticed)
    console.print(table)


def _short(notebook: str) -> str:
    """``ex1_01`` for ``ex1_01_pen_and_paper``."""
    return "_".join(notebook.split("_")[:2])


def _shown(remarks: list[str]) -> list[str]:
    shown = [_without_long_name(remark) for remark in remarks[:SHOWN]]
    if len(remarks) > SHOWN:
        shown.append(f"and {len(remarks) - SHOWN} more")
    return shown


def _without_long_name(remark: str) -> str:
    notebook, _, text = remark.partition(": ")
    return f"{_short(notebook)}: {text}"
