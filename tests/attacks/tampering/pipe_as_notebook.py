"""Ends the grading of everybody: the notebook is a named pipe, and nbgrader waits for it."""

import os

EARNED = {}


def tamper(folder):
    (folder / "first.ipynb").unlink()
    os.mkfifo(folder / "first.ipynb")
