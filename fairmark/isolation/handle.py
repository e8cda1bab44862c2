"""The student's objects as a test cell sees them: each operation is carried out over there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .bridge import Bridge


class Refused(TypeError, AttributeError):
    """A test asked more of a student's object than it may; isinstance and hasattr say False."""


class Handle:
    """A function, class, instance or module of the student; see docs/hidden-tests.md.

    There is one handle for each object while anybody holds it, so ``is`` and ``==`` tell whether
    two are the same object. An error of student code arrives as a StudentError.
    """

    __slots__ = ("__weakref__", "_bridge", "_kind", "_number")
    __array_ufunc__ = None  # so that NumPy leaves arithmetic to Python, which has none for this

    def __init__(self, bridge: Bridge, number: int, kind: str) -> None:
        object.__setattr__(self, "_bridge", bridge)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN:
            return object.__getattribute__(self, name)
        check_name(self, name)
        return ask(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        check_name(self, name)
        ask(self, "setattr", name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise Refused(f"a test cannot delete {name!r} of {self!r}")

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return ask(self, "call", args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        return ask(self, "getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        ask(self, "setitem", key, value)

    def __iter__(self) -> Iterator[Any]:
        return Iteration(ask(self, "iter"))

    def __next__(self) -> Any:
        return ask(self, "next")

    def __len__(self) -> int:
        return ask(self, "len")

    def __bool__(self) -> bool:
        return ask(self, "bool")

    def __repr__(self) -> str:
        return f"<an object of the student ({object.__getattribute__(self, '_kind')})>"

    def __dir__(self) -> NoReturn:
        raise Refused(f"a test cannot list the attributes of {self!r}")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise Refused(f"{self!r} is no array")

    def __copy__(self) -> NoReturn:
        raise Refused(f"a test cannot copy {self!r}")

    def __deepcopy__(self, memo: Any) -> NoReturn:
        raise Refused(f"a test cannot copy {self!r}")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise Refused(f"a test cannot pickle {self!r}")


# isinstance asks for the class; the others are there to say why they do not work
_OWN = {"__class__", "__array__", "__array_ufunc__", "__copy__", "__deepcopy__", "__reduce_ex__"}


class Iteration:
    """The items of a student's object, each asked for when it is needed."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __iter__(self) -> Iteration:
        return self

    def __next__(self) -> Any:
        return next(self._handle)


def ask(handle: Handle, operation: str, *args: Any) -> Any:
    """Have the student's side carry out ``operation`` on the object of ``handle``."""
    return object.__getattribute__(handle, "_bridge").ask(operation, handle, *args)


def number_of(handle: Handle, bridge: Bridge) -> int:
    """The number by which the other side of ``bridge`` knows the object; TypeError for another."""
    if object.__getattribute__(handle, "_bridge") is not bridge:
        raise TypeError("an object of another student cannot be passed to student code")
    return object.__getattribute__(handle, "_number")


def check_name(handle: Handle, name: str) -> None:
    """Refuse ``__globals__`` and the like: how Python keeps an object is no matter of a test."""
    if name.startswith("__") and name.endswith("__"):
        raise Refused(f"a test cannot use {name} of {handle!r}")
