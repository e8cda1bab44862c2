"""Gets to see the hidden tests: a thread prints them while another cell runs."""

ANSWERS = {
    "vector": """
import threading
import time


def later():
    time.sleep(0.5)
    for _ in range(40):
        print([text[::-1] for text in In])
        time.sleep(0.1)


threading.Thread(target=later, daemon=True).start()
""",
    "after": """
time.sleep(2)
""",
}
