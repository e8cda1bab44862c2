"""Starts 300 processes, or as many as there can be."""

ANSWERS = {
    "vector": """
import os
import time

for count in range(300):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
print(f"{MARK}-got: 300 processes")
""",
}
