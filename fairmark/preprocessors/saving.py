"""nbgrader's steps that write to the gradebook, for one gradebook that is open already.

nbgrader's own open the database for every notebook and commit after every cell. Where the
resources bring an open gradebook, as those of ``fairmark autograde`` do, these use it and leave
the commit to whoever opened it; without one they do as nbgrader does.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor, SaveAutoGrades

Result = tuple[NotebookNode, dict[str, Any]]


class SaveMarks(SaveAutoGrades):
    """nbgrader's SaveAutoGrades: the points of each test, and a comment on empty answers."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Result:
        """Save what the outputs of ``nb`` say."""
        names = resources["nbgrader"]
        if "gradebook" not in names:
            return super().preprocess(nb, resources)
        self.gradebook = names["gradebook"]
        self.notebook_id, self.assignment_id = names["notebook"], names["assignment"]
        self.student_id = names["student"]
        return NbGraderPreprocessor.preprocess(self, nb, resources)


class SavePenalties(AssignLatePenalties):
    """nbgrader's AssignLatePenalties: what its plugin takes off a late notebook."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Result:
        """Save the penalty of the notebook, or that there is none."""
        names = resources["nbgrader"]
        if "gradebook" not in names:
            return super().preprocess(nb, resources)
        student, assignment, gradebook = (
            names["student"],
            names["assignment"],
            names["gradebook"],
        )
        notebook = gradebook.find_submission_notebook(names["notebook"], assignment, student)
        notebook.late_submission_penalty = None
        late = gradebook.find_submission(assignment, student).total_seconds_late
        if late > 0:
            self.init_plugin()
            score = notebook.score
            penalty = self.plugin_inst.late_submission_penalty(student, score, late)
            self.log.warning(f"{late:g} seconds late, penalty {penalty}")
            if penalty is not None:
                notebook.late_submission_penalty = self._check_late_penalty(notebook, penalty)
        return nb, resources


SHARING = (SaveMarks, SavePenalties)  # the steps that use the gradebook they are given
