"""Reads the hidden test from the request that the kernel is working on, and prints it later."""

ANSWERS = {
    "blend": """
stolen = []


def blend(x, y):
    stolen.append(get_ipython().get_parent())
    stolen.append(get_ipython().kernel.get_parent("shell"))
    return 0
""",
    "after": """
print(stolen)
""",
}
