"""Small notebooks graded by the executor itself: what its users see of a run."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from fairmark.isolation.execute import IsolatedExecute
from tests.pipeline.course import _meta, cell_of, notebook

EMPTY = Path(__file__).parent  # no file beside the notebook matters to these tests


@dataclass
class Graded:
    """A notebook after its run, and what was logged meanwhile."""

    notebook: NotebookNode
    log: list[str] = field(default_factory=list)

    def result(self, name: str) -> str | float | None:
        """What came of a test cell: None for full points, the points, or the message."""
        for output in cell_of(self.notebook, name).outputs:
            if output.output_type == "error":
                return output.evalue
            if output.output_type == "execute_result":
                return float(output.data["text/plain"])
        return None

    def printed(self, name: str) -> str:
        """The text that a cell shows."""
        outputs = cell_of(self.notebook, name).outputs
        return "".join(out.text for out in outputs if out.output_type == "stream")


class _Lines(logging.Handler):
    """Keeps what the thread that made it logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.lines.append(record.getMessage())


def student(source: str, name: str = "answer") -> NotebookNode:
    """An answer cell as it was handed in."""
    return new_code_cell(source, id=name, metadata=_meta(name, solution=True))


def grade(*cells: NotebookNode, resources: dict | None = None, **traits: object) -> Graded:
    """Run a notebook of ``cells``; it is valid afterwards, whatever they did."""
    content = notebook(*cells)
    if resources is None:
        resources = {"metadata": {"path": str(EMPTY / "nothing")}, "nbgrader": {"student": "one"}}
    executor = IsolatedExecute(**({"timeout": 60} | traits))
    handler = _Lines()
    executor.log.addHandler(handler)
    try:
        executor.preprocess(content, resources)
    finally:
        logging.getLogger(executor.log.logger.name).removeHandler(handler)
    nbformat.validate(content)
    nbformat.writes(content).encode()
    return Graded(content, handler.lines)
