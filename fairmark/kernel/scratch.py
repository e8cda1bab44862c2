"""The folder of a process: the files that it finds there, and its removal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

MOST_FILES = 2000
PREFIX = "fairmark-"  # of all folders that are ours
LOCK = "lock"  # held in such a folder for as long as its process lives


def locked_folder(place: Path | None = None) -> Path:
    """A new folder that this process holds a lock in until it ends, however it ends.

    It is in ``place``, or where this process has its temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    lock = os.open(folder / f"{LOCK}.new", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(folder / f"{LOCK}.new", folder / LOCK)  # there is only one that is held
    return folder


def copy_files(source: Path, target: Path, most_bytes: int) -> list[str]:
    """Copy the regular files below ``source`` to ``target``, all but notebooks.

    Links and special files are left out, since they may lead anywhere; so is what goes beyond
    ``most_bytes`` or a number of files. Returned is one line for each kind that was left out.
    """
    left_out: dict[str, list[str]] = {}
    room, count = most_bytes, 0
    for path in _files(source):
        name = path.relative_to(source)
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            left_out.setdefault("no ordinary file", []).append(str(name))
        elif info.st_size > room or count >= MOST_FILES:
            left_out.setdefault("too much to copy", []).append(str(name))
        else:
            room, count = room - info.st_size, count + 1
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name, follow_symlinks=False)
    return [
        f"not in the kernel's folder ({why}): {', '.join(sorted(names)[:4])}"
        + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        for why, names in left_out.items()
    ]


def remove_tree(folder: Path) -> None:
    """Remove ``folder``, though it may hold folders without rights, or a thousand deep."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if os.path.lexists(folder):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)


def _files(source: Path) -> Iterator[Path]:
    """Everything below ``source`` but folders and notebooks; no link is followed."""
    for folder, folders, names in os.walk(source):
        for name in [*names, *(one for one in folders if (Path(folder) / one).is_symlink())]:
            if not name.endswith(".ipynb"):
                yield Path(folder) / name
        folders[:] = [name for name in folders if not name.startswith(".ipynb_checkpoints")]
