"""Uses up the disk: a link to an endless device lies beside the notebook, and is copied."""


def tamper(folder):
    (folder / "data.csv").symlink_to("/dev/zero")
