"""What the preprocessors share: reading the code of a cell, its hidden part, outputs, log lines."""

from __future__ import annotations

import ast
import contextlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode, from_dict
from nbformat.validator import isvalid
from nbgrader.preprocessors import ClearHiddenTests

from fairmark.notebooks import Role, name_of, role_of

BEGIN_HIDDEN = ClearHiddenTests.begin_test_delimeter.default_value
END_HIDDEN = ClearHiddenTests.end_test_delimeter.default_value
DEEPEST = 50  # lists and dicts inside each other in one output
TELLING = 12  # characters from which on a hidden line is no phrase that any text may hold
OURS = "fairmark"  # the key of the notebook metadata that this package writes

# The errors that are recorded without Python having raised them.
REFUSED = "PackageRefused"  # a cell that was not run because of what it imports
TIMED_OUT = "CellTimeoutError"
ENDED = "KernelEnded"  # the kernel died or was given up in this cell
NOT_RUN = "NotRun"
FAULT = "FaultInTest"  # a test that gave something which is no result


def parse(source: str) -> ast.Module | None:
    """The syntax tree of the code in a cell, IPython magics included; None where there is none.

    Line numbers are those of the cell as its author sees it.
    """
    body = source.lstrip("\n")
    blank = len(source) - len(body)
    while body and not body.partition("\n")[0].strip() and "\n" in body:
        body = body.partition("\n")[2]  # IPython drops leading blank lines, and so shifts the rest
        blank += 1
    try:
        tree = ast.parse(TransformerManager().transform_cell(body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return ast.increment_lineno(tree, blank)


def split_hidden(source: str) -> tuple[str, set[int]]:
    """The part of a test cell that students see, and the numbers of the lines they do not see."""
    visible, hidden, inside = [], set(), False
    for number, line in enumerate(source.split("\n"), start=1):
        begins, ends = BEGIN_HIDDEN in line, END_HIDDEN in line
        inside = (inside or begins) and not ends
        if inside or ends:
            hidden.add(number)
        else:
            visible.append(line)
    return "\n".join(visible), hidden


def telling_lines(nb: NotebookNode) -> set[str]:
    """The hidden lines of ``nb`` that stand in no part of it which the student has seen."""
    hidden: set[str] = set()
    seen = []
    for cell in nb.cells:
        if role_of(cell) is Role.TEST:
            visible, numbers = split_hidden(cell.source)
            lines = cell.source.split("\n")
            hidden |= {lines[number - 1].strip() for number in numbers}
            seen.append(visible)
        else:
            seen.append(cell.source)
    shown = "\n".join(seen)
    return {line for line in hidden if len(line) >= TELLING and line not in shown}


def shows_any(lines: set[str], text: str) -> bool:
    """Whether ``text``, or what it is the repr of, holds one of ``lines``."""
    plain = strip_ansi(text)
    unquoted = plain.replace("\\n", "\n").replace("\\'", "'").replace('\\"', '"')
    return any(line in plain or line in unquoted for line in lines)


def has_code_of_student(cell: NotebookNode) -> bool:
    """Whether ``cell`` is the student's and holds code."""
    return cell.cell_type == "code" and role_of(cell) is Role.ANSWER and bool(cell.source.strip())


def free_id(wanted: str, taken: set[str]) -> str:
    """A valid cell id like ``wanted`` that is not in ``taken``; it is added there."""
    number, cell_id = 1, wanted[:56]
    while cell_id in taken:
        number += 1
        cell_id = f"{wanted[:56]}-{number}"
    taken.add(cell_id)
    return cell_id


def error_output(ename: str, evalue: str, traceback: list[str] | None = None) -> NotebookNode:
    """An error as a kernel would record it; nbgrader gives 0 for it."""
    text = [f"{ename}: {evalue}"] if traceback is None else traceback
    return NotebookNode(output_type="error", ename=ename, evalue=evalue, traceback=text)


def sound_output(output: NotebookNode) -> NotebookNode | None:
    """``output`` as a notebook file can hold it; None where it cannot, but an error stays one."""
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        text = json.dumps(output, ensure_ascii=False).encode(errors="replace")
        sound = from_dict(json.loads(text))
        if _is_flat(sound, DEEPEST) and _is_valid(sound):
            return sound
    return error_output("Error", "it cannot be shown") if output.output_type == "error" else None


def _is_valid(output: NotebookNode) -> bool:
    """Whether ``output`` follows the notebook format; whole notebooks are checked fastest."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": None}
    notebook = {"cells": [cell | {"outputs": [output]}], "metadata": {}}
    return isvalid(notebook | {"nbformat": 4, "nbformat_minor": 5})


def _is_flat(value: Any, levels: int) -> bool:
    """Whether lists and dicts are inside each other at most so many levels deep."""
    if not isinstance(value, (list, dict)):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_flat(part, levels - 1) for part in parts)


def where(resources: Mapping[str, Any]) -> str:
    """Student and notebook, as they stand at the start of a log line."""
    names = resources.get("nbgrader") or {}
    return "/".join(filter(None, (names.get("student"), names.get("notebook")))) or "notebook"


class Named(logging.LoggerAdapter):
    """A log whose lines, nbclient's included, say which student's notebook they are about."""

    def __init__(self, log: Any, resources: Mapping[str, Any]) -> None:
        inner = log.logger if isinstance(log, Named) else log
        super().__init__(inner, {})
        self.prefix = where(resources).replace("%", "")

    def process(self, msg: Any, kwargs: Any) -> tuple[str, Any]:
        """Put student and notebook before ``msg``."""
        return f"{self.prefix}: {msg}", kwargs


def note(resources: dict[str, Any], text: str) -> None:
    """Add ``text`` to what the exporter says, in one line, about the notebook that it reads."""
    if isinstance(resources.get("nbgrader"), dict):
        resources["nbgrader"].setdefault("notes", []).append(text)


def note_cut(nb: NotebookNode, cell: NotebookNode) -> None:
    """Keep with ``nb``, beside what was noted before, that ``cell`` lost a part of its output."""
    noticed = nb.metadata.setdefault(OURS, NotebookNode()).setdefault("noticed", [])
    text = f"the output of cell `{name_of(cell)}` was cut"
    if text not in noticed:
        noticed.append(text)
