"""Ends the grading of everybody: a link to an endless device lies beside the notebook."""


def tamper(folder):
    (folder / "data.csv").symlink_to("/dev/zero")
