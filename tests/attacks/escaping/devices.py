"""Opens devices of the machine, the disks among them, where nbgrader runs as root."""

ANSWERS = {
    "vector": """
import glob
import os

disks = glob.glob("/dev/[sv]d[a-z]") + glob.glob("/dev/nvme*")
for path in ["/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/net/tun", *disks]:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        print(f"{MARK}-got: {path}")
    except OSError as error:
        print(error)
""",
}
