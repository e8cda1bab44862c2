"""Gets no mark at all for tests that were deleted, so that they can be missed."""


def edit(content):
    content.cells = [
        cell for cell in content.cells if not cell.metadata.get("nbgrader", {}).get("grade")
    ]
