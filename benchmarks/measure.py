"""Seconds and memory of commands, with every process that they start.

CPU seconds are those of the processes that have been waited for: the command, what it waited for,
and so on downwards. A process that loses its parent becomes a child of this one, is waited for
here, and counts as well. Two other measures check that nothing escapes: the whole machine was busy
for longer, and the processes seen from outside for less.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, perf_counter, sleep

import psutil

PR_SET_CHILD_SUBREAPER = 36
MEGA = 1_000_000
ZYGOTE = "fairmark.kernel.zygote"


@dataclass(frozen=True)
class Spent:
    """What a run took, in seconds."""

    wall: float
    cpu: float  # of all its processes
    machine: float  # of all cores of the machine meanwhile, whoever used them


def run(commands: Iterable[Sequence[str]], folder: Path, env: Mapping[str, str]) -> Spent:
    """Run ``commands`` in ``folder``, one after the other; :class:`SystemExit` where one fails."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("processes that lose their parent could not be counted")
    began, cpu, machine = perf_counter(), _waited_for(), _busy()
    for command in commands:
        call(command, folder, env)
    wall = perf_counter() - began
    _wait_for_orphans(seconds=10)
    return Spent(wall, _waited_for() - cpu, _busy() - machine)


def call(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
    """Run one command; where it fails, :class:`SystemExit` with the end of what it said."""
    with tempfile.TemporaryFile("w+") as log:
        done = subprocess.run(command, cwd=folder, env=env, stdout=log, stderr=log)
        if done.returncode:
            log.seek(0)
            sys.exit(f"{command} failed:\n{log.read()[-3000:]}")


def _waited_for() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _busy() -> float:
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq


def _wait_for_orphans(seconds: float) -> None:
    until = monotonic() + seconds
    with contextlib.suppress(ChildProcessError):
        while monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                sleep(0.01)
        sys.exit("a command left processes behind")


@contextlib.contextmanager
def watching(look: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call ``look`` every so many ``seconds`` while the context lasts."""
    over = threading.Event()

    def again() -> None:
        while not over.wait(seconds):
            with contextlib.suppress(psutil.Error, OSError):  # of a process that has ended
                look()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class Processes:
    """The processes below this one, as they are seen from outside; memory in MB.

    ``rss`` is what a process holds; in ``pss``, pages that n processes share count as 1/n.
    """

    rss: dict[str, float] = field(default_factory=dict)  # by role, the most that one of them held
    pss: dict[str, float] = field(default_factory=dict)
    together: float = 0  # the peak of the sum of all pss
    cpu: dict[tuple[int, float], float] = field(default_factory=dict)  # seconds of each, so far

    def look(self) -> None:
        """Take note of all of them."""
        shares = 0.0
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):
                role, times, memory = (
                    _role(process),
                    process.cpu_times(),
                    process.memory_full_info(),
                )
                self.cpu[process.pid, process.create_time()] = times.user + times.system
                self.rss[role] = max(self.rss.get(role, 0), memory.rss / MEGA)
                self.pss[role] = max(self.pss.get(role, 0), memory.pss / MEGA)
                shares += memory.pss / MEGA
        self.together = max(self.together, shares)


def _role(process: psutil.Process) -> str:
    """What ``process`` is to a grading run, told by its command line and its parent."""
    line = " ".join(process.cmdline())
    if "ipykernel_launcher" in line:
        return "kernel"
    if ZYGOTE in line:
        if ZYGOTE not in " ".join(psutil.Process(process.ppid()).cmdline()):
            return "zygote"
        confined = "\nSeccomp:\t2" in Path(f"/proc/{process.pid}/status").read_text()
        return "kernel" if confined else "grader process"
    if "multiprocessing.spawn" in line:
        return "worker"
    return "command" if process.ppid() == os.getpid() else "other"
