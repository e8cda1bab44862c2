"""After execution: the result of a test cell, in the one form that nbgrader reads rightly."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from fairmark.checks import CheckFailed
from fairmark.notebooks import Role, name_of, role_of

from .cells import (
    ENDED,
    FAULT,
    NOT_RUN,
    TIMED_OUT,
    Named,
    error_output,
    has_code_of_student,
    parse,
    shows_any,
    split_hidden,
    telling_lines,
)

FOR_STUDENTS = {CheckFailed.__name__, TIMED_OUT, ENDED, NOT_RUN}  # their text is told as it is
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
                result = result_of(cell, nb)
                cell.outputs = [*chatter(cell), *([result] if result else [])]
                if result and result.get("ename") == FAULT:
                    log.error(f"test cell `{name_of(cell)}`: {result.traceback[0]}; it scores 0")
        return nb, resources


def result_of(cell: NotebookNode, nb: NotebookNode) -> NotebookNode | None:
    """The one output that is the result of an executed test cell of ``nb``; None gives all."""
    errors = [out for out in cell.outputs if out.output_type == "error"]
    values = [out for out in cell.outputs if out.output_type == "execute_result"]
    if errors:
        last = errors[-1]
        own, line = _origin(last, cell)
        raised = Raised(last.ename, last.evalue, line, own, last.ename in FOR_STUDENTS)
        return error_output(last.ename, message_for(raised, cell, nb), list(last.traceback))
    if cell.execution_count is None:
        return error_output(NOT_RUN, "not run: there is no sign that this cell was executed")
    ending = _ending(cell.source)
    if ending is None or not values:
        return None  # a value that is shown all the same is an answer's, by sys.displayhook
    if isinstance(ending, (ast.Call, ast.Await)):  # it may as well be an answer's
        return fault("its last line is a call, so a value has to be named to be its result")
    if len(values) > 1:
        return fault(f"it gave {len(values)} values, and only one can be its result")
    text = str(values[0].data.get("text/plain", "")).strip()
    match = NUMBER.fullmatch(text)
    return points_output(float(match["value"]) if match else text, cell)


def points_output(value: float | str, cell: NotebookNode) -> NotebookNode:
    """``value`` as the result of ``cell``; a fault of the test where it can be none."""
    points = float(cell.metadata["nbgrader"]["points"])
    if isinstance(value, str) or not 0 <= value <= points:
        return fault(f"its value {str(value)[:80]!r} is not a number between 0 and {points:g}")
    return NotebookNode(
        output_type="execute_result",
        data=NotebookNode({"text/plain": repr(float(value))}),
        metadata=NotebookNode(),
        execution_count=cell.execution_count,
    )


def fault(what: str) -> NotebookNode:
    """The result of a test that gave none: an error that is no fault of the student's."""
    told = "this test has a fault, which is none of yours; your instructor has been told."
    return error_output(FAULT, told, [f"fault of the test: {what}"])


@dataclass(frozen=True)
class Raised:
    """An error that ended a test cell."""

    name: str
    text: str
    line: int  # of the test cell, where it came up there
    own: bool  # whether a line of the test cell raised it, not the student's code
    for_students: bool  # whether its text was written for them


def message_for(error: Raised, cell: NotebookNode, nb: NotebookNode) -> str:
    """What a student is told about ``error`` in the test cell ``cell`` of ``nb``.

    The text of an error that a hidden line raised may hold expected values, so it is told only
    where it was written for students (CheckFailed), or comes from the student's own code; and
    never where it shows a hidden line, since any code may raise an error of any name and text.
    """
    name, text = error.name, error.text.strip()
    if shows_any(telling_lines(nb), f"{name}\n{text}"):
        return f"a hidden check did not pass ({name if name.isidentifier() else 'an error'})."
    unknown = re.search(r"name '(\w+)' is not defined", text)
    if name == "NameError" and unknown and unknown[1] in _names_of_student(cell, nb):
        return f"{unknown[1]} is not defined: did its cell run without an error?"
    if name == "NotImplementedError" and not text:
        return "an answer that this test needs still raises NotImplementedError."
    if error.for_students:
        return text[:LONGEST]
    if error.own and error.line in split_hidden(cell.source)[1]:
        return f"a hidden check did not pass ({name})."
    if error.own and name == "AssertionError":
        return text[:LONGEST] or f"the check in line {error.line} of this cell did not pass."
    place = "" if error.own else " in your code"
    return f"{name}{place}: {text}"[:LONGEST] if text else f"{name}{place}."


def _names_of_student(cell: NotebookNode, nb: NotebookNode) -> set[str]:
    """The names that stand in the visible part of ``cell``, or that an answer in ``nb`` assigns."""
    visible = ast.walk(parse(split_hidden(cell.source)[0]) or ast.Module([], []))
    names = {node.id for node in visible if isinstance(node, ast.Name)}
    for other in filter(has_code_of_student, nb.cells):
        for node in ast.walk(parse(other.source) or ast.Module([], [])):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
    return names


def _origin(error: NotebookNode, cell: NotebookNode) -> tuple[bool, int]:
    """Whether the last notebook cell in the traceback is ``cell`` itself, and the line there.

    Without a frame of any cell, the first hidden line is taken as the origin.
    """
    own, at = True, min(split_hidden(cell.source)[1], default=0)
    for frame in FRAME.finditer(strip_ansi("\n".join(error.traceback))):
        if frame["cell"]:
            own, at = int(frame["cell"]) == cell.execution_count, int(frame["line"])
    return own, at


def _ending(source: str) -> ast.expr | None:
    """The expression whose value is shown as the last one; None where there is none."""
    tree = parse(source)
    last = tree.body[-1] if tree and tree.body and not source.rstrip().endswith(";") else None
    if not isinstance(last, ast.Expr):
        return None
    nothing = isinstance(last.value, ast.Constant) and last.value.value is None
    return None if nothing else last.value


def chatter(cell: NotebookNode) -> list[NotebookNode]:
    """What was printed, as one stdout text, and what was drawn."""
    streams = [out for out in cell.outputs if out.output_type == "stream"]
    drawn = [out for out in cell.outputs if out.output_type == "display_data"]
    text = "".join(out.text for out in streams)
    printed = [NotebookNode(output_type="stream", name="stdout", text=text)] if text else []
    return printed + drawn
