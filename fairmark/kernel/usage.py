"""What the processes of one kernel take together, seen from outside: memory, tasks and disk.

The zygote calls this every moment for each kernel and kills the kernel's process group where
:meth:`Usage.over` says so. The processes that are looked at are hostile: they vanish meanwhile,
start others, hide files by removing their names, and make folders that cannot be read.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .sandbox import Limits

DEEPEST = 40  # folders inside each other
MOST_ENTRIES = 10_000
MOST_MAPPED = 16  # removed files that are still mapped; what lies outside of the map is not seen
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MEMORY = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"VmPTE:")
_SHARE = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


class _TooMuch(Exception):
    """There is more than is looked at."""


@dataclass(frozen=True)
class Usage:
    """``memory`` and ``disk`` in bytes. ``hidden`` says what could not be measured, else empty."""

    processes: int = 0
    threads: int = 0
    memory: int = 0
    disk: int = 0
    hidden: str = ""

    def over(self, limits: Limits | Mapping[str, int]) -> str:
        """The first limit that is passed, for a person to read; empty where none is."""
        bounds = vars(Limits()) | (vars(limits) if isinstance(limits, Limits) else limits)
        for what, value, bound in (
            ("processes", self.processes, bounds["processes"]),
            ("threads", self.threads, bounds["threads"]),
            ("memory", self.memory, bounds["memory"]),
            ("disk space", self.disk, bounds["disk_bytes"]),
        ):
            if value > bound:
                return f"more {what} than allowed ({_readable(value)} of {_readable(bound)})"
        return self.hidden


def _readable(value: int) -> str:
    return f"{value / 2**20:.0f} MB" if value >= 2**20 else str(value)


def groups_below(root: int, thorough: bool = True) -> dict[int, list[int]]:
    """The processes of the session of ``root``, by process group.

    Nothing confined can leave its group or its session, so each kernel's group is complete here,
    with what it has started and what has lost its parent.

    All processes of the machine are looked at for that. If not ``thorough``, only descendants of
    ``root`` are, which costs the same however many others there are; while some of them end, the
    kernel may leave out others.
    """
    session = os.getsid(root)
    groups: dict[int, list[int]] = {}
    everybody = thorough or not os.path.exists(f"/proc/{root}/task/{root}/children")
    for pid in _all_processes() if everybody else _descendants(root):
        with contextlib.suppress(OSError):
            if os.getsid(pid) == session:
                groups.setdefault(os.getpgid(pid), []).append(pid)
    return groups


def _all_processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _descendants(root: int) -> list[int]:
    found = [root]
    for pid in found:  # grows as children are met
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    return found


def usage(
    pids: Iterable[int], folder: Path, exact_above: int = Limits.memory, thorough: bool = True
) -> Usage:
    """What these processes and the files below ``folder`` take, never raising for what they do.

    Pages that forks share are counted for each of them; only where that comes to more than
    ``exact_above`` bytes (to be the limit) each page is counted once, which takes longer. If not
    ``thorough``, removed files that are only mapped, by no open file, are left out.
    """
    pids = list(pids)
    states = [state for state in map(_state, pids) if state]
    threads = sum(state[0] for state in states)
    memory = sum(state[1] for state in states)
    if memory > exact_above:
        memory = _exact(pids)
    if len(states) > 4 * Limits.processes:  # to be killed anyway, so not looked at any further
        return Usage(len(states), threads, memory)
    removed: dict[tuple[int, int], int] = {}
    try:
        for pid in pids:
            _add_removed(pid, removed, thorough)
        disk = sum(_sizes(folder)) + sum(removed.values())
    except (_TooMuch, OSError) as reason:
        return Usage(len(states), threads, memory, 0, str(reason))
    return Usage(len(states), threads, memory, disk)


def _read(path: str) -> bytes:
    """The file, or nothing where its process has gone."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _sum(text: bytes, names: tuple[bytes, ...]) -> int:
    """Bytes on the lines that begin with one of the names."""
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(names)) * 1024


