"""What a grading run gave: marks, and what was noticed, read from where nbgrader left them."""

from .marks import StudentMarks, read_marks
from .table import print_table

__all__ = ["StudentMarks", "print_table", "read_marks"]
