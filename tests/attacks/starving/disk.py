"""Writes 2 GB into the course folder, or fills the disk."""

ANSWERS = {
    "vector": """
with open("large.bin", "wb") as file:
    for _ in range(20):
        file.write(bytes(100 << 20))
print(f"{MARK}-got: 2 GB of disk")
""",
}
