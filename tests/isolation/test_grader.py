"""The grader process from inside: which names a cell means, and what is told about it."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from fairmark.isolation.errors import Gone, student_error
from fairmark.isolation.grader import Grader
from fairmark.isolation.trusted import names_of, packed, parse_cell
from tests.pipeline.course import hidden


class Student:
    """Stands for the bridge: the student's names, or why there are none."""

    def __init__(self, **names):
        self.names = names
        self.asked = []

    def begin(self, cell, seconds):
        self.cell = cell

    def fetch(self, names):
        self.asked.append(list(names))
        failure = self.names.get("failure")
        if failure and names:
            raise failure
        return {name: self.names[name] for name in names if name in self.names}

    def end(self):
        self.cell = None


@pytest.fixture
def pipe():
    """The bell, as a file to read from."""
    ends = os.pipe()
    yield ends[0]
    for end in ends:
        os.close(end)


@pytest.fixture(params=[False, True], ids=["source", "compiled"])
def ready(request, monkeypatch):
    """Cells come as they are, or compiled, which is all the same."""
    monkeypatch.setitem(globals(), "compiled", packed if request.param else lambda *cell: "")


@pytest.fixture
def grader(pipe, ready):
    """A grader of a student who has defined ``w`` and ``double``."""
    return Grader(Student(w=3, double=lambda x: 2 * x), pipe)


def compiled(source, name):
    """What the executor has made of a cell; the fixture ``ready`` says what."""
    raise NotImplementedError


def run(grader, source, name="test"):
    """What the executor is told of a test cell."""
    asked = {"op": "test", "source": source, "name": name, "number": 1, "seconds": 9, "rings": 0}
    asked["compiled"] = compiled(source, name)
    return json.loads(json.dumps(grader.carry_out(asked)))


def run_given(grader, source):
    """What the executor is told of a given cell."""
    asked = {"op": "given", "source": source, "name": "given"}
    return grader.carry_out(asked | {"compiled": compiled(source, "given")})


class TestNames:
    def test_only_what_a_cell_may_look_up_first_is_asked_for(self):
        """A name that the cell has surely bound by then is its own."""
        names = names_of(
            parse_cell(
                "from math import pi\nx = np.ones(2)\nfor k in range(n):\n    y = f(k, x)\n    y\n"
                "def g(v):\n    return v * w + pi\nwith open(p) as f1:\n    z = f1\nz\nend += 1",
                "cell",
            )
        )
        assert names.asks == {"np", "n", "f", "w", "p", "end"}
        assert names.defines == {"pi", "x", "k", "y", "g", "f1", "z", "end"}

    def test_what_is_bound_in_one_branch_is_asked_for(self):
        """The other branch leaves the student's."""
        names = names_of(parse_cell("if len(a) > 1:\n    b = 2\nb", "cell"))
        assert names.asks == {"a", "b"}

    def test_comprehensions_and_arguments_are_no_names_of_a_cell(self):
        """What is local to a function is not looked up among the globals."""
        names = names_of(parse_cell("[i * c for i in range(3)]\nlambda q: q + r", "cell"))
        assert names.asks == {"c", "r"}

    def test_student_names_are_asked_anew(self, grader):
        """Each test sees what the student has by then, also where an earlier one had its own."""
        assert run(grader, "assert w == 3")["value"] is None
        grader.bridge.names["w"] = 4
        assert run(grader, "assert w == 4")["value"] is None
        assert grader.bridge.asked == [["w"], ["w"]]
        assert run(grader, "w = np.array(w) if False else [w]")["value"] is None
        assert run(grader, "assert w == [4]")["value"] is None

    def test_a_test_that_changes_a_small_value_keeps_it(self, grader):
        """Though the student has the same under that name, it is not taken for the student's."""
        grader.bridge.names["wanted"] = 5
        run(grader, "wanted = 5\nassert w < wanted")
        grader.bridge.names["wanted"] = 42
        assert run(grader, "assert wanted == 5")["value"] is None

    def test_what_a_failed_test_was_to_define_is_not_the_students(self, grader):
        """Failing one test on purpose gives no hold on the names of the next."""
        grader.bridge.names["wanted"] = 3
        run(grader, "assert w == 4\nwanted = 4")
        assert run(grader, "assert w == wanted")["error"]["ename"] == "NameError"

    def test_a_kernel_that_is_gone_defines_nothing_either(self, grader):
        """The same where the test could not even start."""
        grader.bridge.names |= {"wanted": 3, "failure": Gone("gone")}
        assert run(grader, "assert w\nwanted = 4")["error"]["kind"] == "gone"
        del grader.bridge.names["failure"]
        assert run(grader, "assert w == wanted")["error"]["ename"] == "NameError"

    def test_a_test_that_needs_nothing_of_the_student_runs_without(self, grader):
        """What it imports and defines itself is nothing that it needs."""
        grader.bridge.names["failure"] = Gone("gone")
        source = "import math\nfrom math import pi\nvalue = math.cos(pi)\nassert value == -1"
        assert run(grader, source)["value"] is None


