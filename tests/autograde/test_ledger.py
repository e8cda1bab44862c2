"""The ledger leaves the rows that nbgrader leaves, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nbgrader.api import Base, Gradebook, MissingEntry
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from fairmark.autograde import ledger as ledger_module
from fairmark.autograde.ledger import Entry, Ledger
from fairmark.course import CourseError
from tests.pipeline.course import check, notebook

from . import gradebooks, postgres
from .gradebooks import (
    COURSE,
    DUE,
    LATE,
    HalfAPointAnHour,
    add_notebook,
    by_nbgrader,
    by_us,
    change_by_hand,
    graded,
    marks,
    nothing,
)
from .running import rows

server = postgres.server
new_gradebook = gradebooks.new_gradebook


@pytest.fixture
def url(new_gradebook: Callable[[str], str]) -> str:
    """The URL of a gradebook for one test."""
    return new_gradebook("ours")


@pytest.fixture
def other(new_gradebook: Callable[[str], str]) -> str:
    """The URL of another, in which nbgrader does the same."""
    return new_gradebook("other")


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """The ledger of ``url``."""
    opened = Ledger(url, COURSE, "ex1")
    yield opened
    opened.close()


class TestNewSubmission:
    def test_rows_are_made(self, ledger, url, other):
        """The rows are those that ``Gradebook.add_submission`` makes."""
        ledger.record("ann", LATE, True, nothing)
        with Gradebook(other) as gradebook:
            gradebook.add_student("ann")
            gradebook.add_submission("ex1", "ann", timestamp=LATE)
        found = rows(url)
        assert found == rows(other)
        assert len(found["grades"]) == 5 and len(found["comments"]) == 4

    def test_marks(self, ledger, url, other):
        """Points, remarks on empty answers and what is left to a person are nbgrader's."""
        by_us(ledger, "ann")
        by_nbgrader(other, "ann")
        found = rows(url)
        assert found == rows(other)
        points = {row[2]: (row[3], row[6]) for row in found["grades"]}
        assert points == {
            "test_double": (2, False),
            "test_again": (0.5, False),
            "written": (0, False),  # as it was handed out
            "task": (None, True),
            "test_some": (0, False),
        }

    def test_unknown_student(self, ledger, url):
        """Where students are not to be made, an unknown one leaves nothing."""
        before = rows(url)
        with pytest.raises(MissingEntry, match="ann is not in the gradebook"):
            ledger.record("ann", None, False, nothing)
        assert rows(url) == before

    def test_known_student(self, ledger, url):
        """A student who is in the gradebook keeps the name that is there."""
        with Gradebook(url) as gradebook:
            gradebook.add_student("ann", first_name="Ann", email="ann@example.org")
        ledger.record("ann", None, False, nothing)
        assert rows(url)["students"] == [("ann", "Ann", None, "ann@example.org", None)]


class TestExistingSubmission:
    def test_what_a_person_gave_is_kept(self, ledger, url, other):
        """Manual points and comments, extra credit, flags and extensions stay; what is new is
        marked for a person to look at, as nbgrader marks it."""
        for done in (url, other):
            by_nbgrader(done, "ann", DUE)
            change_by_hand(done, "ann")
        better = graded(half=1.0)
        by_us(ledger, "ann", LATE, better)
        by_nbgrader(other, "ann", LATE, better)
        found = rows(url)
        assert found == rows(other)
        changed = {row[2]: row[3:] for row in found["grades"]}
        assert changed["test_double"] == (2, 1, 0.5, True)
        assert changed["test_again"] == (1, None, None, False)
        assert ("ann", "first", "double", None, "Neat.") in found["comments"]

    def test_one_notebook(self, ledger, url, other):
        """A run for one notebook leaves the rows of the other alone."""
        only = {"second": graded()["second"]}
        for done in (url, other):
            by_nbgrader(done, "ann")
            change_by_hand(done, "ann")
        by_us(ledger, "ann", None, only)
        by_nbgrader(other, "ann", None, only)
        assert rows(url) == rows(other)

    def test_again(self, ledger, url):
        """The same call made again changes nothing: no row more, no other value."""
        by_us(ledger, "ann", LATE)
        change_by_hand(url, "ann")
        by_us(ledger, "ann", LATE)
        before = rows(url)
        by_us(ledger, "ann", LATE)
        assert rows(url) == before

    def test_timestamp_is_kept(self, ledger, url):
        """Without a timestamp, the one that is there stays."""
        ledger.record("ann", LATE, True, nothing)
        ledger.record("ann", None, True, nothing)
        assert rows(url)["submissions"] == [("ann", "ex1", _as_stored(url, LATE), None)]

    def test_notebook_added_later(self, ledger, url):
        """A submission from before a notebook was added to the assignment gets its rows."""
        by_us(ledger, "ann")
        before = rows(url)["grades"]
        add_notebook(url, "third", notebook(check("test_third", "", points=1)))
        longer = Ledger(url, COURSE, "ex1")
        longer.record("ann", None, True, nothing)
        longer.close()
        new = ("ann", "third", "test_third", None, None, None, True)
        assert rows(url)["grades"] == sorted([*before, new], key=repr)

    def test_nothing_handed_in(self, ledger, url):
        """A notebook that was not handed in gets 0 for every cell, and nothing is left to do."""
        ledger.record("ann", None, True, lambda entry: entry.nothing_handed_in("first"))
        points = {row[2]: (row[3], row[6]) for row in rows(url)["grades"]}
        assert points.pop("test_some") == (None, True)
        assert set(points.values()) == {(0, False)}


