"""The grader process: the trusted side of a notebook, which runs test cells and given cells.

It is forked warm for each notebook, never runs student code, and reaches what the student made
over the bridge. So a test that crashes or never ends costs this notebook at most, and nothing that
it leaves behind (a seeded generator, a changed default) reaches the next one.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import linecache
import math
import os
import reprlib
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from IPython.display import display

from .bridge import Bridge, Gone, StudentError, TimedOut
from .trusted import cell_file, compile_cell, unpacked

PRINTED = 100_000  # characters kept of what a cell prints
TOLD = 10_000  # characters kept of an error, and of each entry of its traceback
ENTRIES = 40  # the last ones, kept of a traceback
KINDS = {Gone: "gone", TimedOut: "timed out", StudentError: "student"}  # of errors


def become_grader(request: dict[str, Any], status_fd: int, bridge_fd: int, bell_fd: int) -> None:
    """Turn this process into the grader of one notebook; returns when nothing more is asked.

    On the first file come requests and go answers, one line of JSON each.
    """
    os.chdir(Path(request["folder"]) / "work")
    if "matplotlib" in sys.modules:  # pyplot asks for it when it is used, if it is
        sys.modules["matplotlib"].rcParams["backend"] = "agg"
    grader = Grader(Bridge(socket.socket(fileno=bridge_fd), bell_fd), bell_fd)
    with socket.socket(fileno=status_fd).makefile("rw") as executor:
        for line in executor:
            executor.write(json.dumps(grader.carry_out(json.loads(line))) + "\n")
            executor.flush()


class Grader:
    """The names that trusted cells have defined, and how further cells are run among them."""

    def __init__(self, bridge: Bridge, bell: int) -> None:
        self.bridge = bridge
        self.bell = bell
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
        self.names["display"] = display  # given cells find it in every kernel; here it prints
        self.reserved: set[str] = set()  # trusted cells define them, or were to: none is asked for
        self.rings = 0  # of the bell, that were for earlier tests

    def carry_out(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Run the cell that is asked for; the answer is data for JSON alone."""
        linecache.cache[cell_file(asked["name"])] = (  # so that tracebacks show its lines
            len(asked["source"]),
            None,
            asked["source"].splitlines(keepends=True),
            cell_file(asked["name"]),
        )
        run = self.run_given if asked.pop("op") == "given" else self.run_test
        with _captured() as printed:
            try:
                answer = run(**asked)
            except BaseException as error:  # SystemExit included: whatever it is, the cell failed
                answer = _told(error, asked["name"])
        return {**answer, "printed": printed()}

    def run_given(self, source: str, name: str, compiled: str = "") -> dict[str, Any]:
        """Run a locked cell, if every name that it loads is known here.

        A cell that works on what the student made is the student's side's alone. ``compiled`` is
        what :func:`packed` makes of it, which spares this process the work.
        """
        cell = unpacked(compiled) if compiled else compile_cell(source, name)
        names = cell.names
        if names.loads - names.defines - self.names.keys():
            return {"ran": False}
        self.reserved |= names.defines
        cell.run(self.names)
        return {"ran": True}

    def run_test(
        self,
        source: str,
        name: str,
        number: int,
        seconds: float,
        rings: int,
        compiled: str = "",
    ) -> dict[str, Any]:
        """Run a test cell: ``value`` is its last value, ``error`` what it raised.

        ``number`` is above that of all earlier tests; student code has ``seconds`` for it. The bell
        was rung ``rings`` times for earlier tests. ``compiled`` as for a given cell.
        """
        if rings > self.rings:
            os.read(self.bell, rings - self.rings)
            self.rings = rings
        self.bridge.begin(number, seconds)
        theirs: dict[str, Any] = {}
        try:
            cell = unpacked(compiled) if compiled else compile_cell(source, name)
            names = cell.names
            self.reserved |= names.defines - names.asks
            theirs = self.bridge.fetch(sorted(names.asks - self.names.keys() - self.reserved))
            self.names.update(theirs)
            return {"value": _plain(cell.run(self.names))}
        finally:
            for key, value in theirs.items():  # the next cell asks anew
                if self.names.get(key) is value:
                    del self.names[key]
            self.bridge.end()


@contextlib.contextmanager
def _captured() -> Iterator[Callable[[], str]]:
    """What is printed meanwhile, on both streams in order."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        yield lambda: text.getvalue()[:PRINTED]


def _plain(value: Any) -> Any:
    """``value`` as the executor is told it: None, a plain number, or else a text about it."""
    if value is None:
        return None
    if type(value) in (int, float) or isinstance(value, np.floating | np.integer):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return f"{type(value).__name__} {reprlib.repr(value)}"[:80]


def _told(error: BaseException, name: str) -> dict[str, Any]:
    """An error for the executor: of what kind it is, where in the cell it came up, what it says.

    What it says may come from the student, so it is cut.
    """
    kind = next((word for base, word in KINDS.items() if isinstance(error, base)), "test")
    if type(error).__module__ == "fairmark.checks.failure":  # not imported in every notebook
        kind = "check"
    lines = traceback.format_exception(error)[-ENTRIES:]
    return {
        "error": {
            "kind": kind,
            "ename": type(error).__name__,
            "evalue": str(error)[:TOLD],
            "line": _line_in(error.__traceback__, name),
            "traceback": [line[:TOLD] for line in lines],
        }
    }


def _line_in(trace: TracebackType | None, name: str) -> int:
    """The line of the cell ``name`` at which an error left it; 0 where it never was in the cell."""
    line = 0
    for frame, at in traceback.walk_tb(trace):
        if frame.f_code.co_filename == cell_file(name):
            line = at
    return line
