"""System calls that are tried for real and refused."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import multiprocessing.shared_memory
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyseccomp
import pytest

from fairmark.kernel import syscalls
from tests.kernel.confinement import (
    LIBC,
    NOBODY,
    PARENT,
    Confined,
    call,
    in_a_child,
    refused,
)


class TestNetwork:
    """Nothing goes out, nothing comes in, but on sockets that were open before."""

    @pytest.mark.parametrize("kind", ["path", "abstract"])
    def test_a_listening_unix_socket(self, confined, places, kind):
        """A program that listens on the same machine cannot be reached."""
        address = str(places["scratch"] / "s") if kind == "path" else f"\0fairmark-{PARENT}"
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(address)
            server.listen()
            assert refused(confined(lambda: client.connect(address)))
            assert refused(confined(lambda: socket.socket(socket.AF_UNIX).connect(address)))

    @pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
    def test_internet(self, confined, kind):
        """Neither TCP nor UDP, with a new socket or with one that was left open."""
        with socket.socket(socket.AF_INET, kind) as server, socket.socket(type=kind) as left:
            server.bind(("127.0.0.1", 0))
            address = server.getsockname()
            assert refused(confined(lambda: socket.socket(socket.AF_INET, kind).connect(address)))
            assert refused(confined(lambda: left.connect(address)))
            assert refused(confined(lambda: left.bind(("127.0.0.1", 0))))
            assert refused(confined(lambda: left.listen()))
            assert refused(confined(lambda: left.sendto(b"x", address)))

    def test_a_datagram_through_a_pair(self, confined, places):
        """A pair of datagram sockets cannot address the log of the system, say."""
        address = str(places["scratch"] / "log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(address)
            os.chmod(address, 0o777)

            def send() -> int:
                return socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b"x", address)

            assert refused(confined(send))

    def test_descriptors_in_a_message(self, confined):
        """No file is passed on in a message, where nobody could count it."""

        def send() -> int:
            return socket.send_fds(socket.socketpair()[0], [b"x"], [0])

        assert refused(confined(send))

    def test_pairs_and_waiting_connections_work(self, confined, places):
        """A pair carries data, and a socket that listens already takes connections."""
        address = str(places["scratch"] / "kernel")
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(address)
            server.listen()
            client.connect(address)
            client.send(b"hello")

            def talk() -> str:
                one, other = socket.socketpair()
                one.send(server.accept()[0].recv(5))
                return other.recv(5).decode()

            assert confined(talk) == "hello"


class TestOtherProcesses:
    """Nothing can be done to a process outside, and none can slip out of the group."""

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda: os.kill(PARENT, 0),
            lambda: os.kill(PARENT, signal.SIGCONT),
            lambda: os.killpg(os.getpgid(PARENT), signal.SIGCONT),
            lambda: signal.pidfd_send_signal(os.pidfd_open(PARENT), signal.SIGCONT),
            lambda: call("rt_sigqueueinfo", PARENT, signal.SIGCONT, 0),
            lambda: call("ptrace", 16, PARENT, 0, 0),
            lambda: call("process_vm_readv", PARENT, 0, 0, 0, 0, 0),
            lambda: call("pidfd_getfd", os.pidfd_open(PARENT), 0, 0),
            lambda: call("kcmp", PARENT, PARENT, 0, 0, 0),
            lambda: resource.prlimit(PARENT, 7),
            lambda: call("migrate_pages", PARENT, 0, 0, 0),
            lambda: os.setsid(),
            lambda: os.setpgid(0, os.getpgid(PARENT)),
            lambda: in_a_child(os.setsid),
            lambda: in_a_child(lambda: os.setpgid(0, 0)),
        ],
    )
    def test_a_hand_on_the_parent(self, places, attempt):
        """Signals, tracing, limits and groups of others are refused."""
        outcome = Confined(places["scratch"])(attempt)
        assert refused(outcome) or (isinstance(outcome, OSError) and outcome.errno == errno.EFAULT)

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda: os.setpriority(os.PRIO_PROCESS, PARENT, 19),
            lambda: os.setpriority(os.PRIO_PGRP, os.getpgid(PARENT), 19),
            lambda: os.setpriority(os.PRIO_USER, 0, 19),
            lambda: os.sched_setaffinity(PARENT, {0}),
            lambda: os.sched_setscheduler(PARENT, os.SCHED_BATCH, os.sched_param(0)),
            lambda: call("ioprio_set", 1, PARENT, 3 << 13),
        ],
    )
    def test_the_priority_of_the_parent(self, places, attempt):
        """Success is reported, since libraries ask for it, and nothing is changed."""

        def state() -> tuple:
            return (
                os.getpriority(os.PRIO_PROCESS, PARENT),
                os.sched_getaffinity(PARENT),
                os.sched_getscheduler(PARENT),
                call("ioprio_get", 1, PARENT),
            )

        before = state()
        assert not Confined(places["scratch"])(attempt)
        assert state() == before

    def test_a_signal_through_a_descriptor(self, confined):
        """A descriptor cannot be set to send its signals to somebody else."""
        reader, writer = os.pipe()
        try:
            assert refused(confined(lambda: fcntl.fcntl(reader, fcntl.F_SETOWN, PARENT)))
            assert refused(confined(lambda: call("fcntl", reader, 0x1_0000_0008, PARENT)))
        finally:
            os.close(reader)
            os.close(writer)

    @pytest.mark.parametrize("option", [1, 4, 22, 36, 0x1_0000_0001, 0x59616D61])
    def test_prctl(self, confined, option):
        """The signal at the parent's death, and what makes a process visible, cannot be set."""
        assert refused(confined(lambda: call("prctl", option, 0, 0, 0, 0)))

    def test_the_signal_at_the_death_of_the_parent_stays(self, confined):
        """Trying to clear it leaves it as it was."""

        def clear() -> int:
            LIBC.prctl(1, 0, 0, 0, 0)
            value = ctypes.c_int()
            LIBC.prctl(2, ctypes.byref(value), 0, 0, 0)
            return value.value

        assert confined(clear) == signal.SIGKILL

    @pytest.mark.parametrize("flag", [0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x8000])
    def test_namespaces(self, confined, flag):
        """Neither clone nor unshare makes a namespace, and no child for the parent."""
        assert refused(confined(lambda: call("unshare", flag)))
        assert refused(confined(lambda: call("clone", flag | signal.SIGCHLD, 0, 0, 0, 0)))
        assert confined(lambda: call("clone3", 0, 0)).errno == errno.ENOSYS