def _state(pid: int) -> tuple[int, int] | None:
    """Threads and bytes of memory of a process, None for one that has ended."""
    status = _read(f"/proc/{pid}/status")
    if not status or b"\nState:\tZ" in status or b"\nState:\tX" in status:
        return None
    threads = status.partition(b"\nThreads:\t")[2].partition(b"\n")[0]
    return int(threads or 1), _sum(status, _MEMORY)


def _exact(pids: list[int]) -> int:
    """Bytes of memory of processes, the smaller of two looks: a child that vfork has made counts
    with all of its parent's memory until, a moment later, it has replaced its program."""
    first = sum(map(_share, pids))
    time.sleep(0.01)
    return min(first, sum(map(_share, pids)))


def _share(pid: int) -> int:
    """Bytes of memory of a process, of shared pages its part."""
    try:
        return _sum(_read(f"/proc/{pid}/smaps_rollup"), _SHARE)
    except PermissionError:  # it runs a program that its user may not read
        return (_state(pid) or (0, 0))[1]


def _add_removed(pid: int, removed: dict[tuple[int, int], int], mapped: bool) -> None:
    """Add the files without a name that a process holds: device and number, and bytes on disk."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as files:
            for file in files:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    info = os.stat(file.path)
                    if stat.S_ISREG(info.st_mode) and not info.st_nlink:
                        removed[info.st_dev, info.st_ino] = info.st_blocks * 512
        maps = _read(f"/proc/{pid}/maps") if mapped else b""
    except (FileNotFoundError, ProcessLookupError):
        return
    except PermissionError:
        if _state(pid):
            raise _TooMuch("a process that cannot be looked into") from None
        return
    if b" (deleted)" in maps:
        _add_mapped(maps, removed)


def _add_mapped(maps: bytes, removed: dict[tuple[int, int], int]) -> None:
    """Add removed files that are only mapped; the map shows how much there is at least."""
    mapped: dict[tuple[int, int], int] = {}
    for line in maps.splitlines():
        if not line.endswith(b" (deleted)"):
            continue
        addresses, _, offset, device, number, _ = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split(b"-"))
        major, minor = (int(part, 16) for part in device.split(b":"))
        key = (os.makedev(major, minor), int(number))
        mapped[key] = max(mapped.get(key, 0), int(offset, 16) + end - start)
    if len(mapped) > MOST_MAPPED:
        raise _TooMuch("too many removed files in memory")
    for key, size in mapped.items():
        removed.setdefault(key, size)


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes on disk of everything below ``folder``; no link is followed."""
    left = iter(range(MOST_ENTRIES))
    try:
        top = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return
    try:
        yield from _sizes_in(top, 1, left)
    finally:
        os.close(top)


def _sizes_in(folder: int, depth: int, left: Iterator[int]) -> Iterator[int]:
    if depth > DEEPEST:
        raise _TooMuch(f"folders more than {DEEPEST} deep")
    with os.scandir(folder) as entries:
        for entry in entries:
            if next(left, None) is None:
                raise _TooMuch(f"more than {MOST_ENTRIES} files")
            try:
                info = entry.stat(follow_symlinks=False)
                inner = _open_folder(entry.name, folder) if stat.S_ISDIR(info.st_mode) else None
            except PermissionError:
                raise _TooMuch("a folder that cannot be read") from None
            except OSError:
                continue  # it has gone, or has become something else; the next look finds that
            yield info.st_blocks * 512
            if inner is None:
                continue
            try:
                yield from _sizes_in(inner, depth + 1, left)
            finally:
                os.close(inner)


def _open_folder(name: str, parent: int) -> int:
    """Open a folder; one that was made unreadable is made readable, by whoever owns it: us."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        held = os.open(name, _FOLDER | os.O_PATH, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{held}", 0o700)  # this folder, whatever the name leads to now
        return os.open(f"/proc/self/fd/{held}", os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.close(held)
