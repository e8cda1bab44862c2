"""In a worker: a notebook is read, made sound, run and tested; bytes in, bytes out.

The same preprocessors do it that ``nbgrader autograde`` uses, up to the first that writes to the
gradebook. A worker has no gradebook, no course folder, and no file of another student.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import pickle
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairmark import __version__
from fairmark.kernel.launcher import spent, use_doors
from fairmark.kernel.scratch import locked_folder, remove_tree
from fairmark.preprocessors.gradebook import AsksGradebook
from fairmark.preprocessors.submission import SubmissionExporter

from .parcel import Kit, Outcome, Task, name_of


class WrongVersion(RuntimeError):
    """The worker has another version of this package than the coordinator."""


def grade(kit: bytes, task: bytes) -> bytes:
    """Grade one notebook: a packed :class:`Task` in, a packed :class:`Outcome` out.

    Raises where the worker cannot grade; what a student's notebook does never raises.
    """
    return bench_for(kit).grade(Task.unpack(task)).pack()


_benches: dict[str, Bench] = {}


def bench_for(kit: bytes) -> Bench:
    """The bench of this worker for the assignment in ``kit``, set up at the first call."""
    key = hashlib.sha256(kit).hexdigest()
    if key not in _benches:
        _close_benches()  # of an earlier run
        _benches[key] = Bench(pickle.loads(kit))
    return _benches[key]


@atexit.register
def _close_benches() -> None:
    while _benches:
        _benches.popitem()[1].close()


class Bench:
    """An assignment laid out in a folder of this worker, with the preprocessors to grade it."""

    def __init__(self, kit: Kit) -> None:
        if kit.version != __version__:
            raise WrongVersion(
                f"this worker has fairmark {__version__}, the coordinator {kit.version}"
            )
        self.kit = kit
        self.folder = locked_folder()
        self.source = self.folder / "source"
        _write(self.source, kit.files)
        _write(self.source, {f"{name}.ipynb": text for name, text in kit.sources.items()})
        use_doors(kit.doors)
        self.log = Collector()
        self.exporter = SubmissionExporter(config=kit.config, log=self.log.logger)
        self.exporter.log = self.log.logger
        for step in kit.steps:
            self.exporter.register_preprocessor(step)
        for step in self.exporter._preprocessors:
            if isinstance(step, AsksGradebook):
                step.told = kit.told[name_of(type(step))]
        self._reported = _spent()

    def grade(self, task: Task) -> Outcome:
        """The graded notebook of ``task``."""
        self.log.lines.clear()
        with TemporaryDirectory(dir=self.folder, prefix="submission-") as folder:
            place = Path(folder)
            _write(place, task.files)
            self._lay_out_beside(place)
            path = place / f"{task.notebook}.ipynb"
            if task.data is not None:
                path.write_bytes(task.data)
            text = self._convert(task, path)
        return Outcome(text.encode(), list(self.log.lines), self._newly_spent())

    def _convert(self, task: Task, path: Path) -> str:
        resources = {"nbgrader": self._names(task)}
        if task.unreadable:
            text, _ = self.exporter.from_unreadable(task.unreadable, path, resources)
        else:
            text, _ = self.exporter.from_filename(str(path), resources)
        return text

    def _names(self, task: Task) -> dict[str, Any]:
        return {
            "student": task.student,
            "assignment": self.kit.assignment,
            "notebook": task.notebook,
            "label": task.notebook,
            "originals": [self.source / f"{task.notebook}.ipynb"],
            "hidden": [*map(Path, self.kit.hidden), self.folder],
            "not_run": task.not_run,
        }

    def _lay_out_beside(self, place: Path) -> None:
        """Put the assignment's files into ``place``, in place of a student's of the same name."""
        for name in self.kit.files:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            os.link(self.source / name, target)

    def _newly_spent(self) -> dict[str, float]:
        """CPU seconds since this was last asked; those of other processes once they ended."""
        before, self._reported = self._reported, _spent()
        return {name: total - before.get(name, 0.0) for name, total in self._reported.items()}

    def close(self) -> None:
        """Remove the folder."""
        with contextlib.suppress(OSError):
            remove_tree(self.folder)


class Collector(logging.Handler):
    """Keeps the warnings that a grading run logs, for the coordinator to say whose they are."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[tuple[int, str]] = []
        self.logger = logging.Logger("fairmark.autograde", logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.lines.append((record.levelno, record.getMessage()))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _spent() -> dict[str, float]:
    """CPU seconds of this process, and of what it had forked, by kind of process."""
    return {"worker": time.process_time()} | spent()
