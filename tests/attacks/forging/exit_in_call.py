"""Ends the submission without a mark: a function that a test calls ends the kernel."""

ANSWERS = {
    "blend": """
import os


def blend(x, y):
    os._exit(0)
""",
    "vector": "HONEST",
}
EARNED = {"test_vector": 1}