class TestLate:
    @pytest.mark.parametrize("method", ["none", "zero"])
    @pytest.mark.parametrize("timestamp", [None, DUE, LATE])
    def test_nbgraders_plugin(self, ledger, url, other, timestamp, method):
        """nbgrader's plugin takes off what it takes off in nbgrader."""
        config = Config({"LateSubmissionPlugin": {"penalty_method": method}})
        by_us(ledger, "ann", timestamp, config=config)
        by_nbgrader(other, "ann", timestamp, config=config)
        found = rows(url)
        assert found == rows(other)
        late = timestamp == LATE and method == "zero"
        assert [row[2] for row in found["notebooks"]] == ([2.5, 0] if late else [None, None])

    @pytest.mark.parametrize(
        ("student", "penalties"),
        [("ann", [1, 0]), ("spared", [None, None]), ("rewarded", [0, 0]), ("lost", [2.5, 0])],
    )
    def test_own_plugin(self, ledger, url, other, student, penalties):
        """An instructor's plugin is asked for each notebook, and stays between 0 and the score."""
        config = Config({"AssignLatePenalties": {"plugin_class": HalfAPointAnHour}})
        by_us(ledger, student, LATE, config=config)
        by_nbgrader(other, student, LATE, config=config)
        found = rows(url)
        assert found == rows(other)
        assert [row[2] for row in found["notebooks"]] == penalties

    def test_score_follows_grades(self, ledger):
        """The score of a notebook is the sum of its grades at the time when it is asked for."""
        scores = []

        def save(entry: Entry) -> None:
            for points in (1, 2):
                entry.find_grade("test_double", "first").auto_score = points
                scores.append(entry.find_submission_notebook("first").score)

        ledger.record("new", None, True, save)
        ledger.record("new", None, True, save)
        assert scores == [1, 2, 1, 2]

    def test_graded_again(self, ledger, url, other):
        """A penalty follows the new score, with the points of a person; an extension ends it."""
        config = Config({"LateSubmissionPlugin": {"penalty_method": "zero"}})
        for done in (url, other):
            by_nbgrader(done, "ann", LATE, config=config)
            change_by_hand(done, "ann")
        by_us(ledger, "ann", LATE, graded(half=1.0), config)
        by_nbgrader(other, "ann", LATE, graded(half=1.0), config)
        found = rows(url)
        assert found == rows(other)
        assert [row[2] for row in found["notebooks"]] == [5, 0]
        for done in (url, other):
            with Gradebook(done) as gradebook:
                gradebook.grant_extension("ex1", "ann", hours=2)
        by_us(ledger, "ann", LATE, config=config)
        by_nbgrader(other, "ann", LATE, config=config)
        assert rows(url) == rows(other)
        assert [row[2] for row in rows(url)["notebooks"]] == [None, None]


