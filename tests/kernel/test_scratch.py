"""The folder of a kernel: what is copied into it, and that it can always be removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairmark.kernel import scratch
from fairmark.kernel.scratch import LOCK, copy_files, locked_folder, remove_tree
from tests.kernel.confinement import NOBODY

PLENTY = 10**9


@pytest.fixture
def source(tmp_path) -> Path:
    """A folder as a student hands it in: data, a notebook, and things that are no data."""
    source = tmp_path / "source"
    (source / "data" / "inner").mkdir(parents=True)
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / "old.txt").write_text("old")
    (source / "homework.ipynb").write_text("{}")
    (source / "data" / "table.csv").write_text("1,2")
    (source / "data" / "inner" / "more.bin").write_bytes(bytes(1000))
    return source


@pytest.fixture
def target(tmp_path) -> Path:
    """Where files are copied to."""
    target = tmp_path / "target"
    target.mkdir()
    return target


def files(folder: Path) -> set[str]:
    """The names of all files below ``folder``."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


class TestCopy:
    """Which files a kernel finds."""

    def test_files(self, source, target):
        """Files are copied with their folders, notebooks and checkpoints are not."""
        assert copy_files(source, target, PLENTY) == []
        assert files(target) == {"data/table.csv", "data/inner/more.bin"}
        assert (target / "data" / "table.csv").read_text() == "1,2"

    def test_no_ordinary_files(self, source, target, tmp_path):
        """Links to files and folders, pipes and sockets are left out, which one line says."""
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "hidden.txt").write_text("the hidden test")
        (source / "to_file").symlink_to(secret / "hidden.txt")
        (source / "to_folder").symlink_to(secret)
        (source / "data" / "broken").symlink_to("nowhere")
        os.mkfifo(source / "pipe")
        notices = copy_files(source, target, PLENTY)
        assert files(target) == {"data/table.csv", "data/inner/more.bin"}
        assert notices == [
            "not in the kernel's folder (no ordinary file): data/broken, pipe, to_file, to_folder"
        ]

    def test_too_many_bytes(self, source, target):
        """What does not fit is left out, and said; what fits is copied."""
        notices = copy_files(source, target, 10)
        assert files(target) == {"data/table.csv"}
        assert notices == ["not in the kernel's folder (too much to copy): data/inner/more.bin"]

    def test_too_many_files(self, source, target, monkeypatch):
        """Of more files than are copied, some names are said and the number of the others."""
        monkeypatch.setattr(scratch, "MOST_FILES", 3)
        for number in range(9):
            (source / f"{number}.txt").touch()
        (notice,) = copy_files(source, target, PLENTY)
        assert len(files(target)) == 3
        assert notice.startswith("not in the kernel's folder (too much to copy): ")
        assert notice.endswith(" and 4 more")

    def test_a_folder_that_is_not_there(self, target, tmp_path):
        """There is nothing to copy then."""
        assert copy_files(tmp_path / "nothing", target, PLENTY) == []
        assert files(target) == set()


class TestLockedFolder:
    """The folder of a zygote."""

    def test_locked(self, tmp_path, monkeypatch):
        """It is new, and nobody else gets its lock."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        folder = locked_folder()
        assert folder.parent == tmp_path
        assert [path.name for path in folder.iterdir()] == [LOCK]
        with open(folder / LOCK) as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def deep(top: Path) -> None:
    """Folders inside each other, far deeper than a path can be long."""
    parent = os.open(top, os.O_DIRECTORY)
    for _ in range(3000):
        os.mkdir("folder", dir_fd=parent)
        inner = os.open("folder", os.O_DIRECTORY, dir_fd=parent)
        os.close(parent)
        parent = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=parent))
    os.close(parent)


def without_rights(top: Path) -> None:
    """Folders with files in them that may not be listed, entered or changed."""
    for mode in (0o000, 0o100, 0o200, 0o400, 0o500):
        inner = top / f"{mode:o}" / "inner"
        inner.mkdir(parents=True)
        (inner / "file").touch(0o000)
        inner.chmod(mode)
        inner.parent.chmod(mode)
    top.chmod(0o000)


def odd_names(top: Path) -> None:
    """Names that look like options, or are no text; a link to a folder outside; a pipe."""
    for name in (b"-rf", b"--help", b"new\nline", b"\xff\xfe", b"*"):
        Path(os.fsdecode(bytes(top) + b"/" + name)).mkdir()
    (top / "link").symlink_to(top.parent / "outside")
    os.mkfifo(top / "pipe")


def _as_nobody(function: Callable[[], None]) -> int:
    """The exit code of a fork that runs ``function`` as an ordinary user; 1 where it raises."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            if os.getuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            function()
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def anybody() -> Iterator[Path]:
    """A folder in which anybody may make others."""
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


class TestRemoval:
    """Whatever student code has made, it goes."""

    @pytest.mark.parametrize("make", [deep, without_rights, odd_names])
    def test_as_ordinary_user(self, anybody, make):
        """A folder is removed by its owner who is not root, with everything in it."""
        top = anybody / "top"

        def make_and_remove() -> None:
            (anybody / "outside").mkdir()
            (anybody / "outside" / "file").touch()
            top.mkdir()
            make(top)
            remove_tree(top)

        assert _as_nobody(make_and_remove) == 0
        assert not top.exists()
        assert (anybody / "outside" / "file").exists()

    @pytest.mark.parametrize("make", [deep, without_rights, odd_names])
    def test_as_this_user(self, tmp_path, make):
        """A folder is removed by whoever runs this."""
        top = tmp_path / "top"
        top.mkdir()
        make(top)
        remove_tree(top)
        assert not top.exists()

    def test_nothing_there(self, tmp_path):
        """Where there is nothing, nothing happens."""
        remove_tree(tmp_path / "nothing")
        assert list(tmp_path.iterdir()) == []
