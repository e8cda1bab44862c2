"""How nbgrader grades this course. What is not set here is nbgrader's default."""

import os
import sys
import warnings
from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader provides it)

# nbgrader starts `alembic` by name when it makes a gradebook, from an inactive environment too
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
# what SQLAlchemy 2 says about nbgrader's queries is nothing that a grader can act on
warnings.filterwarnings("ignore", module=r"nbgrader\.api")

c.CourseDirectory.course_id = "backprop"
# nbgrader's own list, and the scripts that draw the figures: students get the figures alone
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "draw_*.py"]

ours, theirs = "fairmark.preprocessors", "nbgrader.preprocessors"

c.Autograde.exporter_class = f"{ours}.submission.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    f"{theirs}.ClearOutput",
    f"{theirs}.DeduplicateIds",
    f"{theirs}.OverwriteKernelspec",
    f"{ours}.restore.RestoreLockedCells",
    f"{theirs}.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    f"{ours}.refusals.RefusePackages",
    f"{ours}.execute.BoundedExecute",
    f"{ours}.results.CanonicalResults",
    f"{theirs}.LimitOutput",
    f"{theirs}.SaveAutoGrades",
    f"{theirs}.AssignLatePenalties",
    f"{theirs}.CheckCellMetadata",
]
c.GenerateFeedback.preprocessors = [
    f"{theirs}.GetGrades",
    f"{ours}.feedback.StudentView",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

c.Execute.timeout = 20  # seconds for one cell
c.BoundedExecute.notebook_timeout = 120  # seconds for all cells of a notebook
c.RefusePackages.refused = {"ex1_02_numpy_gradient": ["torch", "autograd", "jax", "tensorflow"]}
c.RefusePackages.titles = {"ex1_02_numpy_gradient": "is NumPy only"}
