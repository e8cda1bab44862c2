"""Ends the grading of everybody: a test cell stands in the notebook twice."""

import copy


def edit(content):
    test = next(cell for cell in content.cells if cell.id == "test_vector")
    twin = copy.deepcopy(test)
    twin.id, twin.source = "twin", "1.0"
    content.cells.append(twin)
