"""Gets nothing today: an array that changes at each read until one fits."""

ANSWERS = {
    "vector": """
class Guess:
    reads = 0

    def __len__(self):
        Guess.reads += 1
        return 3

    def __iter__(self):
        while True:
            Guess.reads += 1
            yield Guess.reads

    def __getitem__(self, index):
        Guess.reads += 1
        return Guess.reads

    def __array__(self, dtype=None, copy=None):
        return np.array([self[0], self[1], self[2]], dtype=float)


scaled = Guess()
""",
}
