"""Gets to see the hidden tests: an output displayed before a test is updated after it."""

ANSWERS = {
    "vector": """
from IPython.display import display

shown = display("wait", display_id="mine")
""",
    "after": """
shown.update("".join(In))
shown.display("".join(In))
""",
}
