"""Gets nothing on stock, which has no bridge: arrays have sizes, types, bytes that none has."""

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

    told = 0

    def lie(self, cell, number, operation, args, released):
        import msgpack
        forms = [["|O", (1,), True, bytes(8)], ["<f8", (2**62, 4), True, b""],
                 ["<f8", (-1,), True, bytes(8)], ["<U1", (1,), True, b"\xff" * 4],
                 ["|b1", (1,), True, b"\x07"], ["<f8", (3,), True, bytes(9)],
                 ["<f8", (3,) * 40, True, b""], ["<M8[as]", (), True, bytes(8)]]
        self.told += 1
        form = forms[self.told % len(forms)]
        array = codec.Encoder(self._limits).message(form)
        array = msgpack.ExtType(12, array[2:6]), array[6:]
        good = codec.Encoder(self._limits).message([number, "ok", None, []])
        self._frames.put(good.replace(b"\xc0", msgpack.packb(array[0]) + array[1]))


if servant:
    servant.__class__ = Liar
""",
}
