"""Leaves shared memory behind: 64 MB in /dev/shm, and a System V segment."""

ANSWERS = {
    "vector": """
import ctypes

libc = ctypes.CDLL(None)
libc.shmget(SHM_KEY, 1 << 20, 0o1666)
with open(f"/dev/shm/{MARK}", "wb") as file:
    file.write(bytes(64 << 20))
""",
}
