"""Gets 300 MB copied into the course folder, once more for the feedback."""


def tamper(folder):
    with (folder / "large.bin").open("wb") as file:
        file.truncate(300_000_000)
