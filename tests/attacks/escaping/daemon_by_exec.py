"""Leaves a program running on the grading machine, in a session of its own."""

ANSWERS = {
    "vector": """
import subprocess

subprocess.Popen(["sleep", "600"], start_new_session=True)
""",
}
