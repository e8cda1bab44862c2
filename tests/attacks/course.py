"""The course that is attacked: two notebooks, a neighbour's submission, and secrets all over."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.pipeline.course import Course, answer, cell_of, check, given, hidden, notebook

from .attack import Attack

FIRST, SECOND = "first", "second"
HONEST = "HONEST"
NEIGHBOUR = "neighbour"
EXPECTED = "7261.4839"  # a value that only hidden tests hold
SECRETS = {  # what stands where; no code that is handed in holds one of them
    "a hidden test": "canary-hidden-90417",
    "a reference solution": "canary-solution-55120",
    "the work of a neighbour": "canary-neighbour-77031",
    "the gradebook": "canary-gradebook-12406",
    "the environment": "canary-environment-30958",
    "a file of the course": "canary-course-66273",
    "a file outside": "canary-outside-48815",
    "an expected value": EXPECTED,
}
MAXIMA = {"test_vector": 1, "test_blend": 2, "test_tally": 2, "test_label": 2, "test_mean": 2}
TALLY = """def __init__(self):
        self.total, self.count = 0, 0

    def add(self, number):
        self.total += number
        self.count += 1

    def mean(self):
        return self.total / self.count"""


def _solution(text: str) -> str:
    return f"pass  # {SECRETS['a reference solution']}\n{text}"


def first_notebook() -> NotebookNode:
    """A value of 1 point; a function, a class, and a function in parts, of 2 points each."""
    secret = f"# {SECRETS['a hidden test']}"
    return notebook(
        new_markdown_cell("# Vectors and tallies", id="title"),
        given("imports", "import numpy as np\nreadings = np.array([2.0, 3.0, 5.0])"),
        answer("vector", "factor = 1452.29678", _solution("scaled = factor * readings")),
        check(
            "test_vector",
            "# Checks scaled.\nassert len(scaled) == 3\n"
            + hidden(
                secret, f"np.testing.assert_allclose(scaled, [2904.59356, 4356.89034, {EXPECTED}])"
            ),
        ),
        answer("blend", "def blend(x, y):", _solution("    return 3 * x - y")),
        check(
            "test_blend",
            "# Checks blend.\nassert np.shape(blend(np.ones(2), np.ones(2))) == (2,)\n"
            + hidden(
                secret,
                "rng = np.random.default_rng(90417)",
                "for size in (3, 7):",
                "    x, y = rng.normal(size=(2, size))",
                "    np.testing.assert_allclose(blend(x, y), 3 * x - y, atol=1e-9)",
                f"assert abs(blend(2500.0, 238.5161) - {EXPECTED}) < 1e-6",
            ),
            points=2,
        ),
        answer("tally", "class Tally:", _solution(f"    {TALLY}")),
        check(
            "test_tally",
            "# Checks Tally.\ntally = Tally()\ntally.add(4)\nassert tally.total == 4\n"
            + hidden(
                secret,
                "for number in (9, -2, 5):",
                "    tally.add(number)",
                "assert tally.total == 16",
                "assert tally.mean() == 4",
            ),
            points=2,
        ),
        answer("label", "def label(n):", _solution("    return 'even' if n % 2 == 0 else 'odd'")),
        check(
            "test_label",
            "# Checks label, half a point for each right one.\nassert label(1) is not None\n"
            + hidden(
                secret,
                "wanted = {7: 'odd', 12: 'even', -3: 'odd', 0: 'even'}",
                "passed = sum(bool(label(n) == text) for n, text in wanted.items())",
                "points = 2 * passed / 4",
                "points",
            ),
            points=2,
        ),
    )


def second_notebook() -> NotebookNode:
    """One question, which every submission answers rightly."""
    return notebook(
        given("imports", "import numpy as np"),
        answer("mean", "def mean(values):", _solution("    return sum(values) / len(values)")),
        check(
            "test_mean",
            "# Checks mean.\nassert mean([1]) == 1\n"
            + hidden(
                f"# {SECRETS['a hidden test']}",
                "assert mean([2, 3, 10]) == 5",
                "np.testing.assert_allclose(mean([0.25, 0.5]), 0.375)",
            ),
            points=2,
        ),
    )


def make(root: Path, stock: bool) -> Course:
    """The course folder, with nothing generated or graded yet."""
    course = Course(root, stock=stock, **{FIRST: first_notebook(), SECOND: second_notebook()})
    if stock:
        (root / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'target'\n"
        )
    (root / "secret.txt").write_text(SECRETS["a file of the course"])
    return course


def honest(course: Course, name: str) -> NotebookNode:
    """The right answers, without the mark that the reference solutions carry."""
    content = course.solved(name)
    for cell in content.cells:
        lines = cell.source.split("\n")
        kept = [line for line in lines if SECRETS["a reference solution"] not in line]
        cell.source = "\n".join(kept)
    return content


def submit_honest(course: Course, student: str, note: str = "") -> None:
    """Hand in the right answers."""
    for name in (FIRST, SECOND):
        content = honest(course, name)
        cell_of(content, "vector" if name == FIRST else "mean").source += f"\n{note}"
        course.file(student, name).write_text(nbformat.v4.writes_json(content), "utf-8")


def submit_attack(course: Course, student: str, attack: Attack, known: dict[str, object]) -> None:
    """Hand in an attack; ``known`` is what its code may use by name: addresses and paths."""
    submit_honest(course, student)
    right = honest(course, FIRST)
    content = copy.deepcopy(course.released(FIRST))
    prelude = "\n".join(f"{name} = {value!r}" for name, value in known.items())
    content.cells.insert(1, new_code_cell(prelude, id="known"))
    for name, source in attack.answers.items():
        if name == "before":
            content.cells.insert(2, new_code_cell(source.strip(), id="before"))
        elif name == "after":
            content.cells.append(new_code_cell(source.strip(), id="after"))
        else:
            text = cell_of(right, name).source if source == HONEST else source.strip()
            cell_of(content, name).source = text
    if attack.edit:
        content = attack.edit(content) or content
    path = course.file(student, FIRST)
    path.write_text(nbformat.v4.writes_json(content), "utf-8")
    if attack.tamper:
        attack.tamper(path.parent)
