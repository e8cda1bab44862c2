"""Ends the grading of everybody: the file with the time is a pipe that nbgrader waits for."""

import os


def tamper(folder):
    os.mkfifo(folder / "timestamp.txt")
