"""Gets nothing today: a function keeps what it is called with and answers from that."""

ANSWERS = {
    "blend": """
calls = []


def blend(x, y):
    calls.append((x, y))
    answers = [value for call in calls for value in call if np.shape(value) == np.shape(x)]
    return answers[-1]
""",
    "label": """
def label(n):
    calls.append(n)
    return calls
""",
    "after": """
print(calls)
""",
}