class TestMachine:
    """What belongs to the machine, and memory that would not be counted."""

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda: call("memfd_create", id(0), 0),
            lambda: call("shmget", 0, 4096, 0o1600),
            lambda: call("semget", 0, 1, 0o1600),
            lambda: call("msgget", 0, 0o1600),
            lambda: call("mq_open", 0, 0o100, 0o600, 0),
            lambda: call("add_key", 0, 0, 0, 0, -3),
            lambda: call("userfaultfd", 0),
            lambda: call("io_setup", 1, 0),
            lambda: mmap.mmap(-1, 4096),
            lambda: multiprocessing.shared_memory.SharedMemory(create=True, size=8),
            lambda: call("io_uring_setup", 1, 0),
            lambda: call("bpf", 0, 0, 0),
            lambda: call("perf_event_open", 0, 0, 0, 0, 0),
            lambda: call("mount", 0, 0, 0, 0, 0),
            lambda: call("open_tree", -100, 0, 0),
            lambda: call("landlock_create_ruleset", 0, 0, 1),
            lambda: call("seccomp", 0, 0, 0),
            lambda: call("personality", 0),
            lambda: call("syslog", 2, 0, 0),
            lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
            lambda: socket.sethostname("x"),
        ],
    )
    def test_refused(self, confined, attempt):
        """Shared memory, further sandboxes and the machine's settings are refused."""
        assert refused(confined(attempt))

    def test_the_32_bit_calls(self, places):
        """A call by the 32-bit entry, where numbers differ, ends the process."""
        if platform.machine() != "x86_64":  # the machine code below is for that
            bad = syscalls.build().get_attr(pyseccomp.Attr.ACT_BADARCH)
            assert bad == pyseccomp.KILL_PROCESS
            return

        def old_entry() -> int:
            code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20 (getpid); int 0x80; ret
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            page = mmap.mmap(-1, 4096, flags=flags, prot=7)
            page.write(code)
            return ctypes.CFUNCTYPE(ctypes.c_int)(
                ctypes.addressof(ctypes.c_char.from_buffer(page))
            )()

        for attempt in (old_entry, lambda: call(0x40000000 + 39)):  # and getpid of x32
            with pytest.raises(AssertionError, match="without an answer"):
                Confined(places["scratch"])(attempt)

    def test_no_capability_and_none_to_gain(self, confined):
        """No capability is left, for a program that it starts neither."""
        program = (
            "import ctypes; h = (ctypes.c_uint32 * 2)(0x20080522, 0); d = (ctypes.c_uint32 * 6)();"
            "ctypes.CDLL(None).capget(h, d); print(list(d), ctypes.CDLL(None).prctl(39, 0, 0, 0,0))"
        )

        def ask() -> str:
            if not os.access(sys.executable, os.X_OK):  # where the environment is a private one
                header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
                LIBC.capget(header, data)
                return f"{list(data)} {LIBC.prctl(39, 0, 0, 0, 0)}"
            command = [sys.executable, "-I", "-c", program]
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()

        assert confined(ask) == "[0, 0, 0, 0, 0, 0] 1"

    def test_a_set_user_id_program_gains_nothing(self, places):
        """A program with the set-user-id bit runs as the user that started it."""
        if os.getuid() != 0:
            assert Confined(places["scratch"])(lambda: LIBC.prctl(39, 0, 0, 0, 0)) == 1
            return
        program = places["scratch"] / "id"
        program.write_bytes(Path("/usr/bin/id").read_bytes())
        program.chmod(0o4755)

        def run() -> str:
            return subprocess.run(["./id", "-u"], capture_output=True, text=True).stdout.strip()

        assert Confined(places["scratch"], NOBODY)(run) == str(NOBODY)

    def test_threads_are_confined(self, places):
        """The filter holds for threads that run when it comes, and for later ones."""

        def in_threads() -> list[bool]:
            seen: list[bool] = []

            def attempt() -> None:
                try:
                    socket.socket()
                    seen.append(False)
                except PermissionError:
                    seen.append(True)

            later = threading.Thread(target=attempt)
            later.start()
            later.join()
            return seen

        assert Confined(places["scratch"])(in_threads) == [True]
        go, seen = threading.Event(), []

        def early() -> None:
            go.wait()
            try:
                socket.socket()
            except PermissionError:
                seen.append(True)

        pid = os.fork()
        if pid == 0:
            thread = threading.Thread(target=early)
            thread.start()
            syscalls.confine_syscalls()
            go.set()
            thread.join()
            os._exit(0 if seen == [True] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


class TestList:
    """The list itself."""

    def test_every_call_has_a_number(self):
        """No name in the list is misspelt: each is known here or belongs to another machine."""
        for group in syscalls.GROUPS:
            for name in {one.name for one in group.calls} - set(syscalls.NUMBERS):
                assert pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) != -1, name
