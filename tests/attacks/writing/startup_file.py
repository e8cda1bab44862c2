"""Runs in the kernel of every later submission: writes a startup file of IPython."""

ANSWERS = {
    "vector": r"""
import os
from pathlib import Path

folder = Path.home() / ".ipython" / "profile_default" / "startup"
folder.mkdir(parents=True, exist_ok=True)
(folder / "00.py").write_text(f"print('{MARK}')\n")
""",
    "after": r"""
folder = Path(COURSE).parent / "home/.ipython/profile_default/startup"
folder.mkdir(parents=True, exist_ok=True)
(folder / "01.py").write_text(f"print('{MARK}')\n")
""",
}
