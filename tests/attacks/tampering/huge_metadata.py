"""Ends the submission without a mark: metadata of 40 MB, nested deep."""


def edit(content):
    nested = []
    for _ in range(150):
        nested = [nested]
    content.metadata["widgets"] = {"nested": nested, "long": "x" * 20_000_000}
    content.cells[0].metadata["long"] = "x" * 20_000_000
    content.cells[2].metadata["nbgrader"]["comment"] = "x" * 1000
