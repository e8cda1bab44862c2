"""Ends the submission without a mark: tests of the student's own, with points."""

import copy


def edit(content):
    for name in ("bonus", "test_mean"):
        twin = copy.deepcopy(next(cell for cell in content.cells if cell.id == "test_blend"))
        twin.id = twin.metadata["nbgrader"]["grade_id"] = name
        twin.source = "2.0"
        content.cells.append(twin)
