"""Ends the submission without a mark: the kernel becomes another program."""

ANSWERS = {
    "vector": """
import os

os.execvp("sleep", ["sleep", "600"])
""",
}
