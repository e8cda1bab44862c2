"""The files of one graded submission: made beside their place, and moved there whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from fairmark.kernel.scratch import remove_tree


class GradedFolder:
    """``autograded/STUDENT/ASSIGNMENT`` of one submission, and what is beside it while it changes.

    A name that starts with a dot is for this class alone: nothing that looks for graded
    submissions finds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.partial")
        self._replaced = path.with_name(f".{path.name}.replaced")

    def has(self, notebooks: Iterable[str]) -> bool:
        """Whether every one of ``notebooks`` is there, and to its end."""
        return all(_is_whole(self.path / f"{name}.ipynb") for name in notebooks)

    def to_be_graded_again(self, notebooks: Iterable[str]) -> bool:
        """Whether one of ``notebooks`` was asked for again and has not come yet."""
        return any(self._again(name).exists() for name in notebooks)

    def grade_again(self, notebooks: Iterable[str]) -> None:
        """Remember that these are to be graded again, also if this run ends before they are."""
        if self.path.exists():
            for name in notebooks:
                self._again(name).touch()
            _sync(self.path.parent)

    def _again(self, notebook: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{notebook}.again")

    def begin(self, notebooks: Iterable[str], keep: bool) -> Path:
        """An empty folder to fill with ``notebooks``, or with ``keep`` a copy of what is there.

        What is there counts as not graded from now on until it is replaced.
        """
        self._notebooks = list(notebooks)
        self.grade_again(self._notebooks)
        remove_tree(self.partial)
        if keep and self.path.exists():
            shutil.copytree(self.path, self.partial)
        else:
            self.partial.mkdir(parents=True)
        return self.partial

    def give_up(self) -> None:
        """Leave what is there as it is; it is still to be graded again."""
        remove_tree(self.partial)

    def finish(self, permissions: int, shared: bool) -> None:
        """Put what was filled in its place, safe from a power cut from then on."""
        for folder, _, names in os.walk(self.partial):
            for name in names:
                path = os.path.join(folder, name)
                os.chmod(path, permissions)
                _sync(path)
            if shared:
                os.chmod(folder, (os.stat(folder).st_mode | 0o2770) & 0o2777)
            _sync(folder)
        remove_tree(self._replaced)
        if self.path.exists():
            self.path.rename(self._replaced)
        self.partial.rename(self.path)
        _sync(self.path.parent)
        remove_tree(self._replaced)
        for name in self._notebooks:
            self._again(name).unlink(missing_ok=True)


def place_for(folder: Path, name: str) -> Path:
    """Where the file ``name`` goes in ``folder``; whatever else is in its way is removed."""
    path = folder / name
    for above in reversed(path.relative_to(folder).parents):
        if (folder / above).exists() and not (folder / above).is_dir():
            (folder / above).unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        remove_tree(path)
    path.unlink(missing_ok=True)
    return path


def _is_whole(notebook: Path) -> bool:
    """Whether the file is there and ends as JSON does: nobody was stopped while writing it."""
    try:
        with notebook.open("rb") as file:
            file.seek(-min(10, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().rstrip().endswith(b"}")
    except OSError:
        return False


def _sync(path: str | Path) -> None:
    """Wait until ``path`` is on disk; a folder: the names in it."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
