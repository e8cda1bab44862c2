"""What to import before kernels are forked: all that the reference solution of a notebook imports.

The notebook is run once, in a process of its own, and the modules that are there afterwards are
listed: also those that a library imports only when something in it is used for the first time.
The list is kept in the user's cache, under a name made of the notebook's code and all versions.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

from platformdirs import user_cache_path

from fairmark.notebooks import read, run

from .scratch import copy_files, locked_folder, remove_tree

LONGEST = 300  # seconds that the reference solution may run
MOST_BYTES = 500_000_000  # of the files beside it
PR_SET_PDEATHSIG = 1


class PreloadError(RuntimeError):
    """What a notebook imports could not be found out; the message says why in one line."""


def modules_of(notebook: Path) -> list[str]:
    """The modules that running ``notebook`` imports, in the order of their import.

    Raises :class:`PreloadError` where it cannot be read or does not come to an end.
    """
    kept = user_cache_path("fairmark") / f"modules-{_fingerprint(notebook)}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(kept.read_text())
    modules = _found_by_running(notebook)
    with contextlib.suppress(OSError):  # without a cache it is found out again the next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=kept.parent)
        with open(handle, "w") as file:
            json.dump(modules, file)
        os.replace(name, kept)
    return modules


def _fingerprint(notebook: Path) -> str:
    try:
        code = [cell.source for cell in read(notebook).cells if cell.cell_type == "code"]
    except Exception as error:  # nbformat fails in many ways on what is no notebook
        raise PreloadError(f"{notebook} cannot be read: {_last_line(str(error))}") from error
    text = json.dumps([code, _versions(), sys.version, sys.executable])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    return sorted({f"{found.name} {found.version}" for found in distributions()})


def _found_by_running(notebook: Path) -> list[str]:
    command = [sys.executable, "-P", "-m", "fairmark.kernel.preload", str(notebook)]
    environment = os.environ | {"MPLBACKEND": "agg"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True
        )
        return json.loads(_last_line(done.stdout))  # before it, what the notebook printed
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why = _last_line(getattr(error, "stderr", None) or "") or type(error).__name__
        raise PreloadError(f"what {notebook} imports could not be found: {why}") from error


def _last_line(text: str | bytes) -> str:
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return (text.strip().splitlines() or [""])[-1]


def list_modules(notebook: Path) -> list[str]:
    """Run ``notebook`` in this process; the modules that it left, but for our own.

    It finds the files beside it, in a folder that is not theirs: what it writes is not kept.
    """
    folder = locked_folder()
    try:
        copy_files(notebook.parent, folder, MOST_BYTES)
        os.chdir(folder)
        run(read(notebook))
        if "matplotlib.pyplot" in sys.modules:  # drawing imports more than plotting
            pyplot = sys.modules["matplotlib.pyplot"]
            for number in pyplot.get_fignums():
                pyplot.figure(number).savefig(io.BytesIO())
    finally:
        remove_tree(folder)
    ours = ("fairmark", "__main__", "__mp_main__")
    return [name for name in sys.modules if name.partition(".")[0] not in ours]


if __name__ == "__main__":
    if sys.platform == "linux":  # end with the process that asked, also where that is killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    print(json.dumps(list_modules(Path(sys.argv[1]).resolve())))
