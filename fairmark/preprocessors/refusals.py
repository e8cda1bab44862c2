"""Cells that import a package which their notebook does without are not run."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Dict, List, Unicode

from fairmark.notebooks import name_of

from .cells import REFUSED, Named, error_output, has_code_of_student, parse

SKIP = "skip-execution"  # the tag by which nbclient leaves a cell out


def refused_imports(source: str, refused: Collection[str]) -> list[tuple[int, str]]:
    """The imports of ``refused`` packages in ``source``: pairs of line number and package.

    ``source`` is the text of a cell or of a Python file. Seen are import statements anywhere in
    it, ``__import__`` and ``import_module`` with a literal name, and code in literal strings that
    is run by a magic or by ``exec``. Code that does not parse runs nothing, so it imports nothing.
    """
    tree = parse(source) if refused else None
    if tree is None:
        return []
    found = {(line, name.partition(".")[0]) for line, name in _imports(tree)}
    return sorted((line, name) for line, name in found if name in refused)


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield node.lineno, node.module
        elif isinstance(node, ast.Call):
            yield from _imports_of_call(node)


def _imports_of_call(call: ast.Call) -> Iterator[tuple[int, str]]:
    function = getattr(call.func, "id", getattr(call.func, "attr", ""))
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    if function in {"__import__", "import_module"}:
        yield from ((call.lineno, text) for text in texts[:1])
    elif function in {"run_cell_magic", "run_line_magic", "exec"} and texts:
        inner = parse(texts[-1])
        shift = call.lineno - (0 if function == "run_cell_magic" else 1)  # a magic takes one line
        yield from ((line + shift, name) for line, name in _imports(inner or ast.Module([], [])))


class RefusePackages(NbGraderPreprocessor):
    """Before execution: a student's cell that imports a refused package is left out.

    Its output is one error that names notebook, line and package.
    """

    refused = Dict(
        key_trait=Unicode(),
        value_trait=List(Unicode()),
        help="For each notebook, by name, the packages that a student's cell may not import.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Tag the cells that are not to be run, in place."""
        notebook = resources["nbgrader"]["notebook"]
        log = Named(self.log, resources)
        for cell in nb.cells:
            tags = [tag for tag in cell.metadata.get("tags", []) if tag != SKIP]
            found = []
            if has_code_of_student(cell):
                found = refused_imports(cell.source, self.refused.get(notebook, []))
            if found:
                tags.append(SKIP)
                line, package = found[0]
                message = (
                    f"{notebook} is to be solved without {package}: line {line} of this cell "
                    "imports it, so the cell was not run."
                )
                cell.outputs = [error_output(REFUSED, message)]
                log.warning(f"cell `{name_of(cell)}` imports {package}: it was not run")
            if tags or "tags" in cell.metadata:
                cell.metadata["tags"] = tags
        return nb, resources
