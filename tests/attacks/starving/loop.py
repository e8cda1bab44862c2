"""Ends the submission without a mark: a loop that swallows each interrupt."""

ANSWERS = {
    "blend": """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
""",
}
