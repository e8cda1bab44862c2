"""The marks of a whole class: what is in the gradebook after one ``nbgrader autograde``."""

from __future__ import annotations

import pytest

from fairmark.report.marks import remarks_on

from .course import FAULTS, MAIN, VALUES, Course, cell_of, main_notebook, message
from .submissions import ALTERED, FILES
from .tiny_class import SCORES


class TestMarks:
    """Right work gives all points, wrong work costs its own question, whatever else happens."""

    @pytest.mark.parametrize("student", sorted({*ALTERED, "blank", "renamed"}))
    def test_score(self, graded: Course, student: str) -> None:
        """What only moved, lost or forged cells or metadata around right answers costs nothing."""
        wanted = 0 if student == "renamed" else SCORES.get(student, 3)
        assert sum(graded.points(student).values()) == wanted

    @pytest.mark.parametrize("student", sorted(FILES))
    def test_file(self, graded: Course, student: str) -> None:
        """A file that can be read in any way is graded, any other scores 0."""
        assert sum(graded.points(student).values()) == FILES[student][1]

    def test_export(self, graded: Course, tmp_path_factory: pytest.TempPathFactory) -> None:
        """``nbgrader export`` holds every student who handed in a file, with the same scores."""
        log = graded.log
        scores = graded.exported()
        graded.log = log
        assert scores.keys() == {*ALTERED, *FILES, "blank", "renamed", "valued"}
        assert scores["perfect"] == 3
        assert scores["valued"] == sum(points for _, points in VALUES.values()) + 1


class TestValues:
    """The last value of a test cell."""

    @pytest.mark.parametrize("name", VALUES)
    def test_points(self, graded: Course, name: str) -> None:
        """Nothing is full marks, a number its own, all else 0."""
        assert graded.points("valued", "values")[name] == VALUES[name][1]

    @pytest.mark.parametrize("name", sorted(FAULTS))
    def test_fault(self, graded: Course, name: str) -> None:
        """A value that is no number of points is logged as a fault of that test."""
        assert message(graded.graded("valued", "values"), name).startswith("this test has a fault")
        line = f"valued/values: test cell `{name}`: fault of the test"
        assert len(graded.lines("ERROR", line)) == 1

    def test_above_maximum(self, graded: Course) -> None:
        """A value above the points of a cell costs that cell alone."""
        assert graded.points("valued", "over") == {"over": 0, "beside": 1}

    def test_chatter_is_kept(self, graded: Course) -> None:
        """What went to stderr costs nothing and is there for the instructor."""
        outputs = cell_of(graded.graded("valued", "values"), "stderr").outputs
        assert [(out.output_type, out.name, out.text) for out in outputs] == [
            ("stream", "stdout", "warned\n")
        ]

    def test_traceback_is_kept(self, graded: Course) -> None:
        """A hidden failure names no value in its message, and keeps its traceback."""
        cell = cell_of(graded.graded("wrong"), "test_double")
        assert cell.outputs[-1].evalue == "a hidden check did not pass (AssertionError)."
        assert "secret_input" in "".join(cell.outputs[-1].traceback)


