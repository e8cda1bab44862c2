"""The trusted end of a zygote: however it ends, nothing is left, or it is cleaned up later."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairmark.kernel import launcher
from fairmark.kernel.launcher import Launcher, LaunchError, clean_up, launcher_for
from fairmark.kernel.scratch import LOCK
from tests.kernel.running import (
    alive,
    eventually,
    marked,
    running,
    short_folder,
    sockets_below,
    temporary_files_in,
)
from tests.kernel.test_zygote import FORK

ENDS = {
    "normally": None,
    "by SIGTERM": signal.SIGTERM,
    "by SIGKILL": signal.SIGKILL,
    "by Ctrl-C": signal.SIGINT,
}
# starts a kernel that leaves a process behind, says so, and ends when it is told to
LAUNCHING = f"""
import json, sys
from tests.kernel.running import Running
kernel = Running(modules=["json"])
started = int(kernel.run({FORK + "print(fork())"!r}))
kernel.start("while True: pass")
print(json.dumps([kernel.fork.pid, started, kernel.fork.launcher.process.pid]), flush=True)
sys.stdin.read()
"""
LAUNCHING_IN_VAIN = """
import sys
from fairmark.kernel.launcher import Launcher
Launcher(["torch"])
print("[]", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def launching(code: str, folder: Path) -> Iterator[tuple[subprocess.Popen, list[int]]]:
    """A process that runs ``code`` in a group of its own, and the pids that it tells."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where temporary files of this test go."""
    with short_folder() as path, temporary_files_in(path):
        yield path


class TestEndOfTheLaunchingProcess:
    """What becomes of everything when the process that grades ends."""

    @pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
    def test_nothing_is_left(self, how):
        """No process, socket or folder is left, also of what student code has started."""
        with short_folder() as folder, launching(LAUNCHING, folder) as (process, pids):
            assert len(pids) == 3
            assert all(map(alive, pids))
            assert sockets_below(folder)
            if how is None:
                process.stdin.close()
                assert process.wait(60) == 0
            else:
                os.killpg(process.pid, how)
                assert process.wait(60)
            assert eventually(lambda: not any(map(alive, pids)))
            assert eventually(lambda: not list(folder.iterdir()))
            assert eventually(lambda: not marked(str(folder)))
            assert not sockets_below(folder)

    @pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
    def test_before_the_zygote_is_ready(self, how):
        """The same holds where it ends while the zygote still imports; it says nothing."""
        with short_folder() as folder, launching(LAUNCHING_IN_VAIN, folder) as (process, _):
            if how is None:
                process.stdin.close()
            else:
                os.killpg(process.pid, how)
            process.wait(60)
            assert eventually(lambda: not marked(str(folder)))
            assert list(folder.iterdir()) == []
            said = process.stderr.read()
            assert said == "" or (how is signal.SIGINT and said.count("Traceback") == 1)

    def test_files_of_an_import(self, folder, tmp_path, monkeypatch):
        """What a module keeps among temporary files when it is imported goes with the zygote."""
        (tmp_path / "module_with_a_file.py").write_text(
            "import tempfile\nkept = tempfile.mkdtemp(prefix='kept')\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        zygote = Launcher(["module_with_a_file"])
        assert list(zygote.folder.glob("tmp/kept*"))
        zygote.close()
        assert list(folder.iterdir()) == []

    def test_a_fork_of_it(self):
        """A process that it has forked, and that lives on, keeps nothing alive."""
        fork = "import os, time\nif os.fork() == 0: time.sleep(1000)\n"
        code = LAUNCHING.replace("print(json", fork + "print(json")
        with short_folder() as folder, launching(code, folder) as (process, pids):
            process.kill()
            process.wait(60)
            assert eventually(lambda: not any(map(alive, pids)))
            assert eventually(lambda: not list(folder.iterdir()))
            os.killpg(process.pid, signal.SIGKILL)


class TestEndOfTheZygote:
    """What becomes of its kernels, and of what they have started."""

    def test_killed(self, folder):
        """Kernels die with it at once; what they have left is removed by the next launcher."""
        with running(modules=["this_zygote_is_killed"]) as kernel:
            started = int(kernel.run(FORK + "print(fork())"))
            zygote = kernel.fork.launcher
            zygote.process.kill()
            assert kernel.fork.wait(60) == -signal.SIGKILL
            assert eventually(lambda: not alive(kernel.fork.pid))
            assert kernel.fork.folder.exists()
            assert alive(started)  # nobody is there who could have ended it
            clean_up()
            assert not zygote.folder.exists()
            assert eventually(lambda: not alive(started))

    def test_asked_afterwards(self, folder):
        """A fork that is asked of a dead zygote is an error; the next one comes from a new one."""
        first = launcher_for(["this_zygote_is_killed_too"])
        place = first.new_folder()
        first.process.kill()
        first.process.wait()
        with pytest.raises(LaunchError, match="has ended"):
            first.fork("grader", place, [])
        second = launcher_for(["this_zygote_is_killed_too"])
        assert second is not first
        assert second.alive
        assert second.new_folder().is_dir()
        assert not first.folder.exists()
        first.close()
        second.close()

    def test_not_ready(self, monkeypatch):
        """Where it ends before it is ready, there is one line that says so."""
        monkeypatch.setattr(launcher.sys, "executable", "/bin/false")
        failing = Launcher([])
        with pytest.raises(LaunchError, match="did not start: it ended") as caught:
            failing.new_folder()
        assert "\n" not in str(caught.value)


class TestSpent:
    """What the forks of a zygote have taken, told when they have ended."""

    BUSY = "import time\nwhile time.process_time() < 1: pass\nheld = bytearray(200 * 2**20)"

    def test_of_a_kernel(self, folder):
        """Seconds of CPU and the most memory, of the kernel and in all, by role."""
        with running() as kernel:
            assert (kernel.fork.cpu, kernel.fork.peak) == (0, 0)
            kernel.run(self.BUSY)
        zygote = kernel.fork.launcher
        assert 1 < kernel.fork.cpu < 10
        assert 200 * 2**20 < kernel.fork.peak < 2**30
        assert zygote.spent["kernel"] == kernel.fork.cpu
        assert zygote.peak == {"kernel": kernel.fork.peak}
        assert 0 < zygote.spent["zygote"] < 1

    def test_of_what_was_abandoned(self, folder):
        """A fork that nobody waited for counts as well, at the latest when the zygote is closed."""
        zygote = launcher_for([])
        for _ in range(3):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                zygote.fork("grader", zygote.new_folder(), [theirs.fileno()]).abandon()
        zygote.close()
        assert set(zygote.spent) == {"grader", "zygote"}
        assert 0.001 < zygote.spent["grader"] < 3


class TestCleanUp:
    """What is removed of an earlier run, and what is not."""

    @staticmethod
    def left(folder: Path, record: str = "") -> Path:
        """A folder as a killed zygote leaves it, with a record of a process group."""
        left = folder / "fairmark-left"
        (left / "1" / "work").mkdir(parents=True)
        (left / LOCK).touch()
        (left / "1.pid").write_text(record)
        return left

    def test_folder_of_a_dead_zygote(self, folder):
        """It is removed, also with a record that was not written to its end."""
        left = self.left(folder)
        clean_up()
        assert not left.exists()

    def test_folder_of_a_living_zygote(self, folder):
        """It stays, and so do its kernels."""
        with running(modules=["this_zygote_lives"]) as kernel:
            clean_up()
            assert kernel.fork.folder.is_dir()
            assert kernel.run("print('there')") == "there\n"

    def test_locked(self, folder):
        """A folder in which some process holds the lock stays."""
        left = self.left(folder)
        with open(left / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            clean_up()
            assert left.exists()

    def test_without_a_lock(self, folder):
        """A folder that was never locked is not a zygote's, and stays."""
        (folder / "fairmark-other").mkdir()
        clean_up()
        assert (folder / "fairmark-other").exists()

    def test_link(self, folder):
        """A symbolic link is not followed, and stays."""
        target = folder / "target"
        target.mkdir()
        (target / LOCK).touch()
        (folder / "fairmark-link").symlink_to(target)
        clean_up()
        assert (target / LOCK).exists()
        assert (folder / "fairmark-link").is_symlink()

    def test_folder_of_another_user(self, folder, monkeypatch):
        """It stays."""
        left = self.left(folder)
        monkeypatch.setattr(launcher.os, "getuid", lambda: left.stat().st_uid + 1)
        clean_up()
        assert left.exists()

    def test_a_process_with_the_same_number(self, folder):
        """A process that is not sandboxed is none of ours, whatever its group and session."""
        with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
            left = self.left(folder, f"{process.pid} {process.pid}")
            clean_up()
            assert not left.exists()
            assert process.poll() is None
            process.kill()

    def test_a_sandboxed_process_of_another_session(self, folder):
        """A kernel of another zygote is left alone although its group has the recorded number."""
        with running() as kernel:
            left = self.left(folder, f"{kernel.fork.pid} {os.getsid(0)}")
            clean_up()
            assert not left.exists()
            assert kernel.run("print('there')") == "there\n"
            again = self.left(folder, f"{kernel.fork.pid} {os.getsid(kernel.fork.pid)}")
            clean_up()
            assert not again.exists()
            assert kernel.fork.wait(60) == -signal.SIGKILL  # the record was right this time
