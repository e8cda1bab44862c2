"""What a zygote does before its first fork, so that no fork has to do it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import warnings
from collections.abc import Iterable

from . import sandbox
from .exercise import exercise

OWN = ("fairmark.isolation.grader", "fairmark.kernel.child")  # what the forks go on with
HUGE_PAGE = 1 << 21  # bytes
MADV_COLLAPSE = 25  # from Linux 6.1 on


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
            exercise()
    for name in OWN:
        importlib.import_module(name)
    importlib.import_module(".app", __package__).prepare()
    with contextlib.suppress(sandbox.SandboxUnavailable):  # whoever needs it has checked before
        sandbox.prepare()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    if threads > 1:
        raise RuntimeError(f"importing what the notebooks use started {threads - 1} threads")
    gc.collect()
    gc.freeze()  # forks share the pages of what is imported as long as nobody touches them
    with contextlib.suppress(OSError):
        _use_huge_pages()


def _use_huge_pages() -> None:
    """Have the memory of this process in huge pages, of which a fork copies one entry for 512.

    Raises OSError where there is no list of its memory; a kernel that has no such pages to give
    leaves the memory as it is.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int
    with open("/proc/self/maps") as maps:
        parts = [line.split() for line in maps]
    for addresses, rights, *_, name in (part if len(part) > 5 else [*part, ""] for part in parts):
        start, end = (int(address, 16) for address in addresses.split("-"))
        start, end = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        if rights == "rw-p" and name in ("", "[heap]") and start < end:
            madvise(start, end - start, MADV_COLLAPSE)
