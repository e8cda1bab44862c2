"""What students get to see of their graded notebook."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from traitlets import List

from fairmark.notebooks import Role, role_of

from .cells import shows_any, telling_lines

REMOVED = "[This output showed the text of hidden tests and was removed.]"


class StudentView(ClearHiddenTests):
    """Test cells without their hidden part, and with the short message of their result alone.

    No traceback, nothing printed and no figure of a test cell is shown. Other cells stay as they
    are, unless an output shows a line of the hidden tests.
    """

    # the HTML exporter configures this trait on every preprocessor and warns where it cannot
    display_data_priority = List(
        ClearHiddenTests.display_data_priority.default_value, help="Which output to prefer."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Change the test cells of ``nb`` in place."""
        secret = telling_lines(nb)
        nb, resources = super().preprocess(nb, resources)
        for cell in nb.cells:
            if cell.cell_type == "code" and role_of(cell) is not Role.TEST:
                cell.outputs = [_without(secret, output) for output in cell.outputs]
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear a test cell; leave every other cell, whatever markers a student wrote in it."""
        if role_of(cell) is Role.TEST:
            cell, resources = super().preprocess_cell(cell, resources, cell_index)
            cell.outputs = [_message(out) for out in cell.outputs if _is_result(out)]
        return cell, resources


def _is_result(output: NotebookNode) -> bool:
    return output.output_type in {"error", "execute_result"}


def _message(result: NotebookNode) -> NotebookNode:
    if result.output_type == "error":
        return NotebookNode(
            output_type="error", ename="", evalue=result.evalue, traceback=[result.evalue]
        )
    text = f"Points for this cell: {result.data.get('text/plain', '')}\n"
    return NotebookNode(output_type="stream", name="stdout", text=text)


def _without(secret: set[str], output: NotebookNode) -> NotebookNode:
    texts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    texts += [str(value) for value in output.get("data", {}).values()]
    if shows_any(secret, "\n".join(texts)):
        return NotebookNode(output_type="stream", name="stdout", text=REMOVED)
    return output
