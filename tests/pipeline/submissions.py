"""A class of submissions to the tiny course: what each student did, as a change of right work."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from .course import Course, Edit, cell_of


def write(cell_id: str, source: str) -> Edit:
    """Replace the text of one cell."""

    def edit(content: NotebookNode) -> None:
        cell_of(content, cell_id).source = source

    return edit


def insert(before: str, source: str) -> Edit:
    """Add a cell of the student's own."""

    def edit(content: NotebookNode) -> None:
        index = [cell.id for cell in content.cells].index(before)
        content.cells.insert(index, new_code_cell(source, id="mine"))

    return edit


def delete(*names: str) -> Edit:
    """Delete cells."""

    def edit(content: NotebookNode) -> None:
        content.cells = [cell for cell in content.cells if cell.id not in names]

    return edit


def duplicate(*names: str) -> Edit:
    """Copy cells, each copy before its original, nbgrader's metadata included."""

    def edit(content: NotebookNode) -> None:
        for name in names:
            index = [cell.id for cell in content.cells].index(name)
            twin = copy.deepcopy(content.cells[index])
            twin.id = f"{name}-copy"
            content.cells.insert(index, twin)

    return edit


def metadata(cell_id: str, **more: object) -> Edit:
    """Change nbgrader's metadata of one cell."""

    def edit(content: NotebookNode) -> None:
        cell_of(content, cell_id).metadata["nbgrader"].update(more)

    return edit


def both(*edits: Edit) -> Edit:
    """One change after the other."""

    def edit(content: NotebookNode) -> None:
        for one in edits:
            one(content)

    return edit


def strip(content: NotebookNode) -> None:
    """Lose the metadata of every cell and of the notebook."""
    content.metadata = {}
    for cell in content.cells:
        cell.metadata = {}


def strip_ids(content: NotebookNode) -> None:
    """Lose the metadata and the cell ids too."""
    strip(content)
    for number, cell in enumerate(content.cells):
        cell.id = f"other-{number}"


def forged_id(content: NotebookNode) -> None:
    """Add a cell that pretends to be a test which the course does not have."""
    twin = copy.deepcopy(cell_of(content, "test_double"))
    twin.id = twin.metadata["nbgrader"]["grade_id"] = "bonus"
    content.cells.append(twin)


def skipped_test(content: NotebookNode) -> None:
    """Wrong answers, and a tag by which nbclient would leave the test cells out."""
    for name in ("double", "triple"):
        cell_of(content, name).source = "pass"
    for name in ("test_double", "test_triple"):
        cell_of(content, name).metadata["tags"] = ["skip-execution"]


def to_markdown(content: NotebookNode) -> None:
    """Turn a test cell into prose."""
    cell = cell_of(content, "test_double")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
WARN = "def double(x):\n    import warnings\n    warnings.warn('careful')\n    return base * x"
HOOK = "def double(x):\n    import sys\n    sys.displayhook(1.0)\n    return -1"
LEAK = "def double(x):\n    raise ValueError(In[-1])"
LEAK_AS_CHECK = "class CheckFailed(Exception): pass\ndef double(x):\n    raise CheckFailed(In[-1])"
LEAK_ONE_LINE = "def double(x):\n    raise ValueError(In[-1].split('\\n')[3])"
LEAK_IN_NAME = "def double(x):\n    raise type(In[-1], (Exception,), {})"
LEAK_AS_REPR = "def double(x):\n    raise ValueError(repr(In[-1]))"
TORCH = "def double(x):\n    y = base * x\n    import torch.nn as nn\n    return y"

