"""Before ``nbgrader autograde`` grades anything: what is wrong is said, what is odd left out."""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Iterator
from glob import escape, glob
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from traitlets.utils.importstring import import_item

from fairmark.isolation.execute import IsolatedExecute
from fairmark.kernel.launcher import LaunchError
from fairmark.kernel.provisioner import WarmProvisioner

from .beside import Wrong, odd_files, time_in


def prepare_run(converter: Autograde, log: Any, kernels: bool = True) -> None:
    """Check that ``converter`` can grade what it has listed, and complete its list.

    With ``kernels``, which are then to run on this machine, have it get ready for them. Raises
    :class:`NbGraderException`, once the one line that says why is in ``log``.
    """
    Preparation(converter, log, kernels).run()


def originals(course: CourseDirectory, assignment: str, notebook: str) -> list[Path]:
    """Where ``course`` keeps a notebook that it handed out, the likeliest place first."""
    steps = (course.release_directory, course.source_directory)
    folders = (course.format_path(step, ".", assignment) for step in steps)
    return [Path(folder, f"{notebook}.ipynb") for folder in folders]


def hidden_from_students(course: CourseDirectory) -> list[Path]:
    """What student code must not see: the course, all of it."""
    return [Path(course.root).resolve()]


class TolerantCourse(CourseDirectory):
    """A course in which a ``timestamp.txt`` that cannot be read counts as none.

    nbgrader would end the run for it, and wait for ever where it is a pipe.
    """

    def get_existing_timestamp(self, dest_path: str) -> datetime.datetime | None:
        """When a submission was handed in, or None."""
        try:
            return time_in(Path(dest_path))
        except Wrong:
            return None


class Preparation:
    """What is done for one run."""

    def __init__(self, converter: Autograde, log: Any, kernels: bool) -> None:
        self.converter = converter
        self.course = converter.coursedir
        self.log = log
        self.kernels = kernels

    def run(self) -> None:
        """All of it, in an order in which the first error ends the run with nothing written."""
        expected, known = self._in_gradebook()
        if self.kernels:
            self._prepare_kernels(expected)
        for student in self._without_folder():
            self.log.warning(
                f"{student} handed in no folder {self.course.assignment_id}: not graded"
            )
        self._look_beside()
        new = sorted(set(map(self._student, self.converter.assignments)) - known)
        if new:
            some = ", ".join(new[:4]) + (f" and {len(new) - 4} more" if len(new) > 4 else "")
            self.log.warning(f"not in the gradebook yet, graded all the same: {some}")
        self._expect(expected)

    def _in_gradebook(self) -> tuple[set[str], set[str]]:
        """The notebooks of the assignment, and the students, that the gradebook knows."""
        assignment = self.course.assignment_id
        missing = (
            f"{assignment} is not in the gradebook: "
            f"run `nbgrader generate_assignment {assignment}` first"
        )
        database = make_url(self.course.db_url)
        if database.get_backend_name() == "sqlite" and not Path(database.database or "").exists():
            self._fail(missing)  # a Gradebook would make an empty one
        with Gradebook(self.course.db_url, self.course.course_id) as gradebook:
            try:
                expected = {nb.name for nb in gradebook.find_assignment(assignment).notebooks}
            except MissingEntry:
                expected = set()
            known = {student.id for student in gradebook.students}
        if not expected:
            self._fail(missing)
        return expected, known

    def _prepare_kernels(self, notebooks: set[str]) -> None:
        """Have the processes that kernels are forked from get warm, all at the same time.

        Ends the run where it would need a sandbox that this system lacks.
        """
        if not any(map(_is_isolated, self.converter.autograde_preprocessors)):
            return
        config = self.converter.config
        try:
            WarmProvisioner(config=config, hidden=hidden_from_students(self.course)).check()
        except LaunchError as error:
            self._fail(str(error))
        for name in sorted(fnmatch.filter(notebooks, self.course.notebook_id)):
            found = originals(self.course, self.course.assignment_id, name)
            IsolatedExecute(parent=self.converter).warm_up(found)

    def _look_beside(self) -> None:
        """Have nbgrader leave out what is no ordinary file, and go without a wrong timestamp."""
        for folder in sorted(map(Path, self.converter.assignments)):
            student = self._student(str(folder))
            odd = odd_files(folder)
            self.course.ignore += [escape(str(path)) for path in odd]
            if odd:
                names = ", ".join(path.name for path in odd[:4])
                self.log.warning(f"{student}: left out, no ordinary files: {names}")
            try:
                time_in(folder)
            except Wrong as error:
                self.log.warning(f"{student}: timestamp.txt {error}: graded as if not late")
                self._tolerate()

    def _tolerate(self) -> None:
        if not isinstance(self.course, TolerantCourse):
            same = {
                name: getattr(self.course, name) for name in self.course.trait_names(config=True)
            }
            self.course = TolerantCourse(parent=self.converter.parent, **same)
            self.converter.coursedir = self.course

    def _fail(self, message: str) -> None:
        self.log.error(message)
        raise NbGraderException(message)

    def _student(self, folder: str) -> str:
        pattern = self.course.format_path(
            self.course.submitted_directory,
            "(?P<student>.*)",
            self.course.assignment_id,
            escape=True,
        )
        match = re.match(pattern, folder)
        return match["student"] if match else folder

    def _expect(self, expected: set[str]) -> None:
        """Where no notebook of a submission has a known name, list the ones that are missing.

        nbgrader would give the submission up with a traceback; with these it scores it with 0.
        """
        wanted = sorted(fnmatch.filter(expected, self.course.notebook_id))
        for folder, files in self.converter.assignments.items():
            if not {Path(file).stem for file in files} & expected:
                names = ", ".join(sorted(Path(file).name for file in files))
                self.log.warning(
                    f"{self._student(folder)}: none of {names} is a notebook of "
                    f"{self.course.assignment_id}; all of it scores 0 until renamed"
                )
                files += [str(Path(folder, f"{name}.ipynb")) for name in wanted]

    def _without_folder(self) -> Iterator[str]:
        """The students whose folder lacks the one of the assignment."""
        course = self.course
        path = Path(course.format_path(course.submitted_directory, course.student_id, "?"))
        if path.name != "?":
            return  # another directory structure: a student's folder is not above that
        for folder in sorted(map(Path, glob(str(path.parent)))):
            if folder.is_dir() and not (folder / course.assignment_id).is_dir():
                yield folder.name


def _is_isolated(preprocessor: Any) -> bool:
    """Whether it is, or names, the executor with a grader process: a list may hold both."""
    found = import_item(preprocessor) if isinstance(preprocessor, str) else preprocessor
    return isinstance(found, type) and issubclass(found, IsolatedExecute)
