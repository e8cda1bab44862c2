"""Gets nothing on stock, which has no bridge: a servant answers each question as suits best."""

ANSWERS = {
    "vector": """
import socket
import sys

servant = getattr(get_ipython().kernel, "servant", None)
codec = sys.modules.get("fairmark.isolation.codec")


class Agreeing(type(servant)):
    def _answer(self, number, operation, args, *more):
        values = {"len": 3, "bool": True, "fetch": {name: 2.0 for name in (args or [[]])[0]}}
        encoder = codec.Encoder(self._limits)
        return encoder.message([number, "ok", values.get(operation, 2.0), []])

    def serve(self):
        import select
        first, self._over = self._first, self._first.cell
        if first.operation == "end":
            return
        self._frames.put(self._answer(*first[1:4]))
        while select.select([self._frames.sock], [], [], 2)[0] and self._frames.fill():
            while frame := self._frames.take():
                asked = codec.decode(frame, self._limits, lambda number: None).value
                if asked[2] == "end":
                    return
                self._frames.put(self._answer(asked[1], asked[2], asked[3]))


if servant:
    servant.__class__ = Agreeing
""",
}
