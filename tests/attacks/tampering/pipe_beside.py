"""Ends the submission without a mark: a named pipe lies beside the notebook."""

import os


def tamper(folder):
    os.mkfifo(folder / "data.csv")
