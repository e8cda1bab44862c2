"""What to import before kernels are forked: all that the reference solution of a notebook imports.

The notebook is run once, in a process of its own, and the modules that are there afterwards are
listed: also those that a library imports only when something in it is used for the first time.
The list is kept in the user's cache, under a name made of the notebook's code and all versions.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

from platformdirs import user_cache_path

from fairmark.notebooks import read, run

LONGEST = 300  # seconds that the reference solution may run


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
    except (OSError, ValueError) as error:
        raise PreloadError(f"{notebook} cannot be read: {error}") from error
    text = json.dumps([code, _versions(), sys.version, sys.executable])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    return sorted({f"{found.name} {found.version}" for found in distributions()})


def _found_by_running(notebook: Path) -> list[str]:
    command = [sys.executable, "-m", "fairmark.kernel.preload", str(notebook)]
    environment = os.environ | {"MPLBACKEND": "agg"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True
        )
        return json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise PreloadError(f"what {notebook} imports could not be found: {error}") from error


def list_modules(notebook: Path) -> list[str]:
    """Run ``notebook`` in this process; the modules that it left, but for our own."""
    os.chdir(notebook.parent)
    run(read(notebook))
    if "matplotlib.pyplot" in sys.modules:  # drawing imports more than plotting
        pyplot = sys.modules["matplotlib.pyplot"]
        for number in pyplot.get_fignums():
            pyplot.figure(number).savefig(io.BytesIO())
    ours = ("fairmark", "__main__", "__mp_main__")
    return [name for name in sys.modules if name.partition(".")[0] not in ours]


if __name__ == "__main__":
    print(json.dumps(list_modules(Path(sys.argv[1]).resolve())))
