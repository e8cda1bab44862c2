"""What a zygote does before its first fork, so that no fork has to do it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import warnings
from collections.abc import Iterable

from . import sandbox

OWN = ("fairmark.isolation.grader", "fairmark.kernel.child")  # what the forks go on with


def warm_up(modules: Iterable[str]) -> None:
    """Import ``modules``; what cannot be imported is left for the notebook to find out.

    Raises :class:`RuntimeError` where an import has started a thread: a fork of such a process
    may hang.
    """
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            for name in (*modules, *OWN):
                # a module that ends the process or fails is no reason not to import the others
                with contextlib.suppress(Exception, SystemExit):
                    importlib.import_module(name)
    for name in OWN:
        importlib.import_module(name)
    with contextlib.suppress(sandbox.SandboxUnavailable):  # whoever needs it has checked before
        sandbox.prepare()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    if threads > 1:
        raise RuntimeError(f"importing what the notebooks use started {threads - 1} threads")
    gc.collect()
    gc.freeze()  # forks share the pages of what is imported as long as nobody touches them
