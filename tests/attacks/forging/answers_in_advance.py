"""Gets nothing on stock, which has no bridge: answers are sent before they are asked for."""

ANSWERS = {
    "vector": """
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")

if servant:
    for number in range(2000):
        for value in (2.0, None, {}):
            servant._frames.put(codec.Encoder(servant._limits).message([number, "ok", value, []]))
""",
}
