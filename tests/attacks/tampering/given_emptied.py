"""Gets nothing today: locked cells are unlocked and edited."""


def edit(content):
    cell = next(cell for cell in content.cells if cell.id == "imports")
    cell.source = "class np:\n    testing = type('', (), {'assert_allclose': print})"
    cell.metadata["nbgrader"]["locked"] = False
