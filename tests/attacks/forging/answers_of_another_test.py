"""Gets nothing on stock, which has no bridge: each answer is the one to an earlier question."""

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

    kept = []

    def lie(self, cell, number, operation, args, released):
        answer = [number, "ok", {name: 3.0 for name in args[0]} if operation == "fetch" else 4, []]
        self.kept.append(codec.Encoder(self._limits).message(answer))
        for old in self.kept[-3:]:
            self._frames.put(old)
        self._frames.put(self.kept[-1])


if servant:
    servant.__class__ = Liar
""",
}
