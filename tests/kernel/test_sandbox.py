"""The sandbox: which files and how much, and what is asked before a fork."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import sandlock

from fairmark.kernel import sandbox, syscalls
from fairmark.kernel.sandbox import SandboxUnavailable
from tests.kernel.confinement import (
    LIBC,
    PARENT,
    Confined,
    call,
    call_number,
    refused,
)


class TestFiles:
    """What Landlock keeps: all but the environment and the scratch folder."""

    @pytest.mark.parametrize(
        "path",
        [
            "/etc/shadow",
            "/etc/passwd",
            "/proc/parent/environ",
            "/proc/parent/mem",
            "/proc/parent/maps",
            "/proc/parent/cmdline",
            "/proc/self/environ",
            "/proc/1/status",
            "/dev/zero",
            "/dev/ptmx",
        ],
    )
    def test_reading_a_file_of_the_system(self, places, path):
        """A file that is no part of the environment cannot be read, by root neither."""
        path = path.replace("parent", str(PARENT))
        assert refused(Confined(places["scratch"])(lambda: os.open(path, os.O_RDONLY)))

    @pytest.mark.parametrize("mode", ["r", "w", "a", "r+"])
    def test_opening_the_secret(self, confined, places, mode):
        """A file of the course can be opened in no mode, and stays as it is."""
        assert refused(confined(lambda: open(places["secret"], mode).close()))
        assert places["secret"].read_text() == "the hidden test"

    @pytest.mark.parametrize("folder", ["/tmp", "/", "/proc", "/etc", "/dev"])
    def test_listing(self, places, folder):
        """A folder that is not granted cannot be listed."""
        assert refused(Confined(places["scratch"])(lambda: os.listdir(folder)))

    def test_links_out_of_the_scratch_folder(self, confined, places):
        """A symbolic link leads no further than the path it stands for, a hard one is refused."""
        secret = places["secret"]

        def through_a_symlink() -> str:
            os.symlink(secret, "link")
            return Path("link").read_text()

        assert refused(confined(through_a_symlink))
        for attempt in (
            lambda: os.link(secret, "hard"),
            lambda: os.rename(secret, "stolen"),
            lambda: os.rename("link", places["course"] / "planted"),
            lambda: os.truncate(secret, 0),
            lambda: os.unlink(secret),
            lambda: os.mkdir(places["course"] / "new"),
            lambda: os.symlink("/", places["course"] / "new"),
        ):
            outcome = confined(attempt)
            assert refused(outcome) or outcome.errno == errno.EXDEV
        assert os.listdir(places["course"]) == ["hidden.txt"]
        assert secret.read_text() == "the hidden test"

    @pytest.mark.parametrize(
        "name",
        ["chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimensat", "futimens", "touch"],
    )
    def test_mode_and_times_stay(self, confined, places, name):
        """Changing mode or times outside of the scratch folder has no effect."""
        if os.getuid() == 0:
            os.chown(places["secret"], confined.uid or 0, -1)
        before = places["secret"].stat()
        path = ctypes.create_string_buffer(os.fsencode(places["secret"]))
        attempts = {
            "chmod": lambda: os.chmod(places["secret"], 0),
            "fchmodat": lambda: call("fchmodat", -100, ctypes.addressof(path), 0),
            "fchmodat2": lambda: call("fchmodat2", -100, ctypes.addressof(path), 0, 0),
            "utime": lambda: os.utime(places["secret"], (1, 1)),
            "utimensat": lambda: call("utimensat", -100, ctypes.addressof(path), 0, 0),
            "touch": places["secret"].touch,
            "futimens": lambda: call("utimensat", left_open.fileno(), 0, 0, 0),
            "fchmod": lambda: os.fchmod(left_open.fileno(), 0),
        }
        with open(places["secret"]) as left_open:
            confined(attempts[name])
        after = places["secret"].stat()
        assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda: os.chown("a", os.getuid(), os.getgid()),
            lambda: os.setxattr("a", "user.note", b"x"),
            lambda: os.mkfifo("fifo"),
            lambda: os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
            lambda: os.open("suid", os.O_CREAT | os.O_WRONLY, 0o4777),
            lambda: call("inotify_add_watch", LIBC.inotify_init(), id(0), 0),
            lambda: call("fanotify_init", 0, 0),
            lambda: call("openat2", 0, 0, 0, 0),
            lambda: call("open_by_handle_at", 0, 0, 0),
            lambda: call("file_setattr", 0, 0, 0, 0, 0),
            lambda: os.chroot("."),
        ],
    )
    def test_what_else_can_be_done_to_files(self, confined, attempt):
        """Owners, attributes, special files, watches and handles are refused."""
        Path(confined.scratch, "a").touch()
        assert refused(confined(attempt))

    def test_flags_of_a_file(self, confined):
        """The controls of file systems and terminals are refused, asking for a terminal is not."""

        def set_flags() -> None:
            with open(os.__file__, "rb") as file:
                fcntl.ioctl(file, 0x40086602, bytes(8))  # FS_IOC_SETFLAGS

        assert refused(confined(set_flags)) or confined.uid
        for command in (0x5412, 0x1_0000_5412, 0x541C, 0x40049409, 0x8901):
            assert confined(lambda value=command: call("ioctl", 0, value, 0)).errno == errno.ENOTTY

    def test_controls_that_pass(self, confined):
        """Of all controls only those pass that ask, or concern the descriptor itself."""

        def passing() -> list[int]:
            numbers = ctypes.c_long(call_number("ioctl"))
            seen = []
            for command in range(0x10000):
                LIBC.syscall(numbers, ctypes.c_long(-1), ctypes.c_long(command), ctypes.c_long(0))
                if ctypes.get_errno() != errno.ENOTTY:
                    seen.append(command & 0xFF if command >> 8 == 0x54 else command)
            return seen

        assert confined(passing) == list(syscalls._TTY_HARMLESS)


class TestLimits:
    """What a process may take by itself."""

    def test_memory(self, confined):
        """More memory than allowed is a MemoryError, and there is room up to there."""

        def fill() -> list[str]:
            seen = []
            for size in (300, 700):
                try:
                    seen.append(f"{len(np.ones(size * 2**17)) // 2**17}")
                except MemoryError:
                    seen.append("MemoryError")
            return seen

        assert confined(fill) == ["300", "MemoryError"]

    def test_a_large_file(self, confined):
        """A file over the limit is an OSError."""

        def write() -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            with open("large", "wb") as file:
                return file.write(bytes(2 * sandbox.MEGABYTE))

        assert confined(write).errno == errno.EFBIG

    def test_limits_cannot_be_raised(self, confined):
        """The hard limit is the soft one."""

        def raise_it() -> None:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
            except ValueError as error:
                raise OSError(errno.EPERM, str(error)) from error

        assert refused(confined(raise_it))

    def test_open_files(self, confined):
        """There are as many files as allowed."""

        def open_many() -> None:
            list(map(os.dup, [0] * 300))

        assert confined(open_many).errno == errno.EMFILE


class TestBefore:
    """What the trusted side asks before it forks."""

    def test_check_leaves_no_trace(self):
        """Trying the sandbox out confines nothing that goes on."""
        sandbox.check.cache_clear()
        sandbox.check()
        status = Path("/proc/self/status").read_text()
        assert "\nNoNewPrivs:\t0\n" in status
        assert "\nSeccomp:\t0\n" in status

    @pytest.mark.parametrize(
        ("abi", "message"),
        [(4, "Landlock ABI 6 is needed .* this kernel has 4"), (-1, "Landlock is off")],
    )
    def test_an_older_kernel(self, monkeypatch, abi, message):
        """What is missing is named in one line."""
        sandbox.check.cache_clear()
        monkeypatch.setattr(sandlock, "landlock_abi_version", lambda: abi)
        with pytest.raises(SandboxUnavailable, match=message):
            sandbox.check()

    def test_other_systems(self, monkeypatch):
        """Where there is no Linux, that is said, and no path is made up."""
        sandbox.check.cache_clear()
        monkeypatch.setattr(sys, "platform", "darwin")
        assert sandbox.python_paths() == []
        with pytest.raises(SandboxUnavailable, match="not Linux"):
            sandbox.check()

    def test_without_libseccomp(self, monkeypatch):
        """A missing library is named."""
        sandbox.check.cache_clear()

        def missing() -> None:
            raise RuntimeError("Unable to find libseccomp")

        monkeypatch.setattr(syscalls, "build", missing)
        with pytest.raises(SandboxUnavailable, match=r"libseccomp\.so\.2 was not found"):
            sandbox.check()

    def test_a_system_that_forbids_it(self, monkeypatch):
        """What is there but refused, as in some containers, is found by trying."""
        sandbox.check.cache_clear()

        def refuse() -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(sandbox, "_load_a_filter", refuse)
        with pytest.raises(SandboxUnavailable, match="seccomp is there but refused"):
            sandbox.check()

    def test_paths(self, monkeypatch, tmp_path):
        """The environment is granted; the current folder, checkouts and homes are not."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
        paths = sandbox.python_paths()
        real = Path(os.path.realpath(sys.executable))
        assert any(real.is_relative_to(path) for path in paths)
        for hidden in (tmp_path, Path.home(), Path("/etc"), Path("/proc"), Path("/tmp"), Path("/")):
            assert not any(hidden.is_relative_to(path) for path in paths)
        checkout = Path(sandbox.__file__)
        assert not any(checkout.is_relative_to(path) for path in paths)

    def test_a_readable_course(self, tmp_path):
        """A course in a readable folder is refused, an environment in a course is not."""
        course = tmp_path / "course"
        (course / ".venv").mkdir(parents=True)
        (tmp_path / "link").symlink_to(tmp_path)
        sandbox.refuse_if_exposed([course], [course / ".venv", tmp_path / "cours"])
        for readable in (course, tmp_path, tmp_path / "link"):
            with pytest.raises(SandboxUnavailable, match="must stay hidden"):
                sandbox.refuse_if_exposed([course], [readable])
