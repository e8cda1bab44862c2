"""Gets full marks: the notebook is a link to the one of another student."""


def tamper(folder):
    (folder / "first.ipynb").unlink()
    (folder / "first.ipynb").symlink_to("../../neighbour/ex1/first.ipynb")
