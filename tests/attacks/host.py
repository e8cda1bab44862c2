"""What an attack must leave as it is: files, shared memory, listeners nobody may reach."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

SHARED = ("/tmp", "/dev/shm", "/var/tmp", next(p for p in sys.path if p.endswith("site-packages")))


def files(root: Path, ignore: Callable[[str], bool]) -> dict[str, str]:
    """Every path below ``root`` but the ignored ones, with its kind, mode and content."""
    found = {}
    for folder, names, inner in os.walk(root):
        here = Path(folder).relative_to(root)
        for name in [*names, *inner]:
            if not ignore(str(here / name)):
                found[str(here / name)] = _state(root / here / name)
        names[:] = [name for name in names if not ignore(str(here / name))]
    return found


def _state(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    mode = oct(path.stat().st_mode)
    return f"{mode} {sha256(path.read_bytes()).hexdigest()}" if path.is_file() else mode


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What differs between two results of ``files``."""
    added = [f"made {path}" for path in sorted(after.keys() - before.keys())]
    gone = [f"removed {path}" for path in sorted(before.keys() - after.keys())]
    both = sorted(before.keys() & after.keys())
    return added + gone + [f"changed {path}" for path in both if before[path] != after[path]]


def marked(mark: str, shm_key: int) -> list[str]:
    """What an attack left in places that all processes share, under that name and key."""
    found = []
    for place in SHARED:
        found += [f"made {path}" for path in Path(place).glob(f"*{mark}*")]
    segments = Path("/proc/sysvipc/shm")
    if segments.exists() and any(
        line.split()[0] == str(shm_key) for line in segments.read_text().splitlines()[1:]
    ):
        found.append("made a System V shared memory segment")
    return found


def clear_marked(mark: str, shm_key: int) -> None:
    """Remove what ``marked`` finds."""
    for place in SHARED:
        for path in Path(place).glob(f"*{mark}*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.shmget(shm_key, 0, 0)
    if number != -1:
        libc.shmctl(number, 0, None)  # 0 is IPC_RMID


class Listeners:
    """A listener of each kind that a process may try to reach, which sees whether one did."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = _unix(str(folder / "listener"))
        self.abstract = _unix(f"\0{mark}")
        for one in (self.tcp, self.udp, self.unix, self.abstract):
            one.setblocking(False)

    def addresses(self) -> dict[str, object]:
        """What an attack is taken to know about them."""
        return {
            "PORT": self.tcp.getsockname()[1],
            "UDP_PORT": self.udp.getsockname()[1],
            "SOCKET": self.unix.getsockname(),
            "ABSTRACT": os.fsdecode(self.abstract.getsockname()),
        }

    def reached(self) -> list[str]:
        """Which listeners somebody has reached since the last call."""
        found = []
        for name in ("tcp", "unix", "abstract"):
            with suppress(BlockingIOError):
                getattr(self, name).accept()[0].close()
                found.append(f"reached a {name} socket")
        with suppress(BlockingIOError):
            self.udp.recv(100)
            found.append("reached a udp socket")
        return found

    def close(self) -> None:
        """Close all of them."""
        for one in (self.tcp, self.udp, self.unix, self.abstract):
            one.close()


def _unix(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(100)
    return listener
