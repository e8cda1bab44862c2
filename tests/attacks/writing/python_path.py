"""Runs in every later Python of the instructor: writes a .pth file into the environment."""

ANSWERS = {
    "vector": r"""
import sysconfig

with open(f"{sysconfig.get_path('purelib')}/{MARK}.pth", "w") as file:
    file.write("# any line here that starts with import would be run\n")
""",
}
