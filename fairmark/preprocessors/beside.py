"""The files that were handed in beside the notebooks, looked at before nbgrader copies them.

nbgrader follows links and waits for pipes: a link to the gradebook would put a copy of it beside
the notebook, and a named pipe would stop the run for good.
"""

from __future__ import annotations

import datetime
import os
import stat
from pathlib import Path

from nbgrader.utils import parse_utc

LONGEST_TIMESTAMP = 100  # bytes


def odd_files(folder: Path) -> list[Path]:
    """Everything below ``folder`` that is neither a folder nor an ordinary file, but for notebooks.

    A notebook is read by the exporter, which looks at what it is itself.
    """
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.suffix != ".ipynb" and not stat.S_ISREG(path.lstat().st_mode):
                found.append(path)
    return found


class Wrong(Exception):
    """A file is not what nbgrader would have written; the text says what it is instead."""


def time_in(folder: Path) -> datetime.datetime | None:
    """The time in ``timestamp.txt`` in ``folder``; None where there is none.

    Raises :class:`Wrong` where the file cannot be read as a time.
    """
    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode) or info.st_size > LONGEST_TIMESTAMP:
        raise Wrong("is no file that nbgrader wrote")
    try:
        text = path.read_text().strip()
        return parse_utc(text) if text else None
    except Exception:  # dateutil fails in many ways
        raise Wrong("holds no date and time") from None
