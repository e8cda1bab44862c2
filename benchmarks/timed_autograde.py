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

seconds: dict[str, float] = {}
running: list[float] = []  # of each part that has begun, the seconds that parts inside it took


def watch(owner: type, method: str, part: Callable[..., str]) -> None:
    """Add the time that ``method`` takes by itself to the part that its arguments tell.

    What a watched method inside it takes is that one's alone.
    """
    original = getattr(owner, method)

    @functools.wraps(original)
    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = part(*args)
        began = perf_counter()
        running.append(0.0)
        try:
            return original(self, *args, **kwargs)
        finally:
            took = perf_counter() - began
            seconds[name] = seconds.get(name, 0.0) + took - running.pop()
            if running:
                running[-1] += took

    setattr(owner, method, timed)


def part_of(cell: NotebookNode, *_: Any) -> str:
    """The part that the execution of ``cell`` belongs to."""
    return "tests" if role_of(cell) is Role.TEST else "cells"


def main() -> None:
    """Grade, then write what was measured."""
    _, who, assignment = sys.argv
    if who == "ours":
        from fairmark.isolation.execute import GraderProcess
        from fairmark.isolation.execute import IsolatedExecute as Executor
        from fairmark.kernel.launcher import Launcher

        watch(Launcher, "__init__", lambda *_: "once")
        watch(Launcher, "_folder_when_ready", lambda *_: "once")
        watch(GraderProcess, "__init__", lambda *_: "kernel_start")
        watch(GraderProcess, "close", lambda *_: "kernel_end")
    else:
        from nbgrader.preprocessors import Execute as Executor

    watch(Executor, "preprocess_cell", part_of)
    watch(NotebookClient, "start_new_kernel", lambda *_: "kernel_start")
    watch(NotebookClient, "start_new_kernel_client", lambda *_: "kernel_start")
    watch(NotebookClient, "_cleanup_kernel", lambda *_: "kernel_end")
    watch(Autograde, "convert_notebooks", lambda *_: "own")
    try:
        NbGraderApp.launch_instance(argv=["autograde", assignment])
    finally:
        Path(os.environ["PARTS"]).write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
