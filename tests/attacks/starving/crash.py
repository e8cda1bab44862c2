"""Ends the submission without a mark: the kernel crashes."""

ANSWERS = {
    "tally": """
import ctypes

ctypes.string_at(0)
""",
    "vector": "HONEST",
    "blend": "HONEST",
}
EARNED = {"test_vector": 1, "test_blend": 2}
