"""Runs in the instructor's next command: writes into nbgrader's configuration."""

ANSWERS = {
    "vector": r"""
with open(f"{COURSE}/nbgrader_config.py", "a") as file:
    file.write("\nc.Execute.allow_errors = True\n")
""",
}
