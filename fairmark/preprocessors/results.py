"""After execution: the result of a test cell, in the one form that nbgrader reads rightly."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from fairmark.notebooks import Role, role_of

from .cells import Named, error_output, name_of, parse, split_hidden

FAULT = "FaultInTest"
LONGEST = 600  # characters of a message for a student
FRAME = re.compile(r"^\s*(?:Cell In\[(?P<cell>\d+)\], line (?P<line>\d+)|File )", re.MULTILINE)
NUMBER = re.compile(r"(np\.\w+\()?(?P<value>-?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?|nan|inf))(?(1)\))")


class CanonicalResults(NbGraderPreprocessor):
    """Rewrite the outputs of each test cell: its result is nothing, an error or a number.

    Nothing gives full marks, an error none, a finite float between 0 and the cell's points that
    many. What was printed, on stderr too, and the figures stay for the instructor, as does the
    traceback of an error; ``evalue`` becomes the short message that students get to read.
    A value of any other kind is a fault of the test: an error, scored 0, and logged as such.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Rewrite the outputs of every test cell of ``nb`` in place."""
        log = Named(self.log, resources)
        for cell in nb.cells:
            if role_of(cell) is Role.TEST:
                result = result_of(cell)
                cell.outputs = [*_chatter(cell), *([result] if result else [])]
                if result and result.get("ename") == FAULT:
                    log.error(f"test cell `{name_of(cell)}`: {result.traceback[0]}; it scores 0")
        return nb, resources


def result_of(cell: NotebookNode) -> NotebookNode | None:
    """The one output that is the result of an executed test cell; None where it gives all."""
    errors = [out for out in cell.outputs if out.output_type == "error"]
    values = [out for out in cell.outputs if out.output_type == "execute_result"]
    if errors:
        last = errors[-1]
        return error_output(last.ename, message_for(last, cell), list(last.traceback))
    if cell.execution_count is None:
        return error_output("NotRun", "not run: there is no sign that this cell was executed")
    if not _ends_in_expression(cell.source):
        return None  # what is shown then is not the test's: sys.displayhook called by an answer
    if not values:
        return None
    if len(values) > 1:
        return _fault(f"it gave {len(values)} values, and only one can be its result")
    text = str(values[0].data.get("text/plain", "")).strip()
    points = float(cell.metadata["nbgrader"]["points"])
    match = NUMBER.fullmatch(text)
    value = float(match["value"]) if match else math.nan
    if not 0 <= value <= points:
        return _fault(f"its value {text[:80]!r} is not a number between 0 and {points:g}")
    data = {"text/plain": repr(value)}
    return NotebookNode(
        output_type="execute_result",
        data=NotebookNode(data),
        metadata=NotebookNode(),
        execution_count=cell.execution_count,
    )


def message_for(error: NotebookNode, cell: NotebookNode) -> str:
    """What a student is told about ``error`` in the test cell ``cell``.

    The text of an error that a hidden line raised may hold expected values, so it is told only
    where it was written for students (CheckFailed), or comes from the student's own code.
    """
    text = error.evalue.strip()
    unknown = re.search(r"name '(\w+)' is not defined", text)
    if error.ename == "NameError" and unknown and re.search(rf"\b{unknown[1]}\b", cell.source):
        return f"{unknown[1]} is not defined: did its cell run without an error?"
    if error.ename == "NotImplementedError" and not text:
        return "an answer that this test needs still raises NotImplementedError."
    if error.ename in {"CheckFailed", "CellTimeoutError", "KernelEnded", "NotRun"}:
        return text[:LONGEST]
    own, line = _origin(error, cell)
    visible, hidden = split_hidden(cell.source)
    if own and line in hidden:
        return f"a hidden check did not pass ({error.ename})."
    if own and error.ename == "AssertionError":
        return text[:LONGEST] or f"the check in line {line} of this cell did not pass."
    secret = set(cell.source.split("\n")) - set(visible.split("\n"))
    if any(len(part) > 8 and part in text for part in map(str.strip, secret)):
        return f"a hidden check did not pass ({error.ename})."
    place = "" if own else " in your code"
    return f"{error.ename}{place}: {text}"[:LONGEST] if text else f"{error.ename}{place}."


def _origin(error: NotebookNode, cell: NotebookNode) -> tuple[bool, int]:
    """Whether the last notebook cell in the traceback is ``cell`` itself, and the line there.

    Without a frame of any cell, the first hidden line is taken as the origin.
    """
    own, at = True, min(split_hidden(cell.source)[1], default=0)
    for frame in FRAME.finditer(strip_ansi("\n".join(error.traceback))):
        if frame["cell"]:
            own, at = int(frame["cell"]) == cell.execution_count, int(frame["line"])
    return own, at


def _ends_in_expression(source: str) -> bool:
    tree = parse(source)
    if tree is None or not tree.body or source.rstrip().endswith(";"):
        return False
    return isinstance(tree.body[-1], ast.Expr)


def _fault(what: str) -> NotebookNode:
    told = "this test has a fault, which is none of yours; your instructor has been told."
    return error_output(FAULT, told, [f"fault of the test: {what}"])


def _chatter(cell: NotebookNode) -> list[NotebookNode]:
    """What was printed, as one stdout text, and what was drawn."""
    streams = [out for out in cell.outputs if out.output_type == "stream"]
    drawn = [out for out in cell.outputs if out.output_type == "display_data"]
    text = "".join(out.text for out in streams)
    printed = [NotebookNode(output_type="stream", name="stdout", text=text)] if text else []
    return printed + drawn
