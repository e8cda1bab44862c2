"""One class, graded once, that the tests of this folder look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from .course import MAIN, Course, main_notebook, over_notebook, values_notebook
from .submissions import ALTERED, FILES

LIMITS = (
    "--Execute.timeout=3",
    "--BoundedExecute.interrupt_grace=3",
    "--BoundedExecute.max_output_bytes=100000",
    "--SubmissionExporter.max_bytes=200000",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here runs nbgrader."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pipeline)


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The whole class, autograded and with feedback; ``log`` is that of autograde."""
    course = Course(
        tmp_path_factory.mktemp("course"),
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
