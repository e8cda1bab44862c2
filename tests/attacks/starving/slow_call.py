"""Gets nothing today: a function that a test calls takes an hour."""

ANSWERS = {
    "blend": """
import time


def blend(x, y):
    time.sleep(3600)
""",
    "tally": "HONEST",
    "label": "HONEST",
}
EARNED = {"test_tally": 2, "test_label": 2}