class TestAllOrNothing:
    @pytest.mark.parametrize("new", [True, False])
    def test_error_while_saving(self, ledger, url, new):
        """What was done before an error is undone, and the next call is a fresh start."""
        if not new:
            by_us(ledger, "ann", DUE)
        before = rows(url)

        def fail(entry: Entry) -> None:
            marks("ann", graded(half=1.0), Config(), entry)
            raise ValueError("in the last notebook")

        with pytest.raises(ValueError, match="in the last notebook"):
            ledger.record("ann", LATE, True, fail)
        assert rows(url) == before
        by_us(ledger, "bob")
        assert {row[0] for row in rows(url)["grades"]} == ({"bob"} if new else {"ann", "bob"})

    def test_unknown_cell(self, ledger, url):
        """A notebook with a cell that the gradebook has not leaves nothing."""
        odd = {"second": notebook(check("made_up", "1", points=50))}
        with pytest.raises(MissingEntry, match="no cell made_up in second"):
            by_us(ledger, "ann", None, odd)
        assert not rows(url)["submissions"]

    @pytest.mark.parametrize("what", ["student", "submission"])
    def test_somebody_else_was_faster(self, ledger, url, what):
        """Rows that another process makes between our look and our commit are used, not doubled."""
        happened = []

        def other_process(*_: Any) -> None:
            if not happened:
                happened.append(what)
                with Gradebook(url) as gradebook:
                    gradebook.add_student("ann", first_name="Ann")
                    if what == "submission":
                        gradebook.add_submission("ex1", "ann")

        event.listen(ledger.session, "before_flush", other_process)
        by_us(ledger, "ann", DUE)
        event.remove(ledger.session, "before_flush", other_process)
        assert happened
        found = rows(url)
        assert found["students"] == [("ann", "Ann", None, None, None)]
        assert len(found["submissions"]) == 1 and len(found["grades"]) == 5
        assert {row[3] for row in found["grades"]} == {0, 0.5, 2, None}

    def test_locked(self, ledger, url, monkeypatch):
        """Rows that somebody else holds end the call after a time, and it can be made again."""
        monkeypatch.setattr(ledger_module, "LOCK_TIMEOUT", 1)
        by_us(ledger, "ann")
        engine = create_engine(url)
        with engine.connect() as somebody:
            somebody.execute(text("UPDATE grade SET extra_credit = 1"))
            with pytest.raises(OperationalError, match="lock"):
                by_us(ledger, "ann", LATE, graded(half=1.0))
            somebody.commit()
        engine.dispose()
        by_us(ledger, "ann", LATE, graded(half=1.0))
        assert {row[5] for row in rows(url)["grades"]} == {1}
        assert 1 in {row[3] for row in rows(url)["grades"]}


class TestGraded:
    def test_every_test_has_points(self, ledger):
        """A submission counts as graded when each test has points; written answers may wait."""
        by_us(ledger, "done")
        by_us(ledger, "half", contents={"second": graded()["second"]})
        ledger.record("listed", None, True, nothing)
        assert ledger.graded() == {"done"}

    def test_points_by_hand_do_not_count(self, ledger, url):
        """A test that only a person gave points for is still to be run."""
        by_us(ledger, "ann")
        with Gradebook(url) as gradebook:
            grade = gradebook.find_grade("test_double", "first", "ex1", "ann")
            grade.auto_score, grade.manual_score = None, 2
            gradebook.db.commit()
        assert ledger.graded() == set()


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of lazy objects that gc lists
def test_memory(ledger):
    """Recorded submissions leave no objects behind, new ones and those graded again."""
    by_us(ledger, "before", LATE)
    gc.collect()
    before = _rows_in_memory()
    contents = graded()
    for _ in range(2):
        for number in range(150):
            by_us(ledger, f"student{number}", LATE, contents)
    gc.collect()
    assert _rows_in_memory() <= before


def _rows_in_memory() -> int:
    return sum(isinstance(thing, Base) for thing in gc.get_objects())


def _as_stored(url: str, when: datetime.datetime) -> Any:
    """A time as the database gives it to a plain query."""
    return f"{when}.000000" if url.startswith("sqlite") else when


class TestUsable:
    @pytest.mark.parametrize(
        ("db_url", "says"),
        [
            ("postgresql+psycopg://ann:tulip@rose@nowhere/grades", "%40"),
            (
                "postgresql+psycopg://ann:tulip@rose:tulip@nowhere/grades",
                "not the URL of a database",
            ),
            ("tulip/rose", "not the URL of a database"),
            ("nosuch://ann:tulip@nowhere/grades", "not the URL of a database"),
            ("mysql+pymysql://ann:tulip@nowhere/grades", "needs the package pymysql"),
        ],
    )
    def test_url(self, db_url, says):
        """A URL that cannot be used is named without any of it that may be a password."""
        with pytest.raises(CourseError) as error, ledger_module.usable(db_url):
            pytest.fail("it was used")
        assert says in str(error.value)
        assert "tulip" not in str(error.value) and "rose" not in str(error.value)

    def test_error_of_the_database(self, tmp_path):
        """What the database says is one line, with its place."""
        url = f"sqlite:///{tmp_path}/no/such.db"
        with pytest.raises(CourseError) as error, ledger_module.usable(url):
            Gradebook(url)
        assert str(error.value) == (
            f"the gradebook {url} cannot be used: "
            "(sqlite3.OperationalError) unable to open database file"
        )
