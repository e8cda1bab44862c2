"""Workers on ``dask.distributed``, and what becomes of work when one of them is lost.

Dask schedules, starts again what died, and moves bytes. What it cannot know is decided here: a
notebook whose worker died is put off, and tried by itself when all others are done; so whichever
notebook ends its workers is known for sure, and no other suffers with it.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker
from distributed.system import MEMORY_LIMIT

from . import worker
from .cluster import Workers, signals_held
from .parcel import Task

TRIES = 3  # how often a notebook may end its worker
FAULTS = 2  # how often a worker may fail to grade a notebook, for reasons of its own
ROOM = 3_000_000_000  # bytes of memory for each worker, with its kernel
PATIENCE = 120  # seconds without any worker, or without a scheduler, after which a run is given up


class EngineError(Exception):
    """There is nobody to do the work; one line that says why."""


@dataclass
class Job:
    """A task on its way, and how often it went wrong."""

    task: Task
    with_kit: bool = False
    deaths: int = 0
    faults: int = 0
    alone: bool = False
    given_up: bool = False


@dataclass(frozen=True)
class Done:
    """What came of a task: the bytes that the worker gave, or why there are none.

    ``given_up`` says how often a notebook ended its worker before it was graded without being run.
    """

    task: Task
    result: bytes | None
    error: str = ""
    given_up: int = 0


def workers_for_this_machine() -> int:
    """As many as there are cores, and memory for their kernels."""
    return max(1, min(CPU_COUNT, int(MEMORY_LIMIT // ROOM)))


class Engine:
    """Workers, for as long as the context lasts.

    Without ``address`` they are processes of this machine.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        self.workers = workers
        self.address = address
        self._events: queue.Queue[Future] = queue.Queue()
        self._jobs: dict[Any, Job] = {}  # by the key of the future
        self._futures: dict[Any, Future] = {}
        self._suspects: deque[Job] = deque()
        self._again: deque[Job] = deque()
        self._id = uuid4().hex  # other runs may use the same scheduler
        self._count = 0
        self._workers: Workers | None = None
        self._seen, self._asked = 0, -1.0  # the threads of all workers, and when that was asked

    @property
    def description(self) -> str:
        """Where the work is done."""
        if self.address is not None:
            return f"workers of {self.address}"
        return f"{self.workers} worker{'s' if self.workers > 1 else ''}"

    def __enter__(self) -> Engine:
        self._exit = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            _quiet()
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")  # of sizes and ports: nothing that a grader can act on
            if self.address is None:
                self._workers = Workers(self.workers)
                cluster = stack.enter_context(self._workers)
                with signals_held():  # half a client would try to close itself for a minute
                    self.client = Client(cluster, set_as_default=False)
            else:
                self.client = self._connected()
            stack.callback(self._close_client)
            self._exit = stack.pop_all()
        return self

    def _connected(self) -> Client:
        try:
            client = Client(self.address, timeout=PATIENCE / 4, set_as_default=False)
        except (OSError, ValueError, TimeoutError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise EngineError(f"no scheduler at {self.address}: {reason}") from None
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            client.close()
            raise EngineError(f"the scheduler at {self.address} has no workers") from None
        return client

    def _close_client(self) -> None:
        with contextlib.suppress(Exception):  # they may be gone with their scheduler
            if self._futures and self.client.status == "running":
                self.client.cancel(list(self._futures.values()), force=True)
        with contextlib.suppress(Exception):
            self.client.close(timeout=5)

    def __exit__(self, *error: Any) -> None:
        with signals_held():
            self._exit.__exit__(*error)

    def run(self, kit: bytes, tasks: Iterable[Task]) -> Iterator[Done]:
        """Do every task; results come as they are ready.

        Only a few tasks more than there are workers are taken from ``tasks`` at a time. Raises
        :class:`EngineError` when there is nobody left to do them.
        """
        self._kit = kit
        new = iter(tasks)
        while True:
            self._fill(new)
            if not self._jobs:
                return
            future = self._next_event()
            job = self._jobs.pop(future.key, None)
            self._futures.pop(future.key, None)
            if job is not None:
                yield from self._settle(job, future)

    def _fill(self, new: Iterator[Task]) -> None:
        """Submit as much as the workers should know of."""
        while len(self._jobs) < self._window():
            if self._again:
                self._submit(self._again.popleft())
                continue
            task = next(new, None)
            if task is None:
                break
            self._submit(Job(task))
        if not self._jobs and self._suspects:
            self._submit(self._suspects.popleft())

    def _window(self) -> int:
        if any(job.alone for job in self._jobs.values()):
            return 0
        return 2 * max(1, self.workers if self.address is None else self._threads())

    def _threads(self) -> int:
        """How many tasks the workers can run at a time, asked for once in a second."""
        if self.client.status == "running" and monotonic() - self._asked > 1:
            self._asked = monotonic()
            workers = self.client.scheduler_info().get("workers", {})
            self._seen = sum(one["nthreads"] for one in workers.values())
        return self._seen

    def _submit(self, job: Job) -> None:
        if self.client.status == "closed":
            raise EngineError(f"the scheduler at {self.address} is gone")
        self._count += 1
        key = ("grade", self._id, self._count)
        kit = self._kit if job.with_kit else None
        future = self.client.submit(grade, self._id, kit, job.task.pack(), key=key)
        self._jobs[future.key], self._futures[future.key] = job, future
        future.add_done_callback(self._events.put)

    def _next_event(self) -> Future:
        """The next future that has come to an end."""
        last = monotonic()
        while True:
            with contextlib.suppress(queue.Empty):
                return self._events.get(timeout=1)
            if self.client.status == "closed":
                raise EngineError(f"the scheduler at {self.address} is gone")
            if self._workers:
                self._workers.complete()
            if self._threads():
                last = monotonic()
            elif monotonic() - last > PATIENCE:
                where = f"at {self.address}" if self.address else "on this machine"
                raise EngineError(f"no workers {where} for {PATIENCE} s")

    def _settle(self, job: Job, future: Future) -> Iterator[Done]:
        """Say what came of a job, or put it where it will be tried again."""
        result, error = _come_of(future)
        if result is not None:
            yield Done(job.task, result, given_up=job.deaths if job.given_up else 0)
        elif isinstance(error, KilledWorker):
            yield from self._died(job, error)
        elif error is not None:
            yield from self._failed(job, error)
        else:
            job.with_kit = True
            self._put_back(job)

    def _put_back(self, job: Job) -> None:
        (self._suspects if job.alone else self._again).append(job)

    def _died(self, job: Job, error: KilledWorker) -> Iterator[Done]:
        """The worker died: by this notebook, by another, or by itself."""
        job.deaths += error.allowed_failures + 1
        if job.alone and job.deaths >= TRIES:
            task = job.task.weaker(f"it ended its worker {job.deaths} times")
            if task is None:
                yield Done(job.task, None, "every worker that was to grade it died")
                return
            job.task, job.given_up = task, True
        job.alone = True
        self._put_back(job)

    def _failed(self, job: Job, error: BaseException) -> Iterator[Done]:
        job.faults += 1
        if job.faults < FAULTS:
            self._put_back(job)
            return
        text = (str(error).strip().splitlines() or [""])[0][:300]
        yield Done(job.task, None, f"{type(error).__name__}: {text}")


_kits: dict[str, bytes] = {}  # of a worker process: the last that it got, by the run


def grade(run: str, kit: bytes | None, task: bytes) -> bytes | None:
    """In a worker: do a task with the kit of a run; None where that has not come here yet."""
    if kit is not None:
        _kits.clear()
        _kits[run] = kit
    return worker.grade(_kits[run], task) if run in _kits else None


def _come_of(future: Future) -> tuple[bytes | None, BaseException | None]:
    """The result or the error; neither where it was lost with a worker or a scheduler."""
    try:
        if future.status == "error":
            return None, future.exception()
        if future.status == "finished":
            return future.result(), None
    except KilledWorker as error:
        return None, error
    except Exception:  # which one, depends on where it was lost
        return None, None
    return None, None


def _quiet() -> None:
    """Have Dask log nothing: what is wrong is said in one line, here or in the summary."""
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in {"asyncio", "distributed"}:
            logging.getLogger(name).setLevel(logging.CRITICAL)
