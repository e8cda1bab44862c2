"""What the processes of a kernel take, measured from outside."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairmark.kernel.forking import PR_SET_CHILD_SUBREAPER, prctl
from fairmark.kernel.sandbox import Limits
from fairmark.kernel.usage import groups_below, usage
from tests.kernel.confinement import LIBC, NOBODY, killed


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Let what loses its parent become a child of this process, as of a zygote."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)


class TestUsage:
    """What is measured from outside."""

    @staticmethod
    @contextlib.contextmanager
    def running(scratch: Path, prepare: Callable[[], Any]) -> Iterator[int]:
        """A fork that has prepared something and now waits."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.chdir(scratch)
            kept = prepare()
            os.write(writer, b"x")
            time.sleep(60)
            os._exit(len(str(kept)))
        with killed(pid):
            os.read(reader, 1)
            os.close(reader)
            os.close(writer)
            yield pid

    @pytest.mark.parametrize("thorough", [True, False])
    def test_memory_processes_threads(self, places, thorough):
        """Memory that is filled, forks and threads are counted, and the limits say so."""

        def prepare() -> list[Any]:
            threads = [threading.Thread(target=time.sleep, args=[60]) for _ in range(3)]
            [thread.start() for thread in threads]
            if os.fork() == 0:
                time.sleep(60)
            return [np.ones(20 * 2**20)]

        with self.running(places["scratch"], lambda: None) as pid:
            idle = usage(groups_below(os.getpid())[pid], places["scratch"])
        with self.running(places["scratch"], prepare) as pid:
            used = usage(groups_below(os.getpid(), thorough)[pid], places["scratch"])
            exact = usage(groups_below(os.getpid())[pid], places["scratch"], exact_above=0)
        assert (idle.processes, idle.threads) == (1, 1)
        assert (used.processes, used.threads) == (2, 5)
        assert used.memory - idle.memory > 150 * 2**20
        assert 150 * 2**20 < exact.memory < used.memory
        assert used.over(Limits(memory=100 * 2**20)).startswith("more memory than allowed")
        assert used.over({"processes": 1}).startswith("more processes than allowed (2 of 1)")
        assert used.over(Limits()) == ""

    def test_an_orphan_is_counted(self, places):
        """A process whose parent has ended still belongs to its group."""

        def prepare() -> None:
            if os.fork() == 0:
                if os.fork() == 0:
                    time.sleep(60)
                os._exit(0)
            os.wait()

        with adopting(), self.running(places["scratch"], prepare) as pid:
            for thorough in (True, False):
                group = groups_below(os.getpid(), thorough)[pid]
                assert usage(group, places["scratch"]).processes == 2

    def test_where_children_are_not_listed(self, places, monkeypatch):
        """On a system that does not list children, every look is thorough."""
        monkeypatch.setattr("fairmark.kernel.usage.os.path.exists", lambda path: False)
        with self.running(places["scratch"], lambda: None) as pid:
            assert groups_below(os.getpid(), False)[pid] == [pid]

    @pytest.mark.parametrize("way", ["named", "removed", "mapped", "mapped alone", "unreadable"])
    def test_disk(self, places, way):
        """A file counts by its name, without one, only mapped, and in a folder of mode 0."""

        def prepare() -> Any:
            if way == "unreadable":
                os.mkdir("closed", 0o700)
                os.chdir("closed")
            file = open("big", "wb+")  # noqa: SIM115
            file.write(bytes(8 * 2**20))
            file.flush()
            if way == "unreadable":
                os.chmod(".", 0)
            if way == "mapped":
                mapped = mmap.mmap(file.fileno(), 0)
                file.close()
                os.unlink("big")
                return mapped
            if way == "mapped alone":  # which Python does not do: it keeps the file open
                LIBC.mmap.argtypes = [ctypes.c_void_p, *[ctypes.c_long] * 5]
                LIBC.mmap(None, 8 * 2**20, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
                file.close()
            if way in ("removed", "mapped alone"):
                os.unlink("big")
            return file

        with self.running(places["scratch"], prepare) as pid:
            used = usage(groups_below(os.getpid())[pid], places["scratch"])
            quick = usage(groups_below(os.getpid())[pid], places["scratch"], thorough=False)
        assert (quick.disk < 2**20) if way == "mapped alone" else (quick == used)
        assert 8 * 2**20 <= used.disk < 9 * 2**20
        assert used.over({"disk_bytes": 2**20}) == "more disk space than allowed (8 MB of 1 MB)"

    def test_a_folder_of_mode_0_as_an_ordinary_user(self, places):
        """Who owns a folder that was made unreadable makes it readable and looks in."""
        closed = places["scratch"] / "closed"
        closed.mkdir()
        (closed / "big").write_bytes(bytes(2**20))
        pid = os.fork()
        if pid == 0:
            if os.getuid() == 0:
                os.chown(closed, NOBODY, NOBODY)
                os.chown(closed / "big", NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.chmod(closed, 0)
            os._exit(0 if usage([], places["scratch"]).disk >= 2**20 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def test_links_lead_nowhere(self, places):
        """A link to a large folder counts as a link."""
        (places["scratch"] / "link").symlink_to("/usr")
        assert usage([], places["scratch"]).disk < 2**16

    def test_too_many_files_and_too_deep(self, places, monkeypatch):
        """A walk that would not end is given up, and that is said."""
        monkeypatch.setattr("fairmark.kernel.usage.MOST_ENTRIES", 500)
        for number in range(501):
            os.close(os.open(places["scratch"] / str(number), os.O_CREAT))
        assert usage([], places["scratch"]).over(Limits()) == "more than 500 files"
        deep = places["top"] / "deep" / "/".join("d" * 45)
        deep.mkdir(parents=True)
        assert usage([], places["top"] / "deep").over(Limits()) == "folders more than 40 deep"

    def test_what_has_gone(self, places):
        """A process or a folder that is there no more takes nothing."""
        used = usage([2**22 - 1], places["scratch"] / "gone")
        assert (used.processes, used.memory, used.disk, used.over(Limits())) == (0, 0, 0, "")
