"""Opens all the files it may, in its own kernel, and keeps them open."""

ANSWERS = {
    "vector": """
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError:
    pass
""",
}
