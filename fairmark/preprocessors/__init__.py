"""The steps that nbgrader takes while it grades, in the order of ``nbgrader_config.py``.

A submission is made sound first (SANITIZE), then run and scored (AUTOGRADE); a page for the student
is made later (FEEDBACK). nbgrader's own steps stay where they are right as they are.
"""

SUBMISSION_EXPORTER = "fairmark.preprocessors.submission.SubmissionExporter"

SANITIZE = [
    "nbgrader.preprocessors.ClearOutput",
    "fairmark.preprocessors.gradebook.RestoreKernelspec",
    "fairmark.preprocessors.restore.RestoreLockedCells",
    "fairmark.preprocessors.metadata.CheckMetadata",
]
_SAVE = [
    "fairmark.preprocessors.execute.NotedLimit",
    "fairmark.preprocessors.saving.SaveMarks",
    "fairmark.preprocessors.saving.SavePenalties",
    "fairmark.preprocessors.metadata.CheckMetadata",
]
AUTOGRADE = [
    "fairmark.preprocessors.refusals.RefusePackages",
    "fairmark.isolation.execute.IsolatedExecute",
    *_SAVE,
]
# Tests and answers in one kernel, as in stock nbgrader: for systems without fork, and to compare.
AUTOGRADE_IN_ONE_KERNEL = [
    "fairmark.preprocessors.refusals.RefusePackages",
    "fairmark.preprocessors.execute.BoundedExecute",
    "fairmark.preprocessors.results.CanonicalResults",
    *_SAVE,
]
FEEDBACK = [
    "nbgrader.preprocessors.GetGrades",
    "fairmark.preprocessors.feedback.StudentView",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
