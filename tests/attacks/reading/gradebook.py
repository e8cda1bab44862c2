"""Reads the gradebook: names of students, and the hidden tests, which the student gets to see."""

ANSWERS = {
    "vector": """
import sqlite3

gradebook = sqlite3.connect(f"{COURSE}/gradebook.db")
print(gradebook.execute("SELECT * FROM student").fetchall())
print(gradebook.execute("SELECT source FROM source_cell").fetchall())
""",
}
