"""What travels between the coordinator and the workers.

A :class:`Kit` goes to each worker once, pickled, for it comes from the coordinator alone. A
:class:`Task` and its :class:`Outcome` are data, and nothing in them is code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgpack
from traitlets.config import Config


@dataclass(frozen=True)
class Kit:
    """What a worker needs to grade an assignment; nothing in it tells of a student or a database.

    ``sources`` are the instructor's notebooks by name, ``files`` what lies beside them; ``steps``
    are the preprocessors that run in the worker, ``config`` their traits, ``told`` what each would
    ask the gradebook about a notebook; ``hidden`` the folders that student code must not see,
    where the worker has them; ``doors`` where zygotes are warm already on the coordinator's host.
    """

    version: str
    assignment: str
    sources: dict[str, bytes]
    files: dict[str, bytes]
    steps: list[str]
    config: Config
    told: dict[str, dict[str, Any]]
    hidden: list[str]
    doors: dict[tuple[str, ...], str]


class _Packed:
    """Data classes that become bytes and come back."""

    def pack(self) -> bytes:
        """As bytes."""
        return msgpack.packb(asdict(self))

    @classmethod
    def unpack(cls, data: bytes) -> Any:
        """Out of what :meth:`pack` gave."""
        return cls(**msgpack.unpackb(data))


@dataclass(frozen=True)
class Task(_Packed):
    """A notebook to grade.

    ``data`` is the file as it was handed in, None where there is none; ``unreadable`` says why it
    was not read; ``files`` are those handed in beside it. With ``not_run`` its cells are not run,
    for that reason.
    """

    student: str
    notebook: str
    data: bytes | None
    files: dict[str, bytes] = field(default_factory=dict)
    unreadable: str = ""
    not_run: str = ""

    def weaker(self, reason: str) -> Task | None:
        """The next best that can be done with a notebook that ends every worker: first without
        running it, so that written answers are kept, then without reading it."""
        if self.data is None:
            return None
        if not self.not_run:
            return replace(self, not_run=reason)
        return replace(self, data=None, unreadable=reason)


@dataclass(frozen=True)
class Outcome(_Packed):
    """A graded notebook as text, what was logged on the way, and the CPU seconds that it took.

    A line of ``log`` is a level of the logging module and a text; ``spent`` has the seconds by
    kind of process.
    """

    text: bytes
    log: list[tuple[int, str]]
    spent: dict[str, float]


def name_of(step: type) -> str:
    """The name by which a preprocessor travels."""
    return f"{step.__module__}.{step.__qualname__}"
