"""Gets the gradebook and the hidden tests back: links beside the notebook are copied as files."""


def tamper(folder):
    (folder / "data.csv").symlink_to("../../../gradebook.db")
    (folder / "notes.txt").symlink_to("../../../source/ex1/first.ipynb")
    (folder / "more").mkdir()
    (folder / "more" / "readme.txt").symlink_to("../../../../secret.txt")
