"""Gets rid of the tests for everybody after: overwrites them in the gradebook."""

ANSWERS = {
    "vector": """
import sqlite3

gradebook = sqlite3.connect(f"{COURSE}/gradebook.db", timeout=3)
gradebook.execute("UPDATE source_cell SET source = 'fail'  WHERE name LIKE 'test%'")
gradebook.commit()
""",
}
