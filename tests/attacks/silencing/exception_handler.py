"""Gets nothing today: a handler that swallows every exception."""

ANSWERS = {
    "vector": """
get_ipython().set_custom_exc((BaseException,), lambda *arguments, **named: None)
""",
}
