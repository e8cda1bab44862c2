"""Gets to see the hidden tests: hidden in a comment of HTML and in the metadata of an output."""

ANSWERS = {
    "after": """
from IPython.display import HTML, display

stolen = "".join(In)
display(HTML(f"<p>fine</p><!-- {stolen} -->"), metadata={"note": stolen})
display({"application/json": {"stolen": In}, "text/plain": "fine"}, raw=True)
""",
}
