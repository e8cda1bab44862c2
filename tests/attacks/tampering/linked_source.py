"""Gets full marks: the notebook is a link to the instructor's."""


def tamper(folder):
    (folder / "first.ipynb").unlink()
    (folder / "first.ipynb").symlink_to("../../../source/ex1/first.ipynb")
