"""Gets a point for each test that fails: a number is sent in place of the error."""

ANSWERS = {
    "vector": """
session = get_ipython().kernel.session
send = session.send


def better(stream, kind, content=None, *more, **named):
    if kind == "error":
        kind, content = "execute_result", {"data": {"text/plain": "1.0"}, "metadata": {},
                                           "execution_count": 1}
    elif kind == "execute_reply":
        content = {**content, "status": "ok"}
    return send(stream, kind, content, *more, **named)


session.send = better
""",
    "label": """
def label(n):
    raise ValueError
""",
    "after": """
session.send = send
""",
}
