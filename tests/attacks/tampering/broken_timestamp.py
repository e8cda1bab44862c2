"""Ends the submission without a mark: the file with the time holds no time."""


def tamper(folder):
    (folder / "timestamp.txt").write_text("a while ago, \x00 or in 99999-99-99")
