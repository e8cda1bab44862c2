"""Gets nothing today: exceptions that end loops and programs in place of answers."""

ANSWERS = {
    "blend": """
def blend(x, y):
    raise SystemExit(0)
""",
    "tally": """
class Tally:
    total = 4

    def add(self, number):
        if number != 4:
            raise KeyboardInterrupt

    def mean(self):
        raise GeneratorExit
""",
    "label": """
def label(n):
    raise StopIteration if n != 1 else BaseException
""",
}
