"""Ends the grading of everybody: kills nbgrader."""

ANSWERS = {
    "vector": """
import os
import signal

os.kill(os.getppid(), signal.SIGKILL)
""",
}
