"""Takes 5 GB of memory, or all there is."""

ANSWERS = {
    "vector": 'blocks = [b"x" * (1 << 30)]',
    "blend": 'blocks.append(b"x" * (1 << 30))',
    "tally": 'blocks.append(b"x" * (1 << 30))',
    "label": 'blocks.append(b"x" * (1 << 30))',
    "after": """
blocks.append(b"x" * (1 << 30))
print(f"{MARK}-got: {len(blocks)} GB of memory")
""",
}
