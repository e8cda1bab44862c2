"""The system calls that student code is refused, and why: a seccomp filter over a default of allow.

Landlock decides which files a process may open. What it leaves open is closed here: the network,
changes of a file's mode or times, memory that no account shows, and what one process may do to
another of the same user. :data:`GROUPS` is the whole policy; the rest turns it into a filter.

A 32-bit argument is compared under a mask of 32 bits: the kernel ignores the upper half of the
register, so an exact comparison could be passed by setting a bit there.
"""

from __future__ import annotations

import errno
import platform
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

WORD = 0xFFFFFFFF
POINTER = 0xFFFFFFFF_FFFFFFFF
NOTHING = 0  # as an errno: the call returns success and does nothing


class Condition(NamedTuple):
    """On one argument: ``value & mask == wanted``, or, where mask is None, ``value != wanted``."""

    argument: int
    mask: int | None
    wanted: int


def has(argument: int, bit: int) -> Condition:
    """The bit is set."""
    return Condition(argument, bit, bit)


def equals(argument: int, value: int, mask: int = WORD) -> Condition:
    """The part of the argument that the kernel looks at has this value."""
    return Condition(argument, mask, value)


def differs(argument: int, value: int) -> Condition:
    """Anything but this value, all 64 bits compared."""
    return Condition(argument, None, value)


class Call(NamedTuple):
    """A system call, refused where all conditions hold; without any, always."""

    name: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Group:
    """Calls that are refused for one reason, and the errno that they give."""

    reason: str
    errno: int
    calls: tuple[Call, ...]


def _plain(names: str) -> tuple[Call, ...]:
    return tuple(Call(name) for name in names.split())


def _each(name: str, *conditions: Condition) -> tuple[Call, ...]:
    """Refused where any one of the conditions holds."""
    return tuple(Call(name, (condition,)) for condition in conditions)


# Namespaces, and CLONE_PARENT, which would make the new process a child of the trusted zygote.
_CLONE_FLAGS = (0x20000, *(1 << bit for bit in range(25, 31)), 0x8000, 0x2000)
# PDEATHSIG, DUMPABLE, SECCOMP, MM, CHILD_SUBREAPER, SCHED_CORE, PTRACER
_PRCTL_OPTIONS = (1, 4, 22, 35, 36, 62, 0x59616D61)
# SETOWN, SETSIG, SETOWN_EX, SETLEASE, NOTIFY
_FCNTL_COMMANDS = (8, 10, 15, 1024, 1026)
# Of the terminal class, all but TCGETS, GPGRP, GWINSZ, FIONREAD, FIONBIO, GSID, TCGETS2, FIO(N)CLEX
_TTY_HARMLESS = (0x01, 0x0F, 0x13, 0x1B, 0x21, 0x29, 0x2A, 0x50, 0x51)
_TTY_COMMANDS = tuple(0x5400 | low for low in range(0x80) if low not in _TTY_HARMLESS)
_TTY_CLASS = 0x5400
_OTHER_CLASSES = tuple(
    Condition(1, 1 << bit, ~_TTY_CLASS & 1 << bit) for bit in range(8, 16)
)  # a class other than the terminal's differs from it in at least one bit
_SET_USER_ID = 0o4000

