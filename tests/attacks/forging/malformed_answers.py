"""Gets nothing on stock, which has no bridge: answers are no messages, or of wrong types."""

ANSWERS = {
    "vector": r"""
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

    lies = [b"", b"\xc1", b"\xff" * 999, b"\x93\x01\x02", b"\x80", b"\xc7\x04\x14" + b"\xff" * 4]
    told = 0

    def lie(self, cell, number, operation, args, released):
        good = codec.Encoder(self._limits).message([number, "ok", None, []])
        lies = [*self.lies, good + good, good[:-1], good.replace(b"ok", b"OK"), b""]
        self.told += 1
        self._frames.put(lies[self.told % len(lies)])


if servant:
    servant.__class__ = Liar
""",
}
