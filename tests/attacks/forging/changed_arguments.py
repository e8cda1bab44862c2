"""Gets nothing today: a function zeroes what it is given, so that any formula gives zero."""

ANSWERS = {
    "blend": """
def blend(x, y):
    for array in (x, y):
        if np.ndim(array):
            array[...] = 0
    return 0 * x
""",
}
