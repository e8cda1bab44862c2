"""What a test cell sees when student code fails, when the student's side is gone, or time is up."""

from __future__ import annotations

import builtins
import re

MESSAGE = 2000  # characters
NAME = 60
# They end loops and programs, or take other arguments than a message.
_NEVER = {
    "StopIteration",
    "StopAsyncIteration",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeTranslateError",
    "BaseExceptionGroup",
    "ExceptionGroup",
}


class StudentError(Exception):
    """An error that student code raised; the builtin exception of its kind is a base as well."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # a KeyError would show it quoted


class Gone(BaseException):
    """The student's side does not answer, or not in words that can be read.

    No ``except Exception`` of a check goes on after it; nor after :class:`TimedOut`.
    """


class TimedOut(BaseException):
    """The time for a test cell is up."""


def student_error(name: str, bases: list[str], message: str) -> StudentError:
    """An error of a class called ``name``, whose first builtin base among ``bases`` is its own.

    The names are the student's to choose: no class is looked up but those of Python itself.
    """
    name = re.sub(r"[^0-9A-Za-z_]", "_", name)[:NAME]
    found = (_builtin_error(base) for base in bases)
    base = next((kind for kind in found if kind is not None), None)
    parents = (StudentError,) if base in (None, Exception) else (StudentError, base)
    # "builtins", so that a traceback shows the name alone
    kind = type(name if name.isidentifier() else "Error", parents, {"__module__": "builtins"})
    return kind(message[:MESSAGE])


def _builtin_error(name: str) -> type[Exception] | None:
    kind = None if name in _NEVER else getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None
