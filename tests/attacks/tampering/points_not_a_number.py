"""Gets nothing today: the points of a test are NaN."""


def edit(content):
    for cell in content.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["nbgrader"]["points"] = float("nan")
