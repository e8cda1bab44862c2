"""Several steps on an object in one: where it is a student's, each question to it takes time.

What is asked here could be asked by attributes, calls and loops as well, and gives the same, for
the student's objects and for any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from .handle import Handle, ask, check_name


def read(thing: Any, *paths: str) -> list[Any]:
    """The attributes at these paths, such as ``W`` or ``linear1.W``."""
    if type(thing) is not Handle:
        return read_here(thing, paths)
    _check_paths(thing, paths)
    return ask(thing, "read", list(paths))


def write(thing: Any, values: Mapping[str, Any]) -> None:
    """Set the attributes at the paths that are the keys of ``values``, in their order."""
    if type(thing) is not Handle:
        write_here(thing, values)
        return
    _check_paths(thing, values)
    ask(thing, "write", dict(values))


def invoke(thing: Any, method: str, *args: Any, **named: Any) -> Any:
    """Call a method."""
    if type(thing) is not Handle:
        return getattr(thing, method)(*args, **named)
    check_name(thing, method)
    return ask(thing, "invoke", method, args, named)


def items(thing: Any) -> list[Any]:
    """All items of an iterable, which has to come to an end."""
    return ask(thing, "items") if type(thing) is Handle else list(thing)


def read_here(thing: Any, paths: Any) -> list[Any]:
    """:func:`read` of an object of this process."""
    return [attrgetter(path)(thing) for path in paths]


def write_here(thing: Any, values: Mapping[str, Any]) -> None:
    """:func:`write` for an object of this process."""
    for path, value in values.items():
        owner, _, name = path.rpartition(".")
        setattr(attrgetter(owner)(thing) if owner else thing, name, value)


def _check_paths(thing: Handle, paths: Any) -> None:
    for path in paths:
        for name in path.split("."):
            check_name(thing, name)
