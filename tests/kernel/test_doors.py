"""A zygote that comes through the door of another one: warm, on its own, and gone when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairmark.kernel import door as doors
from fairmark.kernel import launcher
from fairmark.kernel.launcher import Fork, Launcher, LaunchError, launcher_for, use_doors
from tests.kernel.running import (
    MODULES,
    Running,
    alive,
    eventually,
    marked,
    running,
    short_folder,
    temporary_files_in,
)
from tests.kernel.test_zygote import FORK

SLOW = "import time\ntime.sleep(3)\nvalue = 'imported'\n"
KEY = ("this_is_imported_slowly",)
# connects to a door, starts a kernel that leaves a process behind, and says what there is
CONNECTING = f"""
import json, sys
from fairmark.kernel.launcher import launcher_for, use_doors
from tests.kernel.running import Running
use_doors({{{KEY!r}: sys.argv[1]}})
kernel = Running(modules={list(KEY)!r})
started = int(kernel.run({FORK + "print(fork())"!r}))
kernel.start("while True: pass")
own = launcher_for({KEY!r})
assert own.process is None
print(json.dumps([kernel.fork.pid, started, str(own.folder)]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(monkeypatch) -> Iterator[Path]:
    """Where temporary files of this test go; it knows no door."""
    monkeypatch.setattr(launcher, "_doors", {})
    with short_folder() as path, temporary_files_in(path):
        yield path


@pytest.fixture
def zygote(tmp_path, folder, monkeypatch) -> Iterator[Launcher]:
    """A zygote that was started with a module that takes seconds to import."""
    (tmp_path / f"{KEY[0]}.py").write_text(SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    started = Launcher(KEY)
    yield started
    started.close()


@contextlib.contextmanager
def through(zygote: Launcher) -> Iterator[Running]:
    """A kernel whose zygote came through the door of ``zygote``, and both end with the block."""
    use_doors({KEY: zygote.door})
    try:
        with running(modules=list(KEY)) as kernel:
            assert kernel.fork.launcher.process is None
            yield kernel
    finally:
        launcher.close_all()


@contextlib.contextmanager
def connecting(zygote: Launcher) -> Iterator[tuple[subprocess.Popen, list[int], Path]]:
    """A process that connects to the door of ``zygote``; pids and the folder that it has there."""
    command = [sys.executable, "-c", CONNECTING, zygote.door]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        try:
            *pids, own = json.loads(process.stdout.readline())
            yield process, pids, Path(own)
        finally:
            process.kill()


def children(process: int) -> list[int]:
    """The children of a process."""
    return [*map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]


class TestThroughTheDoor:
    """What a process gets that connects."""

    def test_warm(self, zygote):
        """Its kernels find everything imported, without the time that importing took."""
        door = zygote.door
        began = time.monotonic()
        use_doors({KEY: door})
        assert launcher_for(KEY).process is None
        assert time.monotonic() - began < 1
        with running(modules=list(KEY)) as kernel:
            code = f"import sys; print('{KEY[0]}' in sys.modules)"
            assert kernel.run(code) == "True\n"
        assert time.monotonic() - began < 3

    def test_a_zygote_of_its_own(self, zygote, folder):
        """It has another folder, also for temporary files, and another session; both have forks."""
        with through(zygote) as kernel:
            own = kernel.fork.launcher
            assert own.folder.parent == zygote.folder.parent == folder
            assert own.folder != zygote.folder
            assert os.getsid(kernel.fork.pid) not in {zygote.process.pid, os.getsid(0)}
            place = zygote.new_folder()
            ours, theirs = socket.socketpair()
            with ours, theirs:
                other = zygote.fork("grader", place, [theirs.fileno()])  # has nothing to do
                assert other.wait(60) == 0
            assert kernel.run("print(6 * 7)") == "42\n"

    def test_several(self, zygote):
        """Each connection has a zygote, and none has anything open that is another's."""
        first, second = Launcher(door=zygote.door), Launcher(door=zygote.door)
        pids = children(zygote.process.pid)
        assert len({first.folder, second.folder}) == len(pids) == 2
        names = [{_leads_to(path) for path in Path(f"/proc/{pid}/fd").iterdir()} for pid in pids]
        names.append({_leads_to(path) for path in Path(f"/proc/{zygote.process.pid}/fd").iterdir()})
        own = [{name for name in found if name.startswith(("socket:", "pipe:"))} for found in names]
        assert all(own)
        assert not own[0] & own[1]
        first.close()
        assert second.alive
        second.close()

    def test_a_fork_of_this_process(self, zygote):
        """A process that this one has forked does not keep its zygote alive, nor end it."""
        with through(zygote) as kernel:
            own = kernel.fork.launcher
            pid = os.fork()
            if pid == 0:
                time.sleep(1000)
            assert own.alive
            own.close()
            assert not own.folder.exists()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def test_another_user(self, zygote, monkeypatch):
        """A door that another user's process listens at is not used."""
        monkeypatch.setattr(doors.os, "getuid", lambda: -1)
        with pytest.raises(PermissionError, match="another user"):
            Launcher(door=zygote.door)


class TestEnd:
    """With what a zygote ends that came through a door, and that nothing is left then."""

    def test_closed(self, zygote, folder):
        """With its connection it ends, and so do its kernels; the other zygote goes on."""
        with through(zygote) as kernel:
            own, started = kernel.fork.launcher, int(kernel.run(FORK + "print(fork())"))
            (process,) = children(zygote.process.pid)
            own.close()
            assert not own.alive
            assert not own.folder.exists()
            assert not alive(kernel.fork.pid)
            assert not alive(started)
            assert eventually(lambda: not alive(process))
        assert list(folder.iterdir()) == [zygote.folder]
        with through(zygote) as kernel:
            assert kernel.run("print(6 * 7)") == "42\n"

    def test_killed_with_who_connected(self, zygote, folder):
        """The same holds where the process that connected is killed."""
        with connecting(zygote) as (process, pids, own):
            assert all(map(alive, pids))
            assert own.is_dir()
            process.kill()
            process.wait(60)
            assert eventually(lambda: not any(map(alive, pids)))
            assert eventually(lambda: not own.exists())
        assert list(folder.iterdir()) == [zygote.folder]
        assert eventually(lambda: children(zygote.process.pid) == [])

    def test_killed(self, zygote, folder):
        """What a zygote leaves that was killed is removed; the next one comes through the door."""
        with through(zygote) as kernel:
            started = int(kernel.run(FORK + "print(fork())"))
            (process,) = children(zygote.process.pid)
            own = kernel.fork.launcher
            os.kill(process, signal.SIGKILL)
            assert kernel.fork.wait(60) == -signal.SIGKILL
            assert eventually(lambda: not alive(started))
            assert eventually(lambda: not own.folder.exists())
            assert not own.alive
            again = launcher_for(KEY)
            assert again is not own
            assert again.process is None
            assert again.alive

    @pytest.mark.parametrize("how", ["closed", "terminated", "killed"])
    def test_with_the_other_zygote(self, zygote, folder, how):
        """It ends with the zygote that it was forked from, however that ends."""
        with through(zygote) as kernel:
            started = int(kernel.run(FORK + "print(fork())"))
            own = kernel.fork.launcher
            if how == "closed":
                zygote.close()
                assert not own.folder.exists()
            else:
                zygote.process.terminate() if how == "terminated" else zygote.process.kill()
            assert kernel.fork.wait(60) == -signal.SIGKILL
            assert eventually(lambda: not own.alive)
            assert eventually(lambda: not alive(started))
            assert eventually(lambda: not own.folder.exists())
        launcher.clean_up()
        assert eventually(lambda: not list(folder.iterdir()))
        assert eventually(lambda: not marked(str(folder)))


class TestNobodyThere:
    """What happens where a door leads nowhere."""

    @pytest.mark.parametrize("path", ["nothing", "a file", "left"])
    def test_a_zygote_is_started(self, folder, path):
        """A process that finds nobody at the door starts a zygote of its own."""
        place = folder / path
        if path == "a file":
            place.touch()
        elif path == "left":
            doors.door_in(folder).close()
            place = folder / doors.NAME
        use_doors({tuple(MODULES): str(place)})
        with running() as kernel:
            assert kernel.fork.launcher.process is not None
            assert kernel.run("print(6 * 7)") == "42\n"

    def test_nobody_answers(self, folder):
        """A connection that ends without a zygote is an error, and then one is started."""
        with doors.door_in(folder) as listening:
            pid = os.fork()
            if pid == 0:
                for _ in range(2):
                    listening.accept()[0].close()
                os._exit(0)
            path = str(folder / doors.NAME)
            with pytest.raises(LaunchError, match="it ended"):
                Launcher(door=path)
            use_doors({(): path})
            assert launcher_for(()).process is not None
            os.waitpid(pid, 0)

    def test_other_modules(self, zygote):
        """A door is for the modules that it was named for."""
        use_doors({KEY: zygote.door})
        assert launcher_for(["json"]).process is not None


def _leads_to(path: Path) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def test_a_kernel_cannot_come_to_a_door(zygote):
    """Student code that knows the path cannot make a socket, let alone connect it."""
    code = (
        "import socket\n"
        "try:\n    socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "except PermissionError:\n    print('refused')\n"
        "one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        f"for path in [{zygote.door!r}]:\n"
        "    try:\n        one.connect(path)\n"
        "    except PermissionError:\n        print('refused')\n"
    )
    with through(zygote) as kernel:
        assert kernel.run(code) == "refused\nrefused\n"
        fork: Fork = kernel.fork
        assert children(zygote.process.pid) != []
        assert fork.poll() is None
