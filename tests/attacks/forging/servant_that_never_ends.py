"""Gets nothing on stock, which has no bridge: the servant does not come back at all."""

ANSWERS = {
    "label": """
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")

import signal
import time


class Deaf(type(servant)):
    def serve(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            time.sleep(1)


if servant:
    servant.__class__ = Deaf
raise NotImplementedError
""",
    "vector": "HONEST",
    "blend": "HONEST",
    "tally": "HONEST",
}
EARNED = {"test_vector": 1, "test_blend": 2, "test_tally": 2}
