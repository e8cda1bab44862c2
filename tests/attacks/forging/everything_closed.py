"""Ends the submission without a mark: the kernel closes all its files and sockets and goes on."""

ANSWERS = {
    "tally": """
import os
import time

os.closerange(0, 4096)
time.sleep(600)
""",
    "vector": "HONEST",
    "blend": "HONEST",
}
EARNED = {"test_vector": 1, "test_blend": 2}
