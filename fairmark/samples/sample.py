"""A sample student: what the submission looks like, and which marks are fair for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fairmark.notebooks import Role, grade_id, role_of

from .submission import Assignment, Submission

EVERYTHING = frozenset({"*"})


@dataclass(frozen=True)
class Sample:
    """A student named by what they did.

    ``build`` makes the submission. ``loses`` gives, by notebook, the tests that are lost.
    ``known_mistake`` marks those of a list that holds each declared mistake once.
    """

    name: str
    build: Callable[[Assignment], Submission]
    loses: Mapping[str, frozenset[str] | set[str]] = field(default_factory=dict)
    known_mistake: bool = False

    def fair_marks(self, assignment: Assignment) -> dict[str, float]:
        """The points of each notebook that this sample should get."""
        marks = {}
        for name, source in assignment.sources.items():
            lost = self.loses.get(name, frozenset())
            tests = [cell for cell in source.cells if role_of(cell) is Role.TEST]
            unknown = lost - {grade_id(cell) for cell in tests} - EVERYTHING
            if unknown:
                raise ValueError(f"sample {self.name}: {name} has no test {sorted(unknown)}")
            kept = [c for c in tests if lost != EVERYTHING and grade_id(c) not in lost]
            marks[name] = sum(float(cell.metadata.nbgrader.points) for cell in kept)
        return marks


def write_class(samples: list[Sample], assignment: Assignment, submitted: Path) -> None:
    """Write the submission of every sample to ``submitted``/STUDENT/ASSIGNMENT."""
    for sample in samples:
        sample.build(assignment).write(submitted / sample.name / assignment.name)
