"""Gets nothing today: sends messages as fast as it can, as long as it can."""

ANSWERS = {
    "vector": """
from IPython.display import clear_output, display

while True:
    display({"text/plain": "x"}, raw=True)
    clear_output(wait=True)
""",
    "blend": "HONEST",
    "tally": "HONEST",
    "label": "HONEST",
}
EARNED = {"test_blend": 2, "test_tally": 2, "test_label": 2}
