"""What the workers get of a course, once: see :class:`fairmark.autograde.parcel.Kit`."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import OverwriteCells, OverwriteKernelspec, SaveAutoGrades
from nbgrader.utils import find_all_files
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from fairmark import __version__
from fairmark.isolation.execute import IsolatedExecute
from fairmark.kernel.launcher import launcher_for
from fairmark.kernel.provisioner import WarmProvisioner
from fairmark.preprocessors.before_run import hidden_from_students, originals
from fairmark.preprocessors.gradebook import AsksGradebook
from fairmark.preprocessors.submission import SubmissionExporter

from .parcel import Kit, name_of

NEED_GRADEBOOK = (OverwriteCells, OverwriteKernelspec)


class UnfitStep(Exception):
    """A preprocessor of the configuration cannot run in a worker; one line that says which."""


def make_kit(converter: Autograde, gradebook: Gradebook, local: bool) -> Kit:
    """The kit for the assignment that ``converter`` grades.

    With ``local`` workers, the zygotes of this process are offered to them. Raises
    :class:`UnfitStep`.
    """
    course = converter.coursedir
    assignment = course.assignment_id
    steps = steps_of_workers(converter)
    asking = [step for step in steps if issubclass(step, AsksGradebook)]
    sources: dict[str, bytes] = {}
    told: dict[str, dict[str, Any]] = {name_of(step): {} for step in asking}
    for notebook in gradebook.find_assignment(assignment).notebooks:
        if fnmatch.fnmatch(notebook.name, course.notebook_id):
            found = originals(course, assignment, notebook.name)
            for step in asking:
                told[name_of(step)][notebook.name] = step.look_up(notebook, found)
            there = [path for path in reversed(found) if path.is_file()]
            if there:
                sources[notebook.name] = there[0].read_bytes()
    return Kit(
        version=__version__,
        assignment=assignment,
        sources=sources,
        files={name: path.read_bytes() for name, path in files_of(converter).items()},
        steps=list(map(name_of, steps)),
        config=_config_for(steps, converter.config),
        told=told,
        hidden=[str(path) for path in hidden_from_students(course)],
        doors=_doors(converter, list(sources)) if local else {},
    )


def steps_of_workers(converter: Autograde) -> list[type]:
    """The preprocessors up to the first that writes to the gradebook."""
    sanitize = list(map(_class, converter.sanitize_preprocessors))
    for step in sanitize:
        if issubclass(step, NEED_GRADEBOOK) and not issubclass(step, AsksGradebook):
            raise UnfitStep(
                f"c.Autograde.sanitize_preprocessors: {step.__name__} opens the gradebook, which "
                "workers do not have; fairmark.preprocessors.SANITIZE has one that does not"
            )
    return [*sanitize, *_split(converter)[0]]


def steps_of_coordinator(converter: Autograde) -> list[type]:
    """The preprocessors from the first that writes to the gradebook."""
    return _split(converter)[1]


def files_of(converter: Autograde) -> dict[str, Path]:
    """The assignment's own files but notebooks, by their path in the assignment's folder.

    They replace what a student handed in under the same name, as in nbgrader.
    """
    course = converter.coursedir
    folder = course.format_path(course.source_directory, ".", course.assignment_id)
    left = set(converter.exclude_overwriting.get(course.assignment_id, []))
    found = files_below(folder, course.ignore)
    return {name: path for name, path in found.items() if name not in left}


def files_below(folder: str | Path, ignore: list[str]) -> dict[str, Path]:
    """The files that nbgrader copies beside the notebooks in ``folder``, by their path in it."""
    paths = find_all_files(str(folder), [*ignore, "*.ipynb"])
    return {os.path.relpath(path, folder): Path(path) for path in sorted(paths)}


def _split(converter: Autograde) -> tuple[list[type], list[type]]:
    steps = list(map(_class, converter.autograde_preprocessors))
    saving = [i for i, step in enumerate(steps) if issubclass(step, SaveAutoGrades)]
    first = saving[0] if saving else len(steps)
    return steps[:first], steps[first:]


def _class(step: Any) -> type:
    found = import_item(step) if isinstance(step, str) else step
    if not isinstance(found, type):
        raise UnfitStep(f"{found!r} is no preprocessor class, and cannot be sent to a worker")
    return found


def _config_for(steps: list[type], config: Config) -> Config:
    """The sections of ``config`` that the steps read: no other may hold a password."""
    classes = [*steps, SubmissionExporter, WarmProvisioner]
    names = {base.__name__ for one in classes for base in one.__mro__}
    return Config({name: config[name] for name in names if name in config})


def _doors(converter: Autograde, notebooks: list[str]) -> dict[tuple[str, ...], str]:
    """Where workers get forks of the zygotes that this process has started."""
    course = converter.coursedir
    doors = {}
    for step in _split(converter)[0]:
        if issubclass(step, IsolatedExecute):
            for name in notebooks:
                found = originals(course, course.assignment_id, name)
                modules = step(parent=converter).warm_up(found)
                doors[tuple(modules)] = str(launcher_for(modules).door)
    return doors
