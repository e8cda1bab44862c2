"""Gets the points of `blend`: it replies to the request that is still running, then waits."""

ANSWERS = {
    "blend": """
import time


def blend(x, y):
    kernel = get_ipython().kernel
    parent = kernel.get_parent("shell")
    content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    kernel.session.send(kernel.shell_stream, "execute_reply", content, parent,
                        ident=kernel._parent_ident["shell"])
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent,
                        ident=b"status")
    time.sleep(2)
    return 0
""",
}
