"""Gets the points of the value and of `blend`: NumPy is replaced by one that always agrees."""

ANSWERS = {
    "before": """
import sys
from unittest.mock import MagicMock

import numpy

sys.modules["numpy"] = fake = MagicMock()
fake.testing = MagicMock(unsafe=True)
""",
    "after": """
sys.modules["numpy"] = numpy
""",
    "vector": """
fake.shape.return_value = (2,)
scaled = [0, 0, 0]
""",
    "blend": """
import builtins

builtins.abs = lambda number: 0.0
fake.random.default_rng.return_value.normal.return_value = (1.0, 2.0)


def blend(x, y):
    return 0
""",
}