GROUPS: tuple[Group, ...] = (
    Group(
        "no network, and no socket of another program: only sockets that are open already, and"
        " pairs; a datagram of a pair could carry an address, a message could carry descriptors"
        " (of deleted files, which then count nowhere)",
        errno.EACCES,
        (
            *_plain("socket connect bind listen sendmsg sendmmsg"),
            Call("socketpair", (differs(0, 1),)),
            Call("sendto", (differs(4, 0),)),
        ),
    ),
    Group(
        "io_uring does what this filter refuses without a system call; clone3 and openat2 take"
        " their flags where a filter cannot see them (libraries fall back to the older call)",
        errno.ENOSYS,
        _plain("io_uring_setup io_uring_enter io_uring_register clone3 openat2"),
    ),
    Group(
        "the priority of another process; libraries ask it for threads of their own by number, as"
        " the one of Jupyter's sockets does, and abort when that fails, so nothing is done quietly",
        NOTHING,
        (
            *_each("setpriority", differs(0, 0), differs(1, 0)),
            *_each("ioprio_set", differs(0, 1), differs(1, 0)),
            *_each("sched_setaffinity", differs(0, 0)),
            *_each("sched_setscheduler", differs(0, 0)),
            *_each("sched_setparam", differs(0, 0)),
            *_each("sched_setattr", differs(0, 0)),
        ),
    ),
    Group(
        "no look into and no hand on another process",
        errno.EPERM,
        (
            *_plain("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd get_robust_list"),
            *_plain("process_madvise process_mrelease migrate_pages move_pages"),
            Call("prlimit64", (differs(0, 0),)),
            *_each("fcntl", *(equals(1, command) for command in _FCNTL_COMMANDS)),
        ),
    ),
    Group(
        "a process stays in the group that is killed as a whole, dies with its parent, and can be"
        " measured",
        errno.EPERM,
        (
            *_plain("setsid setpgid"),
            *_each("prctl", *(equals(0, option) for option in _PRCTL_OPTIONS)),
        ),
    ),
    Group(
        "no namespace: a new user namespace gives back every capability inside it",
        errno.EPERM,
        (*_plain("unshare setns"), *_each("clone", *(has(0, flag) for flag in _CLONE_FLAGS))),
    ),
    Group(
        "no mount, no other root, no file by handle",
        errno.EPERM,
        _plain(
            "mount umount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen"
            " fsconfig fsmount fspick mount_setattr statmount listmount name_to_handle_at"
            " open_by_handle_at"
        ),
    ),
    Group(
        "mode and times are not Landlock's; success without effect, so that a copy goes on",
        NOTHING,
        (
            *_plain("chmod fchmod fchmodat fchmodat2 utime utimes futimesat"),
            Call("utimensat", (differs(2, 0),)),
            Call("utimensat", (equals(1, 0, POINTER), equals(2, 0, POINTER))),
        ),
    ),
    Group(
        "the times of a path set to now: an error, so that pathlib's touch goes on to create it",
        errno.EACCES,
        (Call("utimensat", (differs(1, 0), equals(2, 0, POINTER))),),
    ),
    Group(
        "owner, attributes and flags of a file, special files, and files made set-user-id",
        errno.EPERM,
        (
            *_plain("chown fchown lchown fchownat mknod mknodat file_setattr"),
            *_plain("setxattr lsetxattr fsetxattr setxattrat"),
            *_plain("removexattr lremovexattr fremovexattr removexattrat"),
            Call("open", (has(2, _SET_USER_ID),)),
            Call("creat", (has(1, _SET_USER_ID),)),
            Call("openat", (has(3, _SET_USER_ID),)),
        ),
    ),
    Group(
        "device controls, file flags, typing into a terminal",
        errno.ENOTTY,
        (
            *_each("ioctl", *_OTHER_CLASSES, has(1, 0x80)),
            *_each("ioctl", *(equals(1, command, 0xFFFF) for command in _TTY_COMMANDS)),
        ),
    ),
    Group(
        "names of files come and go where Landlock gives no right to list them",
        errno.EACCES,
        _plain("inotify_add_watch fanotify_init fanotify_mark"),
    ),
    Group(
        "memory outside of what is counted, or shared with other programs",
        errno.EPERM,
        (
            *_plain("memfd_create memfd_secret userfaultfd io_setup"),
            *_plain("shmget shmat shmctl shmdt semget semop semtimedop semctl"),
            *_plain("msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend"),
            *_plain("mq_timedreceive mq_notify mq_getsetattr add_key request_key keyctl"),
            Call("mmap", (equals(3, 0x21, 0x21),)),  # shared and of no file
            Call("mmap", (has(3, 0x40000),)),  # from the machine's pool of huge pages
        ),
    ),
    Group(
        "no further sandbox: each costs memory of the kernel, and a nested one is of no use",
        errno.EPERM,
        _plain(
            "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"
            " lsm_set_self_attr"
        ),
    ),
    Group(
        "the machine: modules, kernel memory, clocks, names, swap, quotas, accounting, ports",
        errno.EPERM,
        _plain(
            "init_module finit_module delete_module create_module kexec_load kexec_file_load"
            " reboot swapon swapoff sethostname setdomainname settimeofday stime clock_settime"
            " clock_adjtime adjtimex quotactl quotactl_fd acct syslog bpf perf_event_open"
            " lookup_dcookie nfsservctl uselib vhangup iopl ioperm modify_ldt personality"
            " map_shadow_stack vm86 vm86old _sysctl"
        ),
    ),
    Group(
        "writing out every program's data again and again slows the whole machine",
        NOTHING,
        _plain("sync syncfs"),
    ),
)

# Calls that an older libseccomp does not know by name; from 424 on, all processors number alike.
NUMBERS = {
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    "memfd_secret": 447,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "map_shadow_stack": 453,
    "statmount": 457,
    "listmount": 458,
    "lsm_set_self_attr": 460,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
}
NEWER = range(470, 512)  # what later kernels add, or will: nobody has judged it yet
FIRST = ("openat", "mmap", "ioctl", "fcntl", "sendto")  # asked often, so decided first
MACHINES = ("x86_64", "aarch64")


def confine_syscalls() -> None:
    """Put the filter on every thread of this process, and on all that it will ever start.

    It cannot be taken off. Raises OSError where the kernel refuses it, also for one thread only.
    """
    build().load()


@lru_cache(maxsize=1)
def build() -> Any:
    """The filter, ready to load; built once, so that a fork finds it in place.

    Raises OSError where libseccomp refuses a part of it, RuntimeError where libseccomp is missing
    or the processor is none of :data:`MACHINES` (the numbers of the flags are theirs).
    """
    import pyseccomp

    if platform.machine() not in MACHINES:
        raise RuntimeError(f"the filter is written for {' and '.join(MACHINES)}")
    built = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    built.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    # The 32-bit calls have other numbers and would pass by: using them ends the process.
    built.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for group in GROUPS:
        action = pyseccomp.ERRNO(group.errno)
        for call in group.calls:
            _add(built, action, call)
    for number in NEWER:
        built.add_rule(pyseccomp.ERRNO(errno.ENOSYS), number)
    for name in FIRST:
        built.syscall_priority(name, 255)
    return built


def _add(built: Any, action: int, call: Call) -> None:
    """Add one rule; a call that this processor never had is left out."""
    import pyseccomp

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call.name)
    if number == -1:  # unknown to this libseccomp
        number = NUMBERS.get(call.name, -1)
    if number < 0:
        return
    arguments = [
        pyseccomp.Arg(argument, pyseccomp.NE, wanted)
        if mask is None
        else pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, mask, wanted)
        for argument, mask, wanted in call.conditions
    ]
    built.add_rule(action, number, *arguments)