ALTERED: dict[str, Edit | None] = {
    "perfect": None,
    "warns": write("double", WARN),
    "displays": write("double", HOOK),
    "wrong": write("double", "def double(x):\n    return 41"),
    "undefined": write("triple", "tripel = 1"),
    "leaks": both(write("double", LEAK), insert("factor", "print(In[-2])")),
    "leaks_as_check": write("double", LEAK_AS_CHECK),
    "leaks_in_name": write("double", LEAK_IN_NAME),
    "leaks_as_repr": write("double", LEAK_AS_REPR),
    "leaks_one_line": both(
        write("double", LEAK_ONE_LINE), insert("factor", "print(In[-2].split('\\n')[3])")
    ),
    "asks": write("double", "base = int(input())"),
    "exits": insert("triple", "import os; os._exit(1)"),
    "loops": write("triple", "while True: pass"),
    "stubborn": write("triple", STUBBORN),
    "floods": both(insert("factor", "while True: print('x' * 500)"), delete("factor")),
    "lost_neighbours": delete("base", "test_double", "factor", "test_triple"),
    "lost_all_but_answers": both(strip, delete("base", "test_double", "factor", "test_triple")),
    "stripped": strip,
    "stripped_ids": strip_ids,
    "duplicated": duplicate("double", "test_double", "base"),
    "forged_id": forged_id,
    "promoted": metadata("double", grade=True, points=100),
    "broken_meta": metadata("test_double", points="many"),
    "demoted": metadata("test_double", grade=False, solution=True, locked=False),
    "skipped_test": skipped_test,
    "to_markdown": to_markdown,
    "edited_test": write("test_double", "assert True"),
    "torch": write("double", TORCH),
    "marker": insert("factor", "note = '### BEGIN HIDDEN TESTS'"),
}


def as_v3(course: Course) -> bytes:
    """The right answers in the old format 3."""
    return nbformat.v3.writes_json(nbformat.convert(course.solved(), 3)).encode()


def changed(**keys: object) -> Callable[[Course], bytes]:
    """The right answers with other entries at the top of the file."""

    def make(course: Course) -> bytes:
        return json.dumps({**course.solved(), **keys}).encode()

    return make


def other_kernel(course: Course) -> bytes:
    """The right answers under a kernel of R."""
    content = course.solved()
    content.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    content.metadata["language_info"] = {"name": "R"}
    return nbformat.v4.writes_json(content).encode()


def with_text(encoding: str) -> Callable[[Course], bytes]:
    """The right answers with a letter outside ASCII, in another encoding."""

    def make(course: Course) -> bytes:
        content = course.solved()
        content.cells[0].source = "# Größe"
        return nbformat.v4.writes_json(content).encode(encoding)

    return make


FILES: dict[str, tuple[Callable[[Course], bytes], float, str]] = {  # bytes, score, in the log
    "f_cut": (lambda course: as_bytes(course)[:-40], 0, "JSON is broken"),
    "f_empty": (lambda course: b"", 0, "it is empty"),
    "f_binary": (lambda course: b"\x89PNG\r\n\0\0\0\rIHDR", 0, "it is a binary file"),
    "f_list": (lambda course: b"[1, 2]", 0, "holds a JSON list"),
    "f_web": (lambda course: b"<!DOCTYPE html><html></html>", 0, "it is a web page"),
    "f_no_cells": (lambda course: b'{"nbformat": 4, "metadata": {}}', 0, "has no cells"),
    "f_deep": (lambda course: b"[" * 200_000, 0, "JSON"),
    "f_large": (lambda course: as_bytes(course) + b" " * 300_000, 0, "larger than 0.2 MB"),
    "f_v3": (as_v3, 3, "old notebook format 3"),
    "f_v9": (changed(nbformat=9, nbformat_minor=1), 3, "format 9 is unknown"),
    "f_kernel": (other_kernel, 3, "names the kernel 'ir'"),
    "f_latin": (with_text("latin-1"), 3, "read as Windows-1252"),
    "f_utf16": (with_text("utf-16"), 3, "read as utf-16"),
    "f_odd_cells": (changed(cells=[1, {"source": 3}, {}]), 0, "1 of its entries"),
}


def as_bytes(course: Course) -> bytes:
    """The right answers, as a file."""
    return nbformat.v4.writes_json(course.solved()).encode()
