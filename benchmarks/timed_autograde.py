"""``nbgrader autograde`` with a stop-watch on its parts; benchmarks/autograde.py calls it.

Where kernels start, run cells and end is the same place for stock nbgrader and for ours: methods of
nbclient and of nbgrader's Execute. The seconds are written as JSON to the file $PARTS.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.apps import NbGraderApp
from nbgrader.converters import Autograde

from fairmark.notebooks import Role, role_of

BEGAN = perf_counter()
seconds = dict.fromkeys(("kernel_start", "cells", "tests", "kernel_end", "graded"), 0.0)
running: list[str] = []  # the parts that have begun; only the outermost is counted


def watch(owner: type, method: str, part: Callable[..., str]) -> None:
    """Add the time that ``method`` takes to the part that its arguments tell."""
    original = getattr(owner, method)

    @functools.wraps(original)
    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = part(*args)
        began = perf_counter()
        outermost = not set(running) - {"graded"}  # cells call cells
        running.append(name)
        try:
            return original(self, *args, **kwargs)
        finally:
            running.pop()
            if outermost:
                seconds[name] += perf_counter() - began

    setattr(owner, method, timed)


def main() -> None:
    """Grade, then write what was measured."""
    _, who, assignment = sys.argv
    if who == "ours":
        from fairmark.isolation.execute import IsolatedExecute as Executor
    else:
        from nbgrader.preprocessors import Execute as Executor

    def cell(found: NotebookNode, *_: Any) -> str:
        return "tests" if role_of(found) is Role.TEST else "cells"

    watch(Executor, "preprocess_cell", cell)
    watch(NotebookClient, "start_new_kernel", lambda *_: "kernel_start")
    watch(NotebookClient, "start_new_kernel_client", lambda *_: "kernel_start")
    watch(NotebookClient, "_cleanup_kernel", lambda *_: "kernel_end")
    watch(Autograde, "convert_notebooks", lambda *_: "graded")
    try:
        NbGraderApp.launch_instance(argv=["autograde", assignment])
    finally:
        whole = perf_counter() - BEGAN
        Path(os.environ["PARTS"]).write_text(json.dumps(seconds | {"whole": whole}))


if __name__ == "__main__":
    main()
