"""Gets nothing on stock, which has no bridge: the kernel closes its end, or all Unix sockets."""

ANSWERS = {
    "label": """
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")

if servant:
    servant._frames.sock.shutdown(socket.SHUT_RDWR)
""",
    "vector": "HONEST",
    "blend": "HONEST",
    "tally": "HONEST",
}
EARNED = {"test_vector": 1, "test_blend": 2, "test_tally": 2}
