"""Reads the environment of all processes of the same user, the instructor's among them."""

ANSWERS = {
    "vector": r"""
from pathlib import Path

for process in Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        try:
            print((process / name).read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError as error:
            print(error)
""",
}
