"""Makes 20000 files beside the notebook, or uses up the inodes of the disk."""

ANSWERS = {
    "vector": """
import os

os.makedirs("many", exist_ok=True)
for number in range(20000):
    open(f"many/{number}", "w").close()
print(f"{MARK}-got: 20000 files")
""",
}
