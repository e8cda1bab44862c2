"""Ends the grading of everybody: the gradebook is moved away."""

ANSWERS = {
    "vector": """
import os

os.rename(f"{COURSE}/gradebook.db", f"{COURSE}/gradebook.old")
""",
}
