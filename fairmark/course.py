"""The course folder: where things are, as ``nbgrader_config.py`` says, and what is said if not."""

from __future__ import annotations

from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

CONFIG = "nbgrader_config.py"


class CourseError(Exception):
    """Something in the course folder is not as it must be; one line that says what to do."""


def open_course(folder: Path) -> CourseDirectory:
    """The course in ``folder``, with the directories and the database that its configuration names.

    Raises :class:`CourseError` where ``folder`` is no course.
    """
    try:
        config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    except ConfigFileNotFound:
        raise CourseError(
            f"{folder.resolve()} is no course folder: it has no {CONFIG}; "
            "call this in the course folder or give --course-dir"
        ) from None
    return CourseDirectory(config=Config(config), root=str(folder.resolve()))
