"""Worker processes of this machine, for one run, under Dask's care; nothing of them is left."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import LocalCluster
from distributed.core import Status
from distributed.security import Security

from fairmark.kernel.leftovers import clean_up
from fairmark.kernel.scratch import locked_folder, remove_tree

SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # the engine counts them
    "distributed.scheduler.worker-saturation": 1.0,  # a worker holds what it runs, nothing more
    "distributed.worker.memory.terminate": 0.95,
    # from when one died: Dask gives up whoever is away then, also if it was there meanwhile
    "distributed.deploy.lost-worker-timeout": "365 days",
    "distributed.scheduler.http.routes": [],  # nothing about a run is for others to read
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": [__name__],
    # what Dask measures of itself, many times a second in each process, nobody looks at here
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.logging": {"distributed": "critical"},
}
SIGNALS = {signal.SIGINT, signal.SIGTERM}  # by which a person, or a system, ends a run


class Workers:
    """So many workers, joined by TLS with a key of this run, for as long as the context lasts.

    Nobody else on the machine can give them work.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def __enter__(self) -> LocalCluster:
        with contextlib.ExitStack() as stack:
            folder = locked_folder()
            stack.callback(clean_up)  # of what workers left that were killed
            stack.callback(remove_tree, folder)
            here = {"temporary-directory": str(folder)}
            stack.enter_context(dask.config.set(SETTINGS | here))
            with signals_held():
                self._cluster = LocalCluster(
                    n_workers=0,  # one that dies while it starts is no end of the run
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    security=Security.temporary(),
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
                stack.callback(self._close)
                self.complete()
            self._exit = stack.pop_all()
        return self._cluster

    def __exit__(self, *_: Any) -> None:
        self._exit.close()

    def _close(self) -> None:
        """End the workers at once; what they may be doing is not wanted any more."""
        for nanny in list(self._cluster.workers.values()):
            nanny.close_gracefully()  # so that it starts no other
            with contextlib.suppress(ProcessLookupError, TypeError):  # there is none now
                os.kill(nanny.pid, signal.SIGKILL)
        with contextlib.suppress(Exception):  # too slow: the processes end with this one
            self._cluster.close(timeout=10)

    def complete(self) -> None:
        """Start those that are missing: at first, and where Dask gave one up as it started."""
        for name, nanny in list(self._cluster.workers.items()):
            if nanny.status in {Status.failed, Status.closed}:
                self._cluster.workers.pop(name, None)
        self._cluster.scale(self.count)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the end of the block; for the main thread.

    Threads and processes that are started in it never get them. A terminal sends Ctrl-C to the
    workers too, and what it means for them is for the coordinator to say.
    """
    resource_tracker.ensure_running()  # it lets signals through when it is started
    came: list[int] = []  # heard by a thread that was there before
    handlers = {one: signal.signal(one, lambda number, _: came.append(number)) for one in SIGNALS}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for one, handler in handlers.items():
            signal.signal(one, handler)
        for number in came:
            signal.raise_signal(number)


def dask_setup(*_: Any) -> None:
    """In a worker that starts, by Dask: let signals through to what it will start itself.

    Then import what its first notebook would wait for, with an empty stack: Python 3.11 can be slow
    where calls are nested as deep as here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    thread = threading.Thread(target=import_module, args=["fairmark.autograde.worker"])
    thread.start()
    thread.join()
