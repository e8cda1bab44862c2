"""Ends the grading of everybody: stops nbgrader, which then waits for ever."""

ANSWERS = {
    "vector": """
import os
import signal

os.kill(os.getppid(), signal.SIGSTOP)
""",
}