class TestGiven:
    def test_it_runs_where_all_of_its_names_are_known(self, grader):
        """Its names are the tests' from then on, whatever the student has called so."""
        assert run_given(grader, "def double(x):\n    return x + x\nw = 7")["ran"]
        assert run(grader, "assert double(w) == 14")["value"] is None
        assert grader.bridge.asked == [[]]

    def test_it_is_the_students_alone_where_one_is_not(self, grader):
        """What it defines over there is the student's, also for tests."""
        assert not run_given(grader, "shown = double(2)")["ran"]
        grader.bridge.names["shown"] = 4
        assert run(grader, "assert shown == 4")["value"] is None

    @pytest.mark.parametrize(
        "source", ["%matplotlib inline\nk = 2", "k = 2\n!true\n%time 1", "display(1)\nk = 2"]
    )
    def test_what_is_for_a_kernel_does_no_harm(self, grader, source):
        """Magics are left out, and display prints."""
        assert run_given(grader, source)["ran"]
        assert run(grader, "assert k == 2")["value"] is None

    @pytest.mark.parametrize("source", ["k = = 2", "1 / 0", "raise SystemExit", "nonlocal k"])
    def test_a_fault_in_it_is_told(self, grader, source):
        """It is no end of the grader."""
        assert "error" in run_given(grader, source)
        assert run(grader, "assert w == 3")["value"] is None


class TestResult:
    @pytest.mark.parametrize(
        "source, value",
        [
            ("assert w == 3", None),
            ("None", None),
            ("0.5", 0.5),
            ("1", 1),
            ("points = np.float32(1.5)\npoints", 1.5),
            ("np.int64(1)", 1),
            ("np.longdouble(1)", 1),
            ("0.5;", None),
            ("True", "bool True"),
            ("'0.5'", "str '0.5'"),
            ("np.ones(1)", "ndarray array([1.])"),
            ("double(1)", 2),
        ],
    )
    def test_the_last_value(self, grader, source, value):
        """None, a plain number, or a text where it is neither."""
        run_given(grader, "import numpy as np")
        assert run(grader, source)["value"] == value

    def test_numbers_that_are_none(self, grader):
        """They are told as they are, and are above the points of any test."""
        assert np.isnan(run(grader, "float('nan')")["value"])
        assert run(grader, "10 ** 30")["value"] == 1e30
        assert run(grader, "10 ** 5000")["value"] == np.inf

    @pytest.mark.parametrize(
        "source, ename",
        [
            ("raise SystemExit", "SystemExit"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt"),
            ("import sys\nsys.exit(0)", "SystemExit"),
            ("def f(", "SyntaxError"),
            ("return 1", "SyntaxError"),
            ("nonlocal w", "SyntaxError"),
            ("x = '\0'", "ValueError"),
            ("missing", "NameError"),
        ],
    )
    def test_whatever_is_raised_fails_the_cell(self, grader, source, ename):
        """Nothing of it leaves the cell, and the next one runs."""
        assert run(grader, source)["error"]["ename"] in {ename, "SyntaxError"}
        assert run(grader, "assert w == 3")["value"] is None

    def test_a_value_that_may_not_cross(self, grader):
        """An error of the student's in this cell alone."""
        grader.bridge.names["failure"] = student_error("ValueError", ["ValueError"], "w: too large")
        error = run(grader, "assert w")["error"]
        assert (error["kind"], error["evalue"]) == ("student", "w: too large")

    def test_what_is_told_is_bounded(self, grader):
        """An error and a printed text may hold what the student gave, of any length."""
        grader.bridge.names["w"] = "y" * 10**6
        told = run(grader, "print(w)\nassert False, w")
        assert len(json.dumps(told)) < 200_000 and told["printed"].startswith("yyy")

    def test_the_line_is_that_of_the_cell(self, grader):
        """Blank lines at the start count: whether a line is hidden is told by its number."""
        source = "\n\n  \n# seen\n" + hidden("assert False, 'secret'")
        assert run(grader, source)["error"]["line"] == 6
        assert "assert False, 'secret'" in "".join(run(grader, source)["error"]["traceback"])

    def test_printing_is_no_result(self, grader):
        """What is printed on both streams is kept, in order."""
        told = run(grader, "import sys\nprint('a')\nprint('b', file=sys.stderr)")
        assert (told["value"], told["printed"]) == (None, "a\nb\n")
