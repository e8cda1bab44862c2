"""Gets to see the hidden tests in base 64, past any filter that looks for their text."""

ANSWERS = {
    "after": """
import base64

for text in In:
    print(base64.b64encode(text.encode()).decode())
    print(text.encode().hex())
    print(text[::-1])
""",
}
