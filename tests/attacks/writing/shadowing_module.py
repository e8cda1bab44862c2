"""Runs in the instructor's next command: a module in the course folder shadows one of Python's."""

ANSWERS = {
    "vector": r"""
with open(f"{COURSE}/sqlite3.py", "w") as file:
    file.write("raise SystemExit('mine')\n")
""",
}
