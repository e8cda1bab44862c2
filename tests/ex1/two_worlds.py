"""A notebook graded as with a grader process, inside this one process: two worlds, one bridge.

Answer cells run in the student's namespace, test cells in the grader's, and locked cells in both
where the grader's side knows every name that they load. What a test cell takes from the student
follows docs/hidden-tests.md: data come as copies, all else as a :class:`Handle`. A test that does
more on a handle than it may raises :class:`RuleBroken` here, though it passes in one namespace.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import symtable
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
import torch
from nbformat import NotebookNode

from fairmark.notebooks import Role, grade_id, role_of

from .variants import Variant, changed_source

SIMPLE = (type(None), bool, int, float, complex, Fraction, Decimal, str, bytes)
Sent = dict[int, tuple[Any, Any]]  # by id: the grader's array or tensor, and the student's copy


class RuleBroken(BaseException):
    """A test reached for more than it may; no ``except Exception`` of a check hides it."""


class Handle:
    """An object of the student as a test cell sees it: only what is defined here works on it."""

    __slots__ = ("_thing",)
    __hash__ = None

    def __init__(self, thing: Any) -> None:
        object.__setattr__(self, "_thing", thing)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):  # isinstance asks for __class__
            _refuse(f"{name} of a student's object: isinstance, copy, NumPy, or the test itself")
        return to_grader(getattr(_inside(self), name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") and name.endswith("__"):
            _refuse(f"setting {name} of a student's object")
        setattr(_inside(self), name, to_student(value, {}))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        sent: Sent = {}
        theirs = [to_student(value, sent) for value in args]
        named = {name: to_student(value, sent) for name, value in kwargs.items()}
        try:
            return to_grader(_inside(self)(*theirs, **named))
        finally:
            _bring_back(sent)

    def __getitem__(self, key: Any) -> Any:
        return to_grader(_inside(self)[to_student(key, {})])

    def __setitem__(self, key: Any, value: Any) -> None:
        _inside(self)[to_student(key, {})] = to_student(value, {})

    def __iter__(self) -> Iterator[Any]:
        return map(to_grader, _inside(self))

    def __len__(self) -> int:
        return len(_inside(self))

    def __bool__(self) -> bool:
        return bool(_inside(self))

    def __eq__(self, other: object) -> NoReturn:
        _refuse("== on a student's object")

    def __delattr__(self, name: str) -> NoReturn:
        _refuse(f"deleting {name} of a student's object")


def _inside(handle: Handle) -> Any:
    return object.__getattribute__(handle, "_thing")


def _refuse(what: str) -> NoReturn:
    raise RuleBroken(f"docs/hidden-tests.md does not allow this: {what}")


def to_grader(value: Any) -> Any:
    """``value`` of the student as it arrives at the grader: a copy of data, else a handle."""
    if type(value) in (list, tuple, set):
        return type(value)(map(to_grader, value))
    if type(value) is dict:
        return {to_grader(key): to_grader(item) for key, item in value.items()}
    return _copy(value) if _is_flat_data(value) else Handle(value)


def to_student(value: Any, sent: Sent) -> Any:
    """``value`` of the grader as it arrives at the student; ``sent`` notes what may be changed.

    Raises :class:`RuleBroken` for an object of the grader that is no data.
    """
    if type(value) is Handle:
        return _inside(value)
    if type(value) in (list, tuple, set):
        return type(value)(to_student(item, sent) for item in value)
    if type(value) is dict:
        return {to_student(key, sent): to_student(item, sent) for key, item in value.items()}
    if type(value) is slice:  # in the brackets of an item
        return slice(*(to_student(end, sent) for end in (value.start, value.stop, value.step)))
    if not _is_flat_data(value):
        _refuse(f"handing {value!r} of the grader to the student")
    if id(value) not in sent:
        sent[id(value)] = value, _copy(value)
    return sent[id(value)][1]


def _is_flat_data(value: Any) -> bool:
    if isinstance(value, np.ndarray | np.generic):
        return not value.dtype.hasobject
    return type(value) in SIMPLE or isinstance(value, np.random.Generator | torch.Tensor)


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        twin = value.detach().clone().requires_grad_(value.requires_grad)
        twin.grad = value.grad.clone() if value.is_leaf and value.grad is not None else None
        return twin
    return np.array(value) if isinstance(value, np.ndarray) else copy.deepcopy(value)


def _bring_back(sent: Sent) -> None:
    """Make the changes in place that the student's side made in what it was ``sent``."""
    for mine, theirs in sent.values():
        if isinstance(mine, torch.Tensor):
            mine.data.copy_(theirs.detach())
        elif isinstance(mine, np.ndarray) and mine.flags.writeable:
            mine[...] = theirs


def loaded(source: str) -> tuple[set[str], set[str]]:
    """The names that the cell ``source`` looks up as globals, and those it defines itself."""
    top = symtable.symtable(source, "cell", "exec")
    used, tables = set(), [top]
    for table in tables:  # grows as nested functions are met
        tables.extend(table.get_children())
        read = (s for s in table.get_symbols() if s.is_referenced())
        used |= {s.get_name() for s in read if table is top or s.is_global()}
    own = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    return used - set(dir(builtins)), own


def lost_in_two_worlds(notebook: NotebookNode, variant: Variant) -> set[str]:
    """The tests that ``variant`` loses; names that a test cell sets stay with the grader."""
    student, grader = {"__name__": "__main__", "In": [""]}, {"__name__": "grader"}
    lost = set()
    for cell in notebook.cells:
        role, name = role_of(cell), grade_id(cell) or cell.id
        if role is Role.TEST and not _passes(cell.source, name, student, grader):
            lost.add(name)
        if role is Role.GIVEN:
            used, own = loaded(cell.source)
            if used - own <= grader.keys():
                _run(cell.source, name, grader)
        if role in (Role.GIVEN, Role.ANSWER):
            source = changed_source(cell.source, variant.cells.get(name, []))
            student["In"].append(source)
            with contextlib.suppress(Exception):  # as in a kernel, the next cell runs all the same
                _run(source, name, student)
    return lost


def _passes(source: str, name: str, student: dict[str, Any], grader: dict[str, Any]) -> bool:
    wanted = (loaded(source)[0] & student.keys()) - grader.keys()
    theirs = {key: to_grader(student[key]) for key in wanted}
    grader.update(theirs)
    try:
        _run(source, name, grader)
    except Exception:
        return False
    else:
        return True
    finally:
        for key, value in theirs.items():  # the next cell asks anew
            if grader.get(key) is value:
                del grader[key]


def _run(source: str, name: str, names: dict[str, Any]) -> None:
    exec(compile(source, f"<{name}>", "exec", dont_inherit=True), names)
