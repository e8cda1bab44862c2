"""Gets nothing today: a file of 300 MB lies beside the notebook and is copied with it."""


def tamper(folder):
    with (folder / "large.bin").open("wb") as file:
        file.truncate(300_000_000)
