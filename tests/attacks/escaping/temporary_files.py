"""Leaves files behind in folders that all users share, for the next kernel to find."""

ANSWERS = {
    "vector": """
for folder in ("/tmp", "/var/tmp"):
    with open(f"{folder}/{MARK}-note", "w") as file:
        file.write("hello, next one")
""",
}
