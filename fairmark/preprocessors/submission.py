"""What was handed in, read so that every file ends in a mark and, where need be, one log line."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from glob import escape, glob
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import NbGraderException
from sqlalchemy.engine import make_url
from traitlets import Integer

from fairmark.isolation.execute import IsolatedExecute
from fairmark.kernel.launcher import LaunchError
from fairmark.kernel.provisioner import WarmProvisioner

from .beside import odd_files, wrong_timestamp
from .reading import Unreadable, read_submission


class SubmissionExporter(NotebookExporter):
    """The exporter of ``nbgrader autograde``: reads any file, and checks a run before it starts.

    nbgrader makes one when a run starts, when it has listed the submissions and graded none.
    """

    max_bytes = Integer(
        20_000_000, help="Size of a notebook file above which it is not read and scores 0."
    ).tag(config=True)

    def __init__(self, config: Any = None, **kw: Any) -> None:
        super().__init__(config=config, **kw)
        if hasattr(self.parent, "coursedir") and hasattr(self.parent, "assignments"):
            self._check_run()

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """The notebook text after the preprocessors; a file that holds none counts as empty."""
        path = Path(filename)
        resources = ResourcesDict() if resources is None else resources
        resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
        notes: list[str] = []
        if not path.is_symlink() and not path.exists():
            notebook = _empty("No file of this name was handed in.")  # nbgrader has said so
        else:
            try:
                notebook, notes = read_submission(path, self.max_bytes)
            except Unreadable as error:
                notes = [f"cannot be read and scores 0: {error}. Ask for a new file, grade again"]
                notebook = _empty(f"The file that was handed in cannot be read: {error}.")
        if isinstance(resources.get("nbgrader"), dict):
            resources["nbgrader"]["notes"] = notes
            resources["nbgrader"]["originals"] = self._originals(resources["nbgrader"])
            resources["nbgrader"]["hidden"] = self._hidden()
        output, resources = self.from_notebook_node(notebook, resources=resources, **kw)
        notes = (resources.get("nbgrader") or {}).get("notes", notes)
        if notes:
            self.log.warning(f"{os.path.relpath(filename)}: {'; '.join(notes)}.")
        return output, resources

    def _originals(self, names: dict[str, Any]) -> list[Path]:
        """Where the course keeps the notebook that was handed out, the likeliest place first."""
        course = getattr(self.parent, "coursedir", None)
        if course is None:
            return []
        steps = (course.release_directory, course.source_directory)
        folders = (course.format_path(step, ".", names["assignment"]) for step in steps)
        return [Path(folder, f"{names['notebook']}.ipynb") for folder in folders]

    def _hidden(self) -> list[Path]:
        """What student code must not see: the course, all of it."""
        course = getattr(self.parent, "coursedir", None)
        return [Path(course.root).resolve()] if course else []

    def _check_run(self) -> None:
        course = self.parent.coursedir
        assignment = course.assignment_id
        missing = (
            f"{assignment} is not in the gradebook: "
            f"run `nbgrader generate_assignment {assignment}` first"
        )
        database = make_url(course.db_url)
        if database.get_backend_name() == "sqlite" and not Path(database.database or "").exists():
            self._fail(missing)  # a Gradebook would make an empty one
        with Gradebook(course.db_url, course.course_id) as gradebook:
            try:
                expected = {nb.name for nb in gradebook.find_assignment(assignment).notebooks}
            except MissingEntry:
                expected = set()
            known = {student.id for student in gradebook.students}
        if not expected:
            self._fail(missing)
        self._prepare_kernels(expected)
        for student in _without_folder(course):
            self.log.warning(f"{student} handed in no folder {assignment}: not graded")
        self._look_beside()
        new = sorted(set(map(self._student, self.parent.assignments)) - known)
        if new:
            self.log.warning(f"not in the gradebook yet, graded all the same: {', '.join(new)}")
        self._expect(expected)

    def _prepare_kernels(self, notebooks: set[str]) -> None:
        """Have the processes that kernels are forked from get warm, all at the same time.

        Ends the run before it starts where it would need a sandbox that this system lacks.
        """
        course = self.parent.coursedir
        if IsolatedExecute not in self.parent.autograde_preprocessors:
            return
        try:
            WarmProvisioner(config=self.config, hidden=self._hidden()).check()
        except LaunchError as error:
            self._fail(str(error))
        for name in sorted(fnmatch.filter(notebooks, course.notebook_id)):
            names = {"assignment": course.assignment_id, "notebook": name}
            IsolatedExecute(parent=self).warm_up(self._originals(names))

    def _look_beside(self) -> None:
        """Have nbgrader leave out what is no ordinary file, and submissions that would stop it."""
        for folder in sorted(self.parent.assignments):
            student = self._student(folder)
            wrong = wrong_timestamp(Path(folder))
            if wrong:
                del self.parent.assignments[folder]
                self.log.error(
                    f"{student}: not graded, timestamp.txt is wrong: {wrong}; "
                    "correct or remove it, then grade again"
                )
                continue
            odd = odd_files(Path(folder))
            self.parent.coursedir.ignore += [escape(str(path)) for path in odd]
            if odd:
                names = ", ".join(path.name for path in odd[:4])
                self.log.warning(f"{student}: left out, no ordinary files: {names}")

    def _fail(self, message: str) -> None:
        self.log.error(message)
        raise NbGraderException(message)

    def _student(self, folder: str) -> str:
        course = self.parent.coursedir
        pattern = course.format_path(
            course.submitted_directory, "(?P<student>.*)", course.assignment_id, escape=True
        )
        match = re.match(pattern, folder)
        return match["student"] if match else folder

    def _expect(self, expected: set[str]) -> None:
        """Where no notebook of a submission has a known name, list the ones that are missing.

        nbgrader would give the submission up with a traceback; with these it scores it with 0.
        """
        wanted = sorted(
            name for name in expected if fnmatch.fnmatch(name, self.parent.coursedir.notebook_id)
        )
        for folder, files in self.parent.assignments.items():
            if not {Path(file).stem for file in files} & expected:
                names = ", ".join(sorted(Path(file).name for file in files))
                self.log.warning(
                    f"{self._student(folder)}: none of {names} is a notebook of "
                    f"{self.parent.coursedir.assignment_id}; all of it scores 0 until renamed"
                )
                files += [str(Path(folder, f"{name}.ipynb")) for name in wanted]


def _without_folder(course: Any) -> Iterator[str]:
    """The students whose folder lacks the one of the assignment."""
    path = Path(course.format_path(course.submitted_directory, course.student_id, "?"))
    if path.name != "?":
        return  # another directory structure: a student's folder is not above the assignment's
    for folder in sorted(map(Path, glob(str(path.parent)))):
        if folder.is_dir() and not (folder / course.assignment_id).is_dir():
            yield folder.name


def _empty(reason: str) -> NotebookNode:
    text = f"**{reason}** It counts as an empty notebook."
    return new_notebook(cells=[new_markdown_cell(text, id="not-readable")])
