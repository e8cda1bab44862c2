"""Which submissions are to be graded: those that are not, those that are newer, those asked for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory

from fairmark.preprocessors.beside import Wrong, time_in

from .folder import GradedFolder


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the folder, and the notebooks of the assignment that count."""

    student: str
    handed_in: Path
    graded: GradedFolder
    notebooks: tuple[str, ...]


def all_submissions(converter: Autograde, known: set[str], log: Any) -> list[Submission]:
    """The submissions that ``converter`` has listed, by student.

    A notebook that is not one of ``known`` is named in ``log`` and left out.
    """
    course = converter.coursedir
    excluded = set(filter(None, course.student_id_exclude.split(",")))
    found = []
    for folder, files in converter.assignments.items():
        student = student_of(course, folder)
        if student in excluded:
            continue
        names = sorted(Path(file).stem for file in files)
        for name in names:
            if name not in known:
                log.warning(f"{student}: {name}.ipynb is no notebook of the assignment: not graded")
        place = Path(course.format_path(course.autograded_directory, student, course.assignment_id))
        counted = tuple(name for name in names if name in known)
        found.append(
            Submission(student, Path(folder), GradedFolder(Path(os.path.normpath(place))), counted)
        )
    return sorted(found, key=lambda submission: submission.student)


def to_grade(
    submissions: list[Submission], in_gradebook: set[str], force: bool
) -> list[Submission]:
    """Those of ``submissions`` that a run is to grade.

    One counts as graded where its folder is there with every notebook, its tests have points in
    the gradebook, nothing newer was handed in, and it was not asked for again. With ``force`` each
    is asked for again, which a run that was stopped leaves to the next.
    """
    if force:
        for submission in submissions:
            submission.graded.grade_again(submission.notebooks)
    return [
        submission
        for submission in submissions
        if submission.student not in in_gradebook
        or not submission.graded.has(submission.notebooks)
        or submission.graded.to_be_graded_again(submission.notebooks)
        or _is_newer(submission)
    ]


def student_of(course: CourseDirectory, folder: str) -> str:
    """The student whose submission is in ``folder``."""
    pattern = course.format_path(
        course.submitted_directory, "(?P<student>.*)", course.assignment_id, escape=True
    )
    match = re.match(pattern, folder)
    return match["student"] if match else folder


def timestamp_of(folder: Path) -> Any:
    """When the submission in ``folder`` was handed in; None where its timestamp does not say."""
    try:
        return time_in(folder)
    except Wrong:
        return None


def _is_newer(submission: Submission) -> bool:
    new, old = timestamp_of(submission.handed_in), timestamp_of(submission.graded.path)
    return new is not None and old is not None and new > old
