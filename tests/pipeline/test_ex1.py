"""ex1 itself, from source to marks, feedback and export, by plain nbgrader commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fairmark.course import open_course
from fairmark.notebooks import Role, read, role_of, run
from fairmark.report import read_marks
from fairmark.samples import CLASSES, Assignment, write_class

from .course import ROOT, Course

MISTAKES_KEPT = 2  # of those of ex1_01; all of them are graded by `make demo` and in test_ex1_01


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """The sample class of ex1 but for most known mistakes, graded, with feedback and export."""
    course = Course(tmp_path_factory.mktemp("ex1"))
    shutil.copytree(ROOT / "source" / "ex1", course.root / "source" / "ex1", dirs_exist_ok=True)
    assert course.nbgrader("generate_assignment", "ex1", "--force") == 0, course.log
    assignment = Assignment(course.root / "source" / "ex1", course.root / "release" / "ex1")
    samples = CLASSES["ex1"](assignment)
    left_out = [sample for sample in samples if sample.known_mistake][MISTAKES_KEPT:]
    course.samples = [sample for sample in samples if sample not in left_out]
    course.assignment = assignment
    write_class(course.samples, assignment, course.root / "submitted")
    for words in (
        ("autograde", "ex1", "--force"),
        ("generate_feedback", "ex1", "--force"),
        ("export",),
    ):
        assert course.nbgrader(*words) == 0, course.log
    return course


def pages(course: Course) -> list[Path]:
    """Every feedback page."""
    return sorted((course.root / "feedback").rglob("*.html"))


def test_every_mark_is_fair(course):
    """Every sample student has the marks that are fair, in the gradebook."""
    _, marks = read_marks(open_course(course.root), "ex1")
    got = {student.student: student.points for student in marks}
    assert got == {sample.name: sample.fair_marks(course.assignment) for sample in course.samples}


def test_extremes(course):
    """The reference solutions get 20 of 20, the untouched release 0; the points add up."""
    maxima, marks = read_marks(open_course(course.root), "ex1")
    totals = {student.student: student.total for student in marks}
    assert (totals["perfect"], totals["blank"]) == (20, 0)
    assert list(maxima.values()) == [6, 10, 4]


def test_exported_totals_are_those_of_the_gradebook(course):
    """`nbgrader export` writes one row per student with the same totals."""
    _, marks = read_marks(open_course(course.root), "ex1")
    assert course.exported() == {student.student: student.total for student in marks}


def test_release_is_fresh(course):
    """The committed release/ is byte for byte what a fresh generation gives."""
    fresh, committed = course.root / "release" / "ex1", ROOT / "release" / "ex1"
    names = {p.relative_to(fresh) for p in fresh.rglob("*") if p.is_file()}
    kept = {p.relative_to(committed) for p in committed.rglob("*") if p.is_file()}
    stale = names ^ kept
    stale |= {n for n in names & kept if (fresh / n).read_bytes() != (committed / n).read_bytes()}
    assert not stale, f"release/ is stale, run `make release`: {sorted(map(str, stale))}"


def test_release_needs_three_packages_only(course):
    """Student notebooks import numpy, torch, matplotlib and the standard library, nothing else."""
    allowed = {"numpy", "torch", "matplotlib", "re"}
    for path in (course.root / "release" / "ex1").glob("*.ipynb"):
        code = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")
        assert set(re.findall(r"(?m)^\s*(?:import|from)\s+(\w+)", code)) <= allowed
        assert "BEGIN" not in code


def test_feedback_holds_no_hidden_test(course):
    """No line of a hidden test is on any student's page, in text or in markup."""
    hidden = set()
    for path in (course.root / "source" / "ex1").glob("*.ipynb"):
        for cell in read(path).cells:
            if role_of(cell) is Role.TEST:
                _, _, part = cell.source.partition("### BEGIN HIDDEN TESTS")
                part = part.partition("### END HIDDEN TESTS")[0]
                hidden |= {line.strip() for line in part.splitlines() if len(line.strip()) > 12}
    assert len(hidden) > 60
    assert len(pages(course)) > 40
    for page in pages(course):
        text = visible_text(page)
        assert not [line for line in hidden if line in text], page


def test_no_message_holds_an_expected_value(course):
    """What students read about their numbers in ex1_01 holds none of the right ones."""
    chain = run(course.assignment.sources["ex1_01_pen_and_paper"]).names["chain"]
    wanted = {
        f"{value:.{decimals}f}".lstrip("-")
        for name in chain.steps
        for value in chain.exact[name].ravel()
        for decimals in (2, 3, 4)
    }
    told = [
        remark
        for student in read_marks(open_course(course.root), "ex1")[1]
        for remark in student.noticed
        if remark.startswith("ex1_01")
    ]
    assert len(told) > 20
    assert not [(remark, n) for remark in told for n in wanted if n in remark]


def test_feedback_says_what_was_wrong(course):
    """The page of a student with one slip holds the message of that check."""
    text = visible_text(
        course.root / "feedback/one_early_slip_carried_forward/ex1/ex1_01_pen_and_paper.html"
    )
    assert "a does not follow from the given numbers." in text


def visible_text(page: Path) -> str:
    """The text of an HTML page, without tags and entities."""
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8")))
