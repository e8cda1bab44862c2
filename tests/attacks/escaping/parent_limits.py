"""Ends the grading of everybody: takes open files and file size away from nbgrader."""

ANSWERS = {
    "vector": """
import os
import resource

resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (0, 0))
resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (3, 3))
""",
}
