"""Ends the submission without a mark: the file with the time is a named pipe."""

import os


def tamper(folder):
    os.mkfifo(folder / "timestamp.txt")
