"""Takes 6 GB of memory, or all there is."""

ANSWERS = {
    "vector": """
blocks = []
for _ in range(60):
    blocks.append(bytearray(b"x") * (100 << 20))
print(f"{MARK}-got: 6 GB of memory")
""",
}
