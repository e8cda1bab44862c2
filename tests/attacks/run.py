"""Runs nbgrader in a course of its own, the way an instructor does."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pipeline.course import Course

from . import host, watch
from .course import NEIGHBOUR, SECRETS, make, submit_honest

STOCK, OURS = "stock", "ours"
CELL_SECONDS = 5
OPTIONS = {
    STOCK: [f"--Execute.timeout={CELL_SECONDS}"],
    OURS: [
        f"--Execute.timeout={CELL_SECONDS}",
        "--BoundedExecute.notebook_timeout=20",
        "--BoundedExecute.interrupt_grace=3",
    ],
}
GRADED = re.compile(r"(autograded|feedback)/s\d\d[ab]_|feedback$|gradebook\.db")
HOME_IS_USED = re.compile(  # by Jupyter itself, in any run
    r"\.ipython/profile_default/(history\.sqlite|log|pid|security|db)"
    r"|\.local/share/jupyter/(runtime|nbsignatures|notebook_secret)|\.cache|\.jupyter(/migrated)?$"
)
OWN = ("course", "home", "tmp", "listener")


class Run:
    """A folder of its own, with course, home and listeners, in which nbgrader runs."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.folder = Path(tempfile.mkdtemp(prefix="attacked-")).resolve()
        self.root = self.folder / "course"
        self.home = self.folder / "home"
        self.mark = f"fairmark-attack-{secrets.token_hex(4)}"  # names what an attack leaves
        self.shm_key = secrets.randbits(30)

    def nbgrader(self, *words: str, limit: float = 120) -> watch.Done:
        """Run nbgrader as an instructor would, with a secret in the environment."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        (self.folder / "tmp").mkdir(exist_ok=True)
        kept = {"LANG", "LC_ALL", "TZ"} & os.environ.keys()
        env = {name: os.environ[name] for name in kept} | {
            "PATH": path,
            "HOME": str(self.home),
            "TMPDIR": str(self.folder / "tmp"),
            "GRADEBOOK_PASSWORD": SECRETS["the environment"],
        }
        command = [sys.executable, "-m", "nbgrader", *words]
        return watch.run(command, self.root, env, limit)

    def snapshot(self) -> dict[str, str]:
        """What an attack must leave as it is, on disk."""
        parts = {
            "": host.files(self.root, lambda key: bool(GRADED.match(key))),
            "~/": host.files(self.home, lambda key: bool(HOME_IS_USED.match(key))),
            "../": host.files(self.folder, lambda key: key.split("/")[0] in OWN),
        }
        return {
            f"{name}{key}": state for name, part in parts.items() for key, state in part.items()
        }

    def close(self) -> None:
        """Remove the folder."""
        host.clear_marked(self.mark, self.shm_key)
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)  # however deep it has become


class Template(Run):
    """A course with its release made and a neighbour graded, to be copied for every run."""

    def __init__(self, mode: str) -> None:
        super().__init__(mode)
        self.home.mkdir()
        self.course = make(self.root, mode == STOCK)
        (self.folder / "outside.txt").write_text(SECRETS["a file outside"])
        self._well("generate_assignment", "ex1", "--force")
        name = SECRETS["the gradebook"]
        self._well("db", "student", "add", "absent", f"--first-name={name}")
        submit_honest(self.course, NEIGHBOUR, note=f"# {SECRETS['the work of a neighbour']}")
        self._well("autograde", "ex1", *OPTIONS[mode])

    def _well(self, *words: str) -> None:
        done = self.nbgrader(*words)
        if done.code != 0:
            raise RuntimeError(f"the course to attack could not be made:\n{done.log}")

    def copy(self) -> tuple[Run, Course]:
        """A run in a copy of everything."""
        run = Run(self.mode)
        shutil.copytree(self.folder, run.folder, symlinks=True, dirs_exist_ok=True)
        course = Course.__new__(Course)  # its folder is there already
        course.root, course.source, course.log = run.root, self.course.source, ""
        return run, course
