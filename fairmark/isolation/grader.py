"""The grader process: the trusted side of a notebook, which runs test cells and given cells.

It is forked warm for each notebook, never runs student code, and reaches what the student made
over the bridge. So a test that crashes or never ends costs this notebook at most, and nothing that
it leaves behind (a seeded generator, a changed default) reaches the next one.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import io
import json
import linecache
import math
import os
import re
import reprlib
import socket
import symtable
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager
from IPython.display import display

from .bridge import Bridge, Gone, StudentError, TimedOut

PRINTED = 100_000  # characters kept of what a cell prints
TOLD = 10_000  # characters kept of an error, and of each entry of its traceback
ENTRIES = 40  # the last ones, kept of a traceback
MAYBE = (ast.If, ast.While, ast.Try, ast.TryStar, ast.Match)  # need not bind what they could
TIMED = re.compile(r"^\s*%%(time|capture)\b.*")  # magics of a whole cell that change no name
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

    def run_given(self, source: str, name: str) -> dict[str, Any]:
        """Run a locked cell, if every name that it loads is known here.

        A cell that works on what the student made is the student's side's alone.
        """
        tree = parse_cell(source, name)
        names = names_of(tree)
        if names.loads - names.defines - self.names.keys():
            return {"ran": False}
        self.reserved |= names.defines
        _run(tree, name, self.names)
        return {"ran": True}

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
        theirs: dict[str, Any] = {}
        try:
            tree = parse_cell(source, name)
            names = names_of(tree)
            self.reserved |= names.defines - names.asks
            theirs = self.bridge.fetch(sorted(names.asks - self.names.keys() - self.reserved))
            self.names.update(theirs)
            return {"value": _plain(_run(tree, name, self.names))}
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


def parse_cell(source: str, name: str) -> ast.Module:
    """The syntax tree of a cell; magics, which are about the display of a kernel, are left out.

    Raises :class:`SyntaxError`.
    """
    source = TIMED.sub("", source)
    tree = ast.parse(TransformerManager().transform_cell(source), cell_file(name))
    first = len(source) - len(source.lstrip())  # IPython drops the blank lines before it
    ast.increment_lineno(tree, source[:first].count("\n"))
    tree.body = [line for line in tree.body if not ast.unparse(line).startswith("get_ipython()")]
    if source.rstrip().endswith(";") and tree.body and isinstance(tree.body[-1], ast.Expr):
        tree.body.append(ast.Pass())  # as in a kernel, this value is not shown
    return ast.fix_missing_locations(tree)


def cell_file(name: str) -> str:
    """The file name that stands for a cell in tracebacks."""
    return f"<cell {name}>"


class Names(NamedTuple):
    """The global names of a cell, without builtins."""

    loads: set[str]
    defines: set[str]
    asks: set[str]  # those that it may look up before it has defined them


def names_of(tree: ast.Module) -> Names:
    """The names that a cell looks up as globals, and those it defines itself."""
    loads, defines = _names_in(tree.body)
    return Names(loads, defines, _asked(tree.body, set()))


def _asked(lines: list[ast.stmt], bound: set[str]) -> set[str]:
    """What ``lines`` look up that may not be ``bound`` by then; what they surely bind is added."""
    asked: set[str] = set()
    for line in lines:
        loads, defines = _names_in([line])
        if isinstance(line, ast.For | ast.With):
            loads, defines = _names_in([_head(line)])
            asked |= loads - bound
            inside = bound if isinstance(line, ast.With) else set(bound)  # a loop may have no turn
            inside |= defines
            asked |= _asked(line.body, inside) | _asked(getattr(line, "orelse", []), set(bound))
        elif isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            asked |= loads - bound - defines
            bound |= defines
        else:
            asked |= loads - bound
            if not isinstance(line, MAYBE):
                bound |= defines
    return asked


def _head(line: ast.For | ast.With) -> ast.stmt:
    """A loop or ``with`` that does nothing."""
    head = copy.copy(line)
    head.body = [ast.Pass()]
    if isinstance(head, ast.For):
        head.orelse = []
    return head


def _names_in(lines: list[ast.stmt]) -> tuple[set[str], set[str]]:
    """The global names that ``lines`` look up somewhere, and those that they define."""
    tree = ast.Module(lines, [])
    top = symtable.symtable(ast.unparse(tree), "cell", "exec")
    used, tables = set(), [top]
    for table in tables:  # grows as nested functions are met
        tables.extend(table.get_children())
        read = (s for s in table.get_symbols() if s.is_referenced())
        used |= {s.get_name() for s in read if table is top or s.is_global()}
    added_to = (node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign))
    own = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used |= own & {target.id for target in added_to if isinstance(target, ast.Name)}
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
