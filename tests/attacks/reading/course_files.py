"""Reads files of the course and beside it that no student is to see."""

ANSWERS = {
    "vector": """
from pathlib import Path

for path in (Path(COURSE, "secret.txt"), Path(COURSE).parent / "outside.txt"):
    print(path.read_text())
""",
}
