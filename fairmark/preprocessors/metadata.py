"""nbgrader's checks of its own metadata, without their cost where there is nothing to find.

nbgrader checks its schema itself anew at every cell. Here a cell is first held against the schema
by code that was made of it once, and only what that does not pass is left for nbgrader to judge.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from nbformat import NotebookNode
from nbformat.json_compat import FastJsonSchemaValidator
from nbgrader.nbgraderformat import MetadataValidator, ValidationError
from nbgrader.nbgraderformat.common import BaseMetadataValidator, SchemaMismatchError
from nbgrader.preprocessors import CheckCellMetadata


class _Schema(BaseMetadataValidator):
    """What nbgrader's validators have in common, asked only where it may have an objection."""

    def __init__(self) -> None:
        super().__init__()
        self._passes = FastJsonSchemaValidator(self.schema)

    def validate_cell(self, cell: NotebookNode) -> None:
        if self._passes.iter_errors(cell.metadata.get("nbgrader")):
            super().validate_cell(cell)


class Rules(MetadataValidator, _Schema):
    """nbgrader's validator: what it demands of the metadata of a cell and of a notebook."""


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The rules, made once in a process."""
    return Rules()


class CheckMetadata(CheckCellMetadata):
    """nbgrader's CheckCellMetadata: the same rules, and its own words for what breaks them."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Leave ``nb`` as it is. Raises the errors of nbgrader."""
        try:
            rules().validate_nb(nb)
        except (ValidationError, SchemaMismatchError, LookupError, TypeError):
            return super().preprocess(nb, resources)
        return nb, resources
