"""Writes what it likes on the instructor's terminal, control codes included."""

ANSWERS = {
    "vector": r"""
import os

line = f"\x1b]0;{MARK}\x07[AutogradeApp] all marks are final\n".encode()
os.write(1, line)
os.write(2, line)
for number in (1, 2):
    try:
        with open(f"/proc/{os.getppid()}/fd/{number}", "ab") as terminal:
            terminal.write(line)
    except OSError:
        pass
""",
}
