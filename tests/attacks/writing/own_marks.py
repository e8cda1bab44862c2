"""Gets full marks, and gives them to all: writes them into the gradebook."""

ANSWERS = {
    "vector": """
import sqlite3

gradebook = sqlite3.connect(f"{COURSE}/gradebook.db", timeout=3)
gradebook.execute("UPDATE grade SET manual_score = 2")
gradebook.commit()
""",
}
