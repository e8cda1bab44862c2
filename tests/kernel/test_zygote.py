"""Forks of a zygote: what they find, what they may take, and what goes with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fairmark.kernel.launcher import ONE_THREAD, PASSED_ON, Launcher, LaunchError
from fairmark.kernel.sandbox import MEGABYTE
from tests.kernel.running import Running, alive, eventually, running

FORK = """
import os, time
def fork():
    pid = os.fork()
    if pid == 0:
        time.sleep(1000)
    return pid
"""
LEFT_BEHIND = {
    "a child": "print(fork())",
    "a double fork": """
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, str(fork()).encode())
    os._exit(0)
print(os.read(reader, 20).decode())
""",
    "another program": "import subprocess; print(subprocess.Popen(['sleep', '1000']).pid)",
    "a daemon": """
reader, writer = os.pipe()
if os.fork() == 0:
    import contextlib, signal
    with contextlib.suppress(OSError):
        os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.write(writer, str(os.getpid()).encode())
        os.execv('/bin/sleep', ['sleep', '1000'])
    os._exit(0)
print(os.read(reader, 20).decode())
""",
}
TOO_MUCH = {
    "memory": (
        "memory",
        {"memory": 300 * MEGABYTE},
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        held = bytearray(os.urandom(1)) * (150 * 2**20)\n"
        "        time.sleep(1000)\n"
        "time.sleep(1000)",
    ),
    "processes": ("processes", {"processes": 5}, "for _ in range(9): fork()\ntime.sleep(1000)"),
    "threads": (
        "threads",
        {"threads": 40},
        "import threading\n"
        "for _ in range(60): threading.Thread(target=time.sleep, args=(1000,)).start()\n"
        "time.sleep(1000)",
    ),
    "disk": (
        "disk space",
        {"disk_bytes": 8 * MEGABYTE},
        "for n in range(12): open(f'{n}', 'wb').write(os.urandom(2**20))\ntime.sleep(1000)",
    ),
    "a removed file": (
        "disk space",
        {"disk_bytes": 8 * MEGABYTE},
        "kept = open('kept', 'wb', 0)\nos.remove('kept')\n"
        "kept.write(bytes(12 * 2**20))\ntime.sleep(1000)",
    ),
    "many files": (
        "more than 10000 files",
        {},
        "for n in range(10_100): open(f'{n}', 'w').close()\ntime.sleep(1000)",
    ),
    "deep folders": (
        "deep",
        {},
        "for _ in range(2000): os.mkdir('d'); os.chdir('d')\ntime.sleep(1000)",
    ),
}


@pytest.fixture(scope="module")
def bystander() -> Iterator[Running]:
    """A kernel that has nothing to do with what others do."""
    with running() as kernel:
        yield kernel


class TestFork:
    """What a kernel finds when it begins."""

    def test_folder(self, bystander):
        """Each kernel works in a folder of its own, and its temporary files go there too."""
        with running() as other:
            look = "import os, tempfile; print(os.getcwd(), tempfile.mkdtemp(), os.environ['HOME'])"
            for kernel in (bystander, other):
                places = kernel.run(look).split()
                assert len(places) == 3
                assert all(place.startswith(f"{kernel.fork.folder}/") for place in places)
            assert bystander.fork.folder != other.fork.folder

    def test_environment(self, monkeypatch):
        """Of the environment of the process that grades, a fork gets what is listed and no more."""
        monkeypatch.setenv("SECRET_OF_THE_COURSE", "1234")
        with running(modules=["this_starts_another_zygote"]) as kernel:
            with open(f"/proc/{kernel.fork.pid}/environ") as file:
                at_start = {entry.partition("=")[0] for entry in file.read().split("\0") if entry}
            text = kernel.run("import os; print(*os.environ)")
        own = {"HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "MPLBACKEND", "LOGNAME"}
        by_ipython = {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "PAGER", "GIT_PAGER", "TERM"}
        by_ipython |= {"PYDEVD_USE_FRAME_EVAL", "JPY_PARENT_PID", "COLUMNS"}
        allowed = {*PASSED_ON, *ONE_THREAD, *own}
        assert at_start <= allowed
        assert set(text.split()) <= allowed | by_ipython

    def test_random_numbers(self, bystander):
        """Two kernels do not draw the same random numbers."""
        draw = "import random, numpy; print(random.random(), numpy.random.rand())"
        with running() as other:
            one, two = bystander.run(draw).split(), other.run(draw).split()
        assert len(one) == len(two) == 2
        assert not set(one) & set(two)

    def test_open_files(self, bystander):
        """A kernel has nothing open that a trusted process has, and no terminal.

        Each end of a pair of sockets has a number of its own, so none is in common. What is
        written to the standard files goes through pipes of the kernel's own to its cells.
        """
        pids = bystander.fork.pid, os.getpid(), bystander.fork.launcher.process.pid
        theirs, ours, zygote = ([*map(_leads_to, _open_files(pid))] for pid in pids)
        files = [path for path in theirs if path.startswith("/") and path != "/dev/null"]
        assert all(path.startswith(f"{bystander.fork.folder}/") for path in files)
        named = {path for path in theirs if path.startswith(("socket:", "pipe:"))}
        assert named
        assert not named & {*ours, *zygote}
        assert os.readlink(f"/proc/{pids[0]}/fd/0") == "/dev/null"


class TestPreloaded:
    """What is imported before the forks."""

    def test_a_module_is_there_without_its_file(self, tmp_path, monkeypatch):
        """A preloaded module is imported in a kernel although its file is gone and out of reach."""
        (tmp_path / "kept_in_memory.py").write_text("value = 'from memory'")
        monkeypatch.syspath_prepend(str(tmp_path))
        with running(modules=["kept_in_memory"]) as first:
            (tmp_path / "kept_in_memory.py").unlink()
            assert first.run("import kept_in_memory; print(kept_in_memory.value)") == (
                "from memory\n"
            )

    def test_a_kernel_has_nothing_left_to_import(self, bystander):
        """What a kernel itself imports to start and run a cell is in the zygote already."""
        names = "import sys\nfor name, module in list(sys.modules.items()):\n"
        names += "    if getattr(module, '__file__', None): print(name)"
        own = "import fairmark.kernel.zygote as zygote\nzygote.warm_up(['numpy'])\n"
        command = [sys.executable, "-c", own + names]
        one = os.environ | dict.fromkeys(ONE_THREAD, "1")
        before = subprocess.run(command, env=one, capture_output=True, text=True, check=True).stdout
        assert "ipykernel" in before.split()
        more = set(bystander.run(names).split()) - set(before.split())
        assert more == {"runpy"}  # by which the zygote was started

    def test_what_cannot_be_imported(self, tmp_path, monkeypatch):
        """A module that fails, or ends its process, is left out; those after it are imported."""
        (tmp_path / "module_that_fails.py").write_text("1 / 0")
        (tmp_path / "module_that_exits.py").write_text("raise SystemExit(3)")
        (tmp_path / "module_that_works.py").write_text("value = 5")
        monkeypatch.syspath_prepend(str(tmp_path))
        names = ["module_that_fails", "module_that_exits", "module_that_works"]
        with running(modules=names) as kernel:
            assert kernel.run("import module_that_works as m; print(m.value)") == "5\n"

    def test_a_thread_at_import(self, tmp_path, monkeypatch):
        """No zygote starts where an import started a thread, and the error says so in one line."""
        (tmp_path / "module_with_thread.py").write_text(
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        launcher = Launcher(["module_with_thread"])
        with pytest.raises(LaunchError, match="started 1 thread") as caught:
            launcher.new_folder()
        assert launcher.process.poll() is not None
        assert "\n" not in str(caught.value)


class TestEnd:
    """What goes with a kernel."""

    @pytest.mark.parametrize("code", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
    @pytest.mark.parametrize("end", ["shut down", "by itself"])
    def test_what_was_left_behind(self, code, end):
        """When a kernel ends, everything that it started and its folder are gone already."""
        with running() as kernel:
            started = int(kernel.run(FORK + code))
            assert alive(started)
            if end == "by itself":
                kernel.start("os._exit(7)")
                assert kernel.fork.wait(60) == 7
            else:
                kernel.fork.kill()
            assert not alive(started)
            assert not kernel.fork.folder.exists()
            assert not kernel.fork.folder.with_suffix(".pid").exists()

    @pytest.mark.parametrize("why, settings, code", TOO_MUCH.values(), ids=TOO_MUCH)
    def test_too_much(self, bystander, why, settings, code):
        """A kernel that takes too much of something is ended, which is said; others go on."""
        with running(**settings) as kernel:
            assert kernel.fork.launcher is bystander.fork.launcher
            kernel.start(FORK + code)
            assert kernel.fork.wait(60) == -signal.SIGKILL
            assert why in kernel.fork.why
            assert not kernel.fork.folder.exists()
        assert bystander.run("print(6 * 7)") == "42\n"

    def test_below_the_limits(self, bystander):
        """A kernel that stays within its limits is left alone."""
        code = "pids = [fork() for _ in range(3)]; open('some', 'wb').write(bytes(2**20))"
        assert bystander.run(f"{FORK}{code}; time.sleep(0.5); print('there')") == "there\n"
        bystander.run("for pid in pids: os.kill(pid, 9); os.waitpid(pid, 0)")
        assert bystander.fork.poll() is None
        assert bystander.fork.why == ""

    def test_terminated(self):
        """A zygote that is asked to terminate ends its kernels and removes its folder."""
        with running(modules=["this_zygote_is_terminated"]) as kernel:
            started = int(kernel.run(FORK + "print(fork())"))
            launcher = kernel.fork.launcher
            launcher.process.terminate()
            launcher.process.wait(60)
            assert not alive(kernel.fork.pid)
            assert not alive(started)
            assert not launcher.folder.exists()

    def test_no_stray_process(self, bystander):
        """A zygote has no child but its kernels once others have ended."""
        zygote = bystander.fork.launcher.process.pid
        with open(f"/proc/{zygote}/task/{zygote}/children") as file:
            assert eventually(lambda: file.seek(0) == 0 and _is(file, bystander.fork.pid))


def _is(file, pid: int) -> bool:
    return file.read().split() == [str(pid)]


def _open_files(pid: int) -> list[str]:
    return [f"/proc/{pid}/fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]


def _leads_to(link: str) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:  # the one that listed them
        return ""