class TestEndings:
    """A kernel that dies, hangs or floods."""

    def test_death(self, graded: Course) -> None:
        """A test after the end of the kernel says where it ended."""
        text = message(graded.graded("exits"), "test_triple")
        assert text == "not run: the kernel died in cell `mine`"
        assert graded.lines("exits/", "the kernel died in cell `mine`")

    def test_stubborn(self, graded: Course) -> None:
        """A kernel that does not react to an interrupt is given up, earlier results stay."""
        text = message(graded.graded("stubborn"), "test_triple")
        assert text == "not run: the kernel could not be interrupted in cell `triple`"
        assert graded.points("stubborn") == {"test_double": 1, "test_triple": 0}

    def test_loop(self, graded: Course) -> None:
        """An endless loop is stopped; its test says what is missing."""
        assert "stopped: it ran longer than 3 s" in str(cell_of(graded.graded("loops"), "triple"))
        text = message(graded.graded("loops"), "test_triple")
        assert text == "triple is not defined: did its cell run without an error?"

    def test_flood(self, graded: Course) -> None:
        """Of a print flood a bounded part is kept, with a note."""
        outputs = cell_of(graded.graded("floods"), "mine").outputs
        printed = "".join(out.get("text", "") for out in outputs)
        assert 1000 < len(printed) < 100_200
        assert printed.endswith("[only 100000 bytes of output are kept; the rest was dropped]\n")

    def test_flood_is_noticed(self, graded: Course) -> None:
        """Reports find it beside what else was noticed."""
        path = graded.root / "autograded" / "floods" / "ex1" / f"{MAIN}.ipynb"
        assert remarks_on(path)[:2] == [
            "missing cells were put back: factor",
            "the output of cell `mine` was cut",
        ]

    def test_input(self, graded: Course) -> None:
        """A question to the student ends its cell at once."""
        assert "does not support input" in str(cell_of(graded.graded("asks"), "double"))


class TestRestored:
    """Locked cells that were lost, edited or doubled."""

    @pytest.mark.parametrize("student", ["lost_neighbours", "lost_all_but_answers", "to_markdown"])
    def test_place(self, graded: Course, student: str) -> None:
        """Missing neighbours come back in their place and order."""
        order = [cell.id for cell in main_notebook().cells]
        assert [cell.id for cell in graded.graded(student).cells] == order

    def test_notice(self, graded: Course) -> None:
        """A cell that was put back says so in its first line, then holds the original."""
        source = cell_of(graded.graded("lost_neighbours"), "base").source
        first, rest = source.split("\n", 1)
        assert first.startswith("# This cell (base) was missing")
        assert rest == "base = 2"

    def test_one_line(self, graded: Course) -> None:
        """One log line names the cells."""
        (line,) = graded.lines("submitted/lost_neighbours/")[-1:]
        assert "put back: base, test_double, factor, test_triple" in line

    def test_stripped(self, graded: Course) -> None:
        """Where the metadata is gone, the log says how many cells were recognised."""
        gone = "nbgrader's metadata is gone"
        assert graded.lines("WARNING", "submitted/stripped/", f"{gone}; 6 cells were recognised")
        assert graded.lines("submitted/stripped_ids/", f"{gone}; 4 cells were recognised")
        assert not graded.lines("submitted/duplicated/", gone)

    def test_edited(self, graded: Course) -> None:
        """An edited test has its text back, and the log says so; untouched ones are no news."""
        assert "secret_input" in cell_of(graded.graded("edited_test"), "test_double").source
        assert graded.lines("edited_test/", "got their text back: test_double")
        assert not graded.lines("WARNING", "submitted/perfect/ex1/ex1_02")

    def test_copies(self, graded: Course) -> None:
        """Of copied cells the last is the graded one; the others are the student's own."""
        content = graded.graded("duplicated")
        assert "nbgrader" not in cell_of(content, "test_double-copy").metadata
        assert "secret_input" not in cell_of(content, "test_double-copy").source
        assert cell_of(content, "test_double").metadata.nbgrader.grade

    def test_forged(self, graded: Course) -> None:
        """A test that the course does not have is no test."""
        assert "nbgrader" not in cell_of(graded.graded("forged_id"), "bonus").metadata


class TestRefused:
    """A notebook that does without a package."""

    def test_message(self, graded: Course) -> None:
        """The cell is not run, and its one output names notebook, line and package."""
        assert message(graded.graded("torch"), "double") == (
            f"{MAIN} is to be solved without torch: line 3 of this cell imports it, "
            "so the cell was not run."
        )

    def test_test_cell(self, graded: Course) -> None:
        """Its test says which name is missing."""
        text = message(graded.graded("torch"), "test_double")
        assert text == "double is not defined: did its cell run without an error?"
