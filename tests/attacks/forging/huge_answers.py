"""Gets nothing on stock, which has no bridge: an answer says that it is 4 GB long."""

ANSWERS = {
    "vector": """
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")


class Liar(type(servant)):
    def serve(self):
        import select
        first, self._over = self._first, self._first.cell
        if first.operation == "end":
            return
        self.lie(*first[:4], [])
        while select.select([self._frames.sock], [], [], 2)[0] and self._frames.fill():
            while frame := self._frames.take():
                asked = codec.decode(frame, self._limits, lambda number: None).value
                if asked[2] == "end":
                    return
                self.lie(*asked)

    def lie(self, cell, number, operation, args, released):
        self._frames.sock.sendall((0xFFFFFFFF if cell % 2 else 60_000_000).to_bytes(4, "big"))
        for _ in range(600):
            self._frames.sock.sendall(bytes(100_000))


if servant:
    servant.__class__ = Liar
""",
}
