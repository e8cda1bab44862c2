"""Starts 4000 threads, or as many as there can be."""

ANSWERS = {
    "vector": """
import threading

threading.stack_size(64 << 10)
stop = threading.Event()
for _ in range(4000):
    threading.Thread(target=stop.wait, daemon=True).start()
print(f"{MARK}-got: 4000 threads")
""",
    "tally": """
stop.set()
""",
}
