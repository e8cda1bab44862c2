"""What an attack file holds, and how it is found."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLASSES = {
    "silencing": "silencing or rewriting later cells",
    "patching": "patching what tests call",
    "lying": "objects that lie",
    "reading": "reading tests, solutions, marks or other submissions",
    "writing": "writing to them",
    "leaking": "leaking through output, feedback, files",
    "escaping": "escaping from the kernel",
    "starving": "using up what the machine has",
    "forging": "speaking falsely on the bridge and the kernel's channels",
    "tampering": "tampering with the files that are handed in",
}


@dataclass(frozen=True)
class Attack:
    """One way to cheat.

    ``answers`` are typed into the answer cells of those names, or, as ``before`` and ``after``,
    into cells of the student's own at the top and the end; ``HONEST`` stands for right work.
    ``edit`` changes the notebook that is handed in, ``tamper`` the folder. ``earned`` are the
    points of the tests that honest work earned; 0 for the others, but for the second notebook,
    which is right in every submission and is to be graded as such.
    """

    name: str
    kind: str
    stock: str
    answers: dict[str, str] = field(default_factory=dict)
    earned: dict[str, float] = field(default_factory=dict)
    edit: Any = None
    tamper: Any = None


def load_attacks() -> list[Attack]:
    """All attacks, in the order of the classes and of their names."""
    return [load(path) for kind in CLASSES for path in sorted((HERE / kind).glob("*.py"))]


def load(path: Path) -> Attack:
    """The attack in one file; its docstring is what stock nbgrader makes of it."""
    module = importlib.import_module(f"{__package__}.{path.parent.name}.{path.stem}")
    return Attack(
        name=path.stem,
        kind=path.parent.name,
        stock=" ".join((module.__doc__ or "").split()),
        answers=getattr(module, "ANSWERS", {}),
        earned=getattr(module, "EARNED", {}),
        edit=getattr(module, "edit", None),
        tamper=getattr(module, "tamper", None),
    )
