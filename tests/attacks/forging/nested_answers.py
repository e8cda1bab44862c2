"""Gets nothing on stock, which has no bridge: answers are nested, or have colliding keys."""

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

    def lie(self, cell, number, operation, args, released):
        good = codec.Encoder(self._limits).message([number, "ok", None, []])
        one = b"\xd6\x14" + (1).to_bytes(4, "big")  # a list of one item, of one item, ...
        nest = one * 300_000 + b"\xc0"
        if cell % 2:  # a dict whose keys share a hash, written as the list of its items
            items = [part for key in range(100_000) for part in (key * (2**61 - 1), 0)]
            nest = b"\xd6\x16" + codec.Encoder(self._limits).message(items)[2:]
        nest = good.replace(b"\xc0", nest)
        self._frames.sock.sendall(len(nest).to_bytes(4, "big") + nest)


if servant:
    servant.__class__ = Liar
""",
}
