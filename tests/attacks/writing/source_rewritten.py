"""Rewrites the instructor's notebook: the next release holds what the student likes."""

ANSWERS = {
    "vector": """
for step in ("source", "release"):
    with open(f"{COURSE}/{step}/ex1/first.ipynb", "r+") as file:
        text = file.read().replace("assert", "#")
        file.seek(0)
        file.write(text)
""",
}
