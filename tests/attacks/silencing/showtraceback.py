"""Gets nothing today: no traceback is shown any more."""

ANSWERS = {
    "vector": """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *arguments, **named: None
""",
}
