"""Gets nothing today: opens all the files it may, and keeps them open."""

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
