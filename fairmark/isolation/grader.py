"""The grader process: the trusted side of a notebook, which runs test cells and given cells.

It is forked warm for each notebook, never runs student code, and reaches what the student made
over the bridge. So a test that crashes or never ends costs this notebook at most, and nothing that
it leaves behind (a seeded generator, a changed default) reaches the next one.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import linecache
import os
import socket
import symtable
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from .bridge import Bridge, Gone, StudentError, TimedOut

PRINTED = 100_000  # characters kept of what a cell prints
KINDS = {Gone: "gone", TimedOut: "timed out", StudentError: "student"}  # of errors


def become_grader(request: dict[str, Any], status_fd: int, bridge_fd: int, bell_fd: int) -> None:
    """Turn this process into the grader of one notebook; returns when nothing more is asked.

    On the first file come requests and go answers, one line of JSON each.
    """
    os.chdir(Path(request["folder"]) / "work")
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use("agg")
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
            answer = run(**asked)
        return {**answer, "printed": printed()}

    def run_given(self, source: str, name: str) -> dict[str, Any]:
        """Run a locked cell, if every name that it loads is known here.

        A cell that works on what the student made is the student's side's alone.
        """
        tree = parse_cell(source, name)
        loads, defines = names_of(tree)
        if loads - defines - self.names.keys():
            return {"ran": False}
        return {"ran": True, **self._outcome(tree, name, {})}

    def run_test(
        self, source: str, name: str, number: int, seconds: float, rings: int
    ) -> dict[str, Any]:
        """Run a test cell: ``value`` is its last value, ``error`` what it raised.

        ``number`` is above that of all earlier tests; student code has ``seconds`` for it. The bell
        was rung ``rings`` times for earlier tests.
        """
        if rings > self.rings:
            os.read(self.bell, rings - self.rings)
            self.rings = rings
        self.bridge.begin(number, seconds)
        try:
            tree = parse_cell(source, name)
            theirs = self.bridge.fetch(sorted(names_of(tree)[0] - self.names.keys()))
            return self._outcome(tree, name, theirs)
        except (Gone, TimedOut, SyntaxError) as error:
            return _told(error, name)
        finally:
            self.bridge.end()

    def _outcome(self, tree: ast.Module, name: str, theirs: dict[str, Any]) -> dict[str, Any]:
        """Run ``tree`` with the names ``theirs`` added: its value, or its error."""
        self.names.update(theirs)
        try:
            return {"value": _plain(_run(tree, name, self.names))}
        except BaseException as error:  # SystemExit included: whatever it is, the cell failed
            return _told(error, name)
        finally:
            for key, value in theirs.items():  # the next cell asks anew
                if self.names.get(key) is value:
                    del self.names[key]


@contextlib.contextmanager
def _captured() -> Iterator[Callable[[], str]]:
    """What is printed meanwhile, on both streams in order."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        yield lambda: text.getvalue()[:PRINTED]


def parse_cell(source: str, name: str) -> ast.Module:
    """The syntax tree of a cell; magics, which are about the display of a kernel, are left out.

    Raises :class:`SyntaxError`.
    """
    tree = ast.parse(TransformerManager().transform_cell(source), cell_file(name))
    tree.body = [line for line in tree.body if not ast.unparse(line).startswith("get_ipython()")]
    if source.rstrip().endswith(";") and tree.body and isinstance(tree.body[-1], ast.Expr):
        tree.body.append(ast.Pass())  # as in a kernel, this value is not shown
    return ast.fix_missing_locations(tree)


def cell_file(name: str) -> str:
    """The file name that stands for a cell in tracebacks."""
    return f"<cell {name}>"


def names_of(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names that a cell looks up as globals, without builtins, and those it defines itself."""
    top = symtable.symtable(ast.unparse(tree), "cell", "exec")
    used, tables = set(), [top]
    for table in tables:  # grows as nested functions are met
        tables.extend(table.get_children())
        read = (s for s in table.get_symbols() if s.is_referenced())
        used |= {s.get_name() for s in read if table is top or s.is_global()}
    own = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    return used - set(dir(builtins)), own


def _run(tree: ast.Module, name: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of a last line that is an expression, else None."""
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = ast.Module(tree.body[:-1] if last else tree.body, [])
    exec(compile(body, cell_file(name), "exec", dont_inherit=True), names)
    if last is None:
        return None
    code = compile(ast.Expression(last.value), cell_file(name), "eval", dont_inherit=True)
    return eval(code, names)


def _plain(value: Any) -> Any:
    """``value`` as the executor is told it: None, a plain number, or else a text about it."""
    if value is None or type(value) in (int, float):
        return value
    if isinstance(value, np.floating | np.integer):
        return value.item()
    return f"{type(value).__name__} {value!r}"[:80]


def _told(error: BaseException, name: str) -> dict[str, Any]:
    """An error for the executor: of what kind it is, where in the cell it came up, what it says."""
    kind = next((word for base, word in KINDS.items() if isinstance(error, base)), "test")
    if type(error).__module__ == "fairmark.checks.failure":  # not imported in every notebook
        kind = "check"
    return {
        "error": {
            "kind": kind,
            "ename": type(error).__name__,
            "evalue": str(error),
            "line": _line_in(error.__traceback__, name),
            "traceback": traceback.format_exception(error),
        }
    }


def _line_in(trace: TracebackType | None, name: str) -> int:
    """The line of the cell ``name`` at which an error left it; 0 where it never was in the cell."""
    line = 0
    for frame, at in traceback.walk_tb(trace):
        if frame.f_code.co_filename == cell_file(name):
            line = at
    return line
