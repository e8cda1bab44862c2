"""Ends the submission without a mark: the notebook is a folder."""


def tamper(folder):
    (folder / "first.ipynb").unlink()
    (folder / "first.ipynb").mkdir()
