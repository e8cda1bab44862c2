"""Confine this process before it runs student code: which files it may open, how much it may take.

Called by a fork of the zygote, in the order :func:`limit_resources`, :func:`drop_privileges`,
:func:`confine_files`, and last :func:`fairmark.kernel.syscalls.confine_syscalls`. None of it can
be taken back. :func:`check` and :func:`refuse_if_exposed` are called before, on the trusted side.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import site
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from . import syscalls

if sys.platform != "win32":  # there is no such module there, and no confinement
    import resource

MEGABYTE = 2**20
GIGABYTE = 2**30
LANDLOCK_ABI = 6  # from here on signals and abstract sockets end at the sandbox

# What every program needs, and what NumPy, PyTorch and psutil read of the machine while they work.
# No terminal, nothing of /proc that is a process, no /dev/zero (shared, it is memory that no
# account shows), no /etc but for what the loader, the clock and the fonts need.
SYSTEM = (
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"),
    *("/usr/bin", "/bin", "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig"),
    *("/usr/share/zoneinfo", "/usr/share/locale", "/usr/share/i18n"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/fonts"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/filesystems"),
    *("/proc/sys/vm/overcommit_memory", "/sys/kernel/mm/transparent_hugepage"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
    *("/dev/null", "/dev/urandom", "/dev/random"),
)
# Prefixes that hold more than Python: only their libraries and programs are granted.
SHARED_PREFIXES = ("/", "/usr", "/usr/local", "~", "~/.local")


class SandboxUnavailable(RuntimeError):
    """Student code cannot be confined here; the message names in one line what is missing."""


@lru_cache(maxsize=1)
def check() -> None:
    """Return if this system can confine a process as this package does; tried out, not asked.

    Called in the trusted process. What is tried is confined to a thread that ends at once.
    Raises :class:`SandboxUnavailable`.
    """
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable("not Linux (Landlock and seccomp are needed)")
    prepare()
    import pyseccomp
    import sandlock

    found = sandlock.landlock_abi_version()
    if found < 1:
        raise SandboxUnavailable(
            "Landlock is off (Linux 6.12 or newer is needed, with landlock among lsm=)"
        )
    if found < LANDLOCK_ABI:
        raise SandboxUnavailable(
            f"Landlock ABI {LANDLOCK_ABI} is needed (Linux 6.12 or newer), this kernel has {found}"
        )
    if pyseccomp.get_api() < 2:
        raise SandboxUnavailable("seccomp filters for all threads are off in this kernel")
    _try_in_thread("Landlock", lambda: confine_files([Path("/usr")], []))
    _try_in_thread("seccomp", _load_a_filter)


def prepare() -> None:
    """Load the libraries and build the filter, so that forks of this process have them ready.

    Raises :class:`SandboxUnavailable`.
    """
    try:
        import sandlock  # noqa: F401

        syscalls.build()
    except ImportError as error:
        raise SandboxUnavailable(f"the package {error.name} is not installed") from error
    except (RuntimeError, AttributeError) as error:
        if platform.machine() not in syscalls.MACHINES:
            raise SandboxUnavailable(f"no filter for {platform.machine()} processors") from error
        raise SandboxUnavailable("libseccomp.so.2 was not found") from error
    except OSError as error:
        raise SandboxUnavailable(f"libseccomp cannot build the filter: {error}") from error


def _load_a_filter() -> None:
    import pyseccomp

    tried = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    tried.add_rule(pyseccomp.ERRNO(1), "acct")
    tried.load()  # without TSYNC: for the calling thread only


def _try_in_thread(what: str, attempt: Callable[[], None]) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            attempt()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise SandboxUnavailable(
            f"{what} is there but refused, perhaps by a container: {failures[0]}"
        )


def python_paths() -> list[Path]:
    """The files and folders that a student's process must be able to read, all of them existing.

    The environment, the system's libraries and programs, fonts and time zones; never the current
    folder, a home folder or a checkout that is installed in place.
    """
    if not sys.platform.startswith("linux"):
        return []
    wanted: list[Path] = [Path(path) for path in SYSTEM]
    several = {os.path.realpath(os.path.expanduser(path)) for path in SHARED_PREFIXES}
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        shared = os.path.realpath(prefix) in several
        wanted += [Path(prefix, part) for part in ("bin", "lib", "lib64")] if shared else [prefix]
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    wanted += [sysconfig.get_path(name) for name in names]
    wanted += [path for path in sys.path if _is_packages(Path(path))]
    if site.ENABLE_USER_SITE:
        wanted.append(site.getusersitepackages())
    wanted += [sys.executable, *_loaded_libraries()]
    return _outermost(Path(path) for path in wanted)


def _is_packages(path: Path) -> bool:
    """Whether an entry of sys.path is where installers put packages, so no checkout."""
    return path.is_absolute() and path.name in ("site-packages", "dist-packages")


def _loaded_libraries() -> list[str]:
    """The shared libraries of this process; on clusters they may lie anywhere."""
    with open("/proc/self/maps", errors="surrogateescape") as maps:
        parts = [line.rstrip("\n").split(maxsplit=5) for line in maps]
    code = {part[5] for part in parts if len(part) == 6 and "x" in part[1]}
    return [path for path in code if path.startswith("/") and not path.endswith(" (deleted)")]


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """The real paths that exist and can be reached, without those that lie inside another."""
    kept: list[Path] = []
    for path in sorted({Path(os.path.realpath(path)) for path in paths}):
        inside = bool(kept) and path.is_relative_to(kept[-1])
        if path != Path("/") and not inside and _reachable(path):
            kept.append(path)
    return kept


def _reachable(path: Path) -> bool:
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_PATH | os.O_CLOEXEC))
        return True
    return False


def refuse_if_exposed(secrets: Iterable[Path], readable: Iterable[Path]) -> None:
    """Raise :class:`SandboxUnavailable` where a secret folder is, or lies in, a readable one.

    The other way round is fine: of a course that holds an environment, only that is readable.
    """
    granted = [Path(os.path.realpath(path)) for path in readable]
    for secret in secrets:
        real = Path(os.path.realpath(secret))
        for path in granted:
            if real.is_relative_to(path):
                raise SandboxUnavailable(
                    f"{secret} must stay hidden and lies in {path}, which student code can read"
                )


def confine_files(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Let this thread, and all that it starts, open nothing but what is below these paths.

    /dev/null is always writable. Signals and abstract sockets end at the sandbox as well.
    Raises :class:`SandboxUnavailable` where Landlock refuses, or a path is not there.
    """
    from sandlock import Sandbox, SandlockError, confine

    policy = Sandbox(
        fs_readable=[str(path) for path in readable],
        fs_writable=[str(path) for path in writable] + ["/dev/null"],
    )
    try:
        confine(policy)
    except SandlockError as error:
        raise SandboxUnavailable(f"Landlock refused: {error}") from error


