"""How nbgrader grades this course. What is not set here is nbgrader's default."""

import os
import sys
import warnings
from pathlib import Path

from fairmark.preprocessors import AUTOGRADE, FEEDBACK, SANITIZE, SUBMISSION_EXPORTER

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.course_id = "backprop"
# nbgrader's own list, and the scripts that draw the figures: students get the figures alone
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "draw_*.py"]

c.Autograde.exporter_class = SUBMISSION_EXPORTER  # reads whatever file was handed in
c.Autograde.sanitize_preprocessors = SANITIZE
c.Autograde.autograde_preprocessors = AUTOGRADE
c.GenerateFeedback.preprocessors = FEEDBACK

c.Execute.timeout = 20  # seconds for one cell
c.BoundedExecute.notebook_timeout = 120  # seconds for all cells of a notebook
c.RefusePackages.refused = {"ex1_02_numpy_gradient": ["torch", "autograd", "jax", "tensorflow"]}

# nbgrader starts `alembic` by name when it makes a gradebook, from an inactive environment too
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
# what SQLAlchemy 2 says about nbgrader's queries is nothing that a grader can act on
warnings.filterwarnings("ignore", module=r"nbgrader\.api")
