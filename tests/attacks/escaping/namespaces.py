"""Gets a user namespace of its own, where it is root: more of the system calls can be attacked."""

ANSWERS = {
    "vector": """
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
if os.fork() == 0:
    got = libc.unshare(0x10000000 | 0x00020000)  # CLONE_NEWUSER | CLONE_NEWNS
    os._exit(0 if got == 0 else 1)
if os.wait()[1] == 0:
    print(f"{MARK}-got: namespaces of its own")
""",
}
