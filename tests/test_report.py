"""The table of marks and the command line: what a person reads, in one line where it fails."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fairmark.cli import main
from fairmark.report import StudentMarks, print_table


class TestTable:
    def test_remarks_are_plain_text(self):
        """What a student's code said is printed as it is, whatever it looks like."""
        out = io.StringIO()
        student = StudentMarks("odd", {"ex1_02_x": 1.5}, ["ex1_02_x: [/end] and [bold]b[/bold]"])
        print_table(Console(file=out, width=120), {"ex1_02_x": 2.0}, [student], "Marks")
        assert "ex1_02: [/end] and [bold]b[/bold]" in out.getvalue()

    def test_missing_notebook_counts_as_zero(self):
        """A notebook without marks is 0 in the row and in the total."""
        out = io.StringIO()
        student = StudentMarks("half", {"ex1_01_x": 3.0})
        maxima = {"ex1_01_x": 6.0, "ex1_02_x": 10.0}
        print_table(Console(file=out, width=120), maxima, [student], "Marks")
        cells = next(line for line in out.getvalue().splitlines() if "half" in line).split("│")
        assert [cell.strip() for cell in cells[2:5]] == ["3", "0", "3"]

    def test_long_list_of_remarks_is_counted(self):
        """Two remarks are shown, the others counted."""
        out = io.StringIO()
        student = StudentMarks("many", {"ex1_01_x": 0.0}, [f"ex1_01_x: {n}" for n in range(5)])
        print_table(Console(file=out, width=120), {"ex1_01_x": 6.0}, [student], "Marks")
        assert "and 3 more" in out.getvalue()


class TestCommandLine:
    @pytest.mark.parametrize("command", ["marks", "demo"])
    def test_no_course_folder(self, command, tmp_path, capsys):
        """Outside a course folder one line says so, and nothing is written."""
        assert main([command, "ex1", "--course-dir", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "no course folder" in line
        assert not list(tmp_path.iterdir())

    def test_no_gradebook(self, tmp_path, capsys):
        """Before anything was graded one line says what to run; no gradebook is made."""
        (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
        assert main(["marks", "ex1", "--course-dir", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "nbgrader generate_assignment ex1" in line
        assert len(list(tmp_path.iterdir())) == 1

    def test_unknown_assignment(self, capsys):
        """The demo of an unknown assignment names those that there are."""
        assert main(["demo", "ex99"]) == 1
        assert "ex1" in capsys.readouterr().err
