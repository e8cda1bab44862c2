"""A class on the tiny course, graded, and the scores that are fair for it."""

from __future__ import annotations

from pathlib import Path

from .course import MAIN, Course, main_notebook, over_notebook, values_notebook
from .submissions import ALTERED, FILES

LIMITS = (
    "--Execute.timeout=3",
    "--BoundedExecute.interrupt_grace=3",
    "--BoundedExecute.max_output_bytes=100000",
    "--SubmissionExporter.max_bytes=200000",
)
SCORES = {  # of 3 points: 1 for double, 2 for triple
    "perfect": 3,
    "blank": 0,
    "warns": 3,
    "displays": 2,
    "wrong": 2,
    "undefined": 1,
    "leaks": 2,
    "leaks_as_check": 2,
    "leaks_in_name": 2,
    "leaks_as_repr": 2,
    "leaks_one_line": 2,
    "asks": 2,
    "exits": 1,
    "loops": 1,
    "stubborn": 1,
    "floods": 3,
    "skipped_test": 0,
    "torch": 2,
}


def graded_class(root: Path, more: str = "") -> Course:
    """The whole class, autograded and with feedback; ``log`` is that of autograde.

    ``more`` is appended to the configuration.
    """
    course = Course(
        root,
        more=more,
        **{MAIN: main_notebook(), "values": values_notebook(), "over": over_notebook()},
    )
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    course.shuffle()
    for student, edit in ALTERED.items():
        course.submit(student, edit)
    for name in ("values", "over"):
        course.submit("valued", name=name)
    course.file("blank").write_bytes(
        (course.root / "release" / "ex1" / f"{MAIN}.ipynb").read_bytes()
    )
    for student, (content, _, _) in FILES.items():
        course.file(student).write_bytes(content(course))
    course.submit("renamed")
    course.file("renamed").rename(course.file("renamed").with_name("homework.ipynb"))
    (course.root / "submitted" / "no_folder" / "ex7").mkdir(parents=True)
    (course.root / "submitted" / "no_notebook" / "ex1").mkdir(parents=True)
    code = course.nbgrader("autograde", "ex1", "--force", *LIMITS)
    log = course.log
    assert code == 0, log
    assert course.nbgrader("generate_feedback", "ex1", "--force") == 0, course.log
    course.log = log
    return course