@dataclass(frozen=True)
class Limits:
    """What a student's processes may take.

    ``memory``, ``processes``, ``threads`` and ``disk_bytes`` hold for all of them together and are
    watched (:mod:`fairmark.kernel.usage`); the rest, and memory too, holds for each by itself.
    """

    memory: int = 4 * GIGABYTE
    processes: int = 32
    threads: int = 512
    file_bytes: int = 256 * MEGABYTE
    disk_bytes: int = 512 * MEGABYTE
    open_files: int = 256
    cpu_seconds: int = 3600


def limit_resources(limits: Limits) -> None:
    """Set the limits of this process, for good; memory is counted from what it has already."""
    size, data = _size_and_data()
    # Each thread reserves 64 MB of addresses that it hardly touches, so these may be more.
    addresses = size + 2 * limits.memory + 4 * GIGABYTE
    bounds = {
        "DATA": data + limits.memory,
        "AS": addresses,
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "CPU": limits.cpu_seconds,
        "NPROC": _tasks() + limits.threads + 1024,  # of the user: only the last stop of a bomb
        "CORE": 1,  # no dump; with 0, a program of the system would still be started to take it
        "MSGQUEUE": 0,
        "MEMLOCK": 64 * 1024,
        "SIGPENDING": 1024,
        "RTPRIO": 0,  # else a user of sound programs could stop all others from running
        "NICE": 0,
    }
    for name, wanted in bounds.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (value, value))
    with contextlib.suppress(OSError):  # where memory runs out all the same, this goes first
        Path("/proc/self/oom_score_adj").write_text("800")


def _size_and_data() -> tuple[int, int]:
    """Bytes of address space, and of private writable memory, of this process."""
    pages = Path("/proc/self/statm").read_text().split()
    page = os.sysconf("SC_PAGE_SIZE")
    return int(pages[0]) * page, int(pages[5]) * page


def _tasks() -> int:
    """How many threads the machine has, an upper bound of how many the user has."""
    return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Prctl(NamedTuple):
    capbset_drop: int = 24
    cap_ambient: int = 47
    cap_ambient_clear_all: int = 4


def drop_privileges() -> None:
    """Give up every capability for good, also those that a program of root would get.

    Nothing changes for an ordinary user. Raises OSError where the kernel keeps one of them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    option = _Prctl()
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        libc.prctl(option.capbset_drop, capability, 0, 0, 0)
    libc.prctl(option.cap_ambient, option.cap_ambient_clear_all, 0, 0, 0)
    header = _Header(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(nothing)):
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")
    kept = Path("/proc/self/status").read_text()
    if any(f"\n{name}:\t{0:016x}\n" not in kept for name in ("CapPrm", "CapEff", "CapAmb")):
        raise OSError("capabilities are left after they were given up")
