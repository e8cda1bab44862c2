"""What a person sees of a run: how far it is, and in the end every submission with a problem."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

EVERY = 10  # seconds between two lines where the output is no terminal


@dataclass
class Summary:
    """How a run ended: whose submission was graded, whose was not, and what was noticed.

    ``spent`` holds CPU seconds by kind of process.
    """

    total: int = 0
    skipped: int = 0
    graded: int = 0
    problems: dict[str, list[str]] = field(default_factory=dict)
    not_graded: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0
    spent: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """How many are behind us, graded or not."""
        return self.graded + len(self.not_graded)

    def add_problem(self, student: str, text: str) -> None:
        """Note something about a student's submission, once."""
        found = self.problems.setdefault(student, [])
        if text not in found:
            found.append(text)

    def lines(self) -> list[str]:
        """The summary, a line for each problem."""
        found = [f"{who}: {text}" for who, texts in self.problems.items() for text in texts]
        found += [f"{who}: NOT GRADED: {why}" for who, why in self.not_graded.items()]
        parts = [f"{self.graded} graded"]
        if self.skipped:
            parts.append(f"{self.skipped} were graded before")
        if self.problems:
            parts.append(f"{len(self.problems)} with something to look at")
        if self.not_graded:
            parts.append(f"{len(self.not_graded)} not graded")
        left = self.total - self.done
        if left:
            parts.append(f"{left} left")
        rate = f", {self.graded / self.seconds:.2f} a second" if self.graded else ""
        found.append(f"{'; '.join(parts)}. {clock(self.seconds)}{rate}.")
        if self.stopped:
            found.append(self.stopped)
        if left or self.not_graded:
            found.append("Run the same command again to grade what is missing.")
        return found


class Display:
    """Shows a :class:`Summary` while it grows: a bar on a terminal, else a line now and then."""

    def __init__(self, summary: Summary, what: str) -> None:
        self.summary = summary
        self.what = what
        self.console = Console(stderr=True, highlight=False)
        self._began = self._last = monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Display:
        self._began = self._last = monotonic()
        if self.console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn(self.what),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[more]}"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            self._task = self._bar.add_task(self.what, total=self.summary.total, more="")
            self._bar.start()
        else:
            self.say(f"{self.what}: {self.summary.total} to grade")
        return self

    def __exit__(self, *error: object) -> None:
        self.summary.seconds = monotonic() - self._began
        if self._bar:
            self._bar.stop()

    def update(self) -> None:
        """Show how far it is."""
        summary = self.summary
        summary.seconds = monotonic() - self._began
        more = f"{len(summary.not_graded)} failed"
        if summary.done:
            rate = summary.done / max(summary.seconds, 1e-3)
            left = clock((summary.total - summary.done) / rate)
            more += f", {rate:.2f} a second, {left} left"
        if self._bar:
            self._bar.update(self._task, completed=summary.done, more=more)
        elif monotonic() - self._last >= EVERY:
            self._last = monotonic()
            self.say(f"{self.what}: {summary.done} of {summary.total}, {more}")

    def say(self, text: str) -> None:
        """A line of its own."""
        if self._bar:
            self._bar.console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """A time as a person says it: ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
