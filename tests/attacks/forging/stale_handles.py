"""Gets nothing on stock, which has no bridge: answers refer to objects that never were."""

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
        things = iter([(7, "function"), (2**63 - 1, "int"), (7, "x" * 60), (0, "")])
        refer = lambda thing: next(things, (7, "function"))
        value = {"len": 3, "bool": True}.get(operation, object())
        if operation == "fetch":
            value = {name: object() for name in args[0]}
        self._frames.put(codec.Encoder(self._limits, refer).message([number, "ok", value, []]))


if servant:
    servant.__class__ = Liar
""",
}
