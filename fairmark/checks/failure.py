"""The one exception of a failed check; its text is written for the student."""


class CheckFailed(AssertionError):
    """A check did not pass.

    The message names the quantity, what was got and what shape or property was wanted.
    It never holds the expected value: students read it in their feedback.
    """
