"""Gets nothing today: links to folders of others lie beside the notebook."""


def tamper(folder):
    (folder / "data").symlink_to("../../neighbour/ex1", target_is_directory=True)
    (folder / "course").symlink_to("../../..", target_is_directory=True)
