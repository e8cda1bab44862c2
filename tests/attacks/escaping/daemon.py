"""Leaves a process running on the grading machine, for as long as it likes."""

ANSWERS = {
    "vector": """
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1024)
        time.sleep(600)
    os._exit(0)
""",
}
