"""Gets nothing on stock, which has no bridge: answers are nested, or have colliding keys."""

ANSWERS = {
    "vector": r"""
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")


class Liar(type(servant)):
    def serve(self, cell=0):
        import select
        while select.select([self._frames.sock], [], [], 2)[0] and self._frames.fill():
            while frame := self._frames.take():
                asked = codec.decode(frame, self._limits, lambda number: None).value
                if asked[2] == "end":
                    return
                self.lie(*asked)

    def lie(self, cell, number, operation, args, released):
        head = codec.Encoder(self._limits).message([number, "ok"])[:6].replace(b"\x02", b"\x04")
        good = codec.Encoder(self._limits).message([number, "ok", None, []])
        one = b"\xd6\x14" + (1).to_bytes(4, "big")  # a list of one item, of one item, ...
        nest = good.replace(b"\xc0", one * 300_000 + b"\xc0")
        keys = {key * (2**61 - 1): 0 for key in range(100_000)}
        if cell % 2:
            nest = codec.Encoder(self._limits).message([number, "ok", keys, []])
        self._frames.put(nest)


if servant:
    servant.__class__ = Liar
""",
}
