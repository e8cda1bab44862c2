"""One class, graded once, that the tests of this folder look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from .course import Course
from .tiny_class import graded_class


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here runs nbgrader."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pipeline)


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The whole class, autograded and with feedback; ``log`` is that of autograde."""
    return graded_class(tmp_path_factory.mktemp("course"))
