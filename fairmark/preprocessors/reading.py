"""A notebook out of whatever file was handed in, and what had to be put right."""

from __future__ import annotations

import json
import logging
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.nbgraderformat import SCHEMA_VERSION, ValidationError
from nbgrader.nbgraderformat.common import SchemaMismatchError
from traitlets.log import get_logger

from .cells import OURS, free_id
from .metadata import rules

FORMAT = 4  # the notebook format of nbgrader and of this course
CELL_ID = re.compile(r"[a-zA-Z0-9\-_]{1,64}")


class Unreadable(Exception):
    """The file holds no notebook; the text says why."""


def read_submission(path: Path, max_bytes: int) -> tuple[NotebookNode, list[str]]:
    """The notebook in the file ``path``, valid in the current format, and what was put right.

    Outputs are not read: they are the student's, and grading begins without any.
    Raises :class:`Unreadable` where there is no notebook in it.
    """
    notes: list[str] = []
    raw = _load(_text(bytes_of(path, max_bytes), notes))
    if "worksheets" in raw or raw.get("nbformat") in (1, 2, 3):
        raw = _convert(raw, notes)
    elif raw.get("nbformat") != FORMAT:
        notes.append(f"its notebook format {raw.get('nbformat')!r} is unknown; read as {FORMAT}")
    if not isinstance(raw.get("cells"), list):
        raise Unreadable("it has no cells, so it is not a notebook")
    if not raw["cells"]:
        raise Unreadable("it is a notebook without a single cell")
    _note_language(raw, notes)
    notebook = empty_notebook()
    notebook.metadata.update(_noticed_before(raw))
    notebook.cells = _cells(raw["cells"], notes)
    return notebook, notes


def empty_notebook() -> NotebookNode:
    """A notebook without cells, in the current format, for the kernel of the course."""
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict(
        {"cells": [], "metadata": metadata, "nbformat": FORMAT, "nbformat_minor": 5}
    )


def bytes_of(path: Path, max_bytes: int) -> bytes:
    """What is in the file ``path``, which may be a notebook.

    Raises :class:`Unreadable` where it cannot be one.
    """
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            raise Unreadable("it is a link or something else than a file")
        size = info.st_size
        if size > max_bytes:
            raise Unreadable(f"it is larger than {max_bytes / 1e6:g} MB ({size / 1e6:.1f} MB)")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror})") from None


def _text(data: bytes, notes: list[str]) -> str:
    if not data.strip():
        raise Unreadable("it is empty")
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("it is a binary file")
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = "Windows-1252", data.decode("cp1252", errors="replace")
    if not encoding.startswith("utf-8"):
        notes.append(f"it is not UTF-8 and was read as {encoding}")
    return text


def _load(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("<"):
            raise Unreadable("it is a web page, not a notebook") from None
        at = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"its JSON is broken at {at}: {error.msg}") from None
    except (ValueError, RecursionError):
        raise Unreadable("its JSON cannot be read") from None
    if not isinstance(raw, dict):
        raise Unreadable(f"it holds a JSON {type(raw).__name__}, not a notebook")
    return raw


@contextmanager
def _quiet() -> Iterator[None]:
    """nbformat reports each flaw on its own log; here one line says it all."""
    log = get_logger()
    inner = log.logger if isinstance(log, logging.LoggerAdapter) else log
    before, inner.disabled = inner.disabled, True
    try:
        yield
    finally:
        inner.disabled = before


def _convert(raw: dict[str, Any], notes: list[str]) -> NotebookNode:
    major = raw.get("nbformat", 1)
    try:
        with _quiet():
            converted = nbformat.convert(nbformat.reader.reads(json.dumps(raw)), FORMAT)
    except Exception as error:  # the old converters raise what they happen to meet
        reason = f"its old format {major} cannot be converted ({type(error).__name__})"
        raise Unreadable(reason) from None
    notes.append(f"it is in the old notebook format {major} and was converted")
    return converted


def _note_language(raw: dict[str, Any], notes: list[str]) -> None:
    metadata = raw.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = spec.get("name") if isinstance(spec, dict) else None
    if name not in (None, "python3"):
        notes.append(f"it names the kernel {str(name)[:40]!r} and is graded with the course's")


def _noticed_before(raw: dict[str, Any]) -> dict[str, Any]:
    """What an earlier step noted in the notebook (see RestoreLockedCells), if it is well formed."""
    metadata = raw.get("metadata")
    ours = metadata.get(OURS) if isinstance(metadata, dict) else None
    noticed = ours.get("noticed") if isinstance(ours, dict) else None
    if not isinstance(noticed, list) or not all(isinstance(text, str) for text in noticed):
        return {}
    return {OURS: {"noticed": noticed}}


def _cells(raw: list[Any], notes: list[str]) -> list[NotebookNode]:
    cells: list[NotebookNode] = []
    taken: set[str] = set()
    dropped = 0
    for number, item in enumerate(raw):
        if not isinstance(item, dict):
            dropped += 1
            continue
        cells.append(_cell(item, number, taken))
    if dropped:
        notes.append(f"{dropped} of its entries are no cells and were dropped")
    broken = [cell.id for cell in cells if cell.metadata.pop("_broken", False)]
    if broken:
        notes.append(f"invalid nbgrader metadata was dropped (cells {', '.join(broken[:4])})")
    return cells


def _cell(item: dict[str, Any], number: int, taken: set[str]) -> NotebookNode:
    """A valid cell with the type, text, nbgrader metadata and attachments of ``item``."""
    source = item.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source if isinstance(source, str) else ""
    source = source.encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be saved
    kind = item.get("cell_type")
    kind = kind if kind in ("code", "markdown") else "raw"
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    cell_id = item.get("id")
    valid = isinstance(cell_id, str) and CELL_ID.fullmatch(cell_id)
    cell["id"] = free_id(cell_id if valid else f"cell-{number}", taken)
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    elif "attachments" in item:
        _keep_attachments(cell, item["attachments"])
    node = nbformat.from_dict(cell)
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key in ("deletable", "editable"):
        if isinstance(metadata.get(key), bool):
            node.metadata[key] = metadata[key]
    if metadata.get("nbgrader"):
        _keep_nbgrader(node, metadata["nbgrader"])
    return node


def _keep_attachments(cell: dict[str, Any], attachments: Any) -> None:
    """Give ``cell`` its attachments where it stays valid with them."""
    more = {"attachments": attachments}
    try:
        nbformat.validate(
            nbformat.from_dict(cell | more), ref=f"{cell['cell_type']}_cell", version=FORMAT
        )
        json.dumps(more).encode("utf-8")
    except (nbformat.ValidationError, TypeError, ValueError, RecursionError):
        return
    cell.update(more)


def _keep_nbgrader(cell: NotebookNode, meta: Any) -> None:
    allowed = rules().schema["properties"].keys() - {"cell_type"}
    try:
        kept = {key: value for key, value in dict(meta).items() if key in allowed}
        cell.metadata["nbgrader"] = nbformat.from_dict({**kept, "schema_version": SCHEMA_VERSION})
        rules().validate_cell(cell)
    except (ValidationError, SchemaMismatchError, KeyError, TypeError, ValueError):
        cell.metadata.pop("nbgrader", None)
        cell.metadata["_broken"] = True
