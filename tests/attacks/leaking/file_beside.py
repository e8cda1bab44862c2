"""Gets the hidden tests back: in a file beside the notebook, copied into the feedback."""

ANSWERS = {
    "after": """
with open("figure.csv", "w") as file:
    file.write("".join(In))
""",
}
