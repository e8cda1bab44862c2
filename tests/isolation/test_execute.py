"""Who runs what, and what a test comes to: whole notebooks, in both processes."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.pipeline.course import check, given, hidden, message

from .graded import grade, student

NUMPY = given("imports", "%matplotlib inline\nimport numpy as np")


class TestWhoRunsWhat:
    def test_each_cell_in_its_process(self):
        """Answers run in the kernel, tests beside it, and given cells in both."""
        graded = grade(
            given("given", "import os\nhere = os.getpid()"),
            student("mine = os.getpid()\nshown = here"),
            given("on_answer", "over_there = mine + 0 * os.getpid()"),
            check("test", "assert here == os.getpid() != mine\nassert shown == mine == over_there"),
        )
        assert graded.result("test") is None

    def test_what_the_student_redefines_is_the_students(self):
        """A module, a helper or a builtin: the test has its own."""
        graded = grade(
            NUMPY,
            given("helper", "def wanted(x):\n    return np.add(x, 1)"),
            student(
                "import builtins\nnp.add = lambda *a: 0\nnp = None\nwanted = lambda x: 0\n"
                "builtins.abs = lambda x: 7\nbuiltins.AssertionError = KeyError\n"
                "def next_of(x):\n    return 0"
            ),
            check("test", "assert abs(-1) == 1 and np.add(1, 1) == 2\nassert wanted(1) == 2"),
            check("wrong", "assert next_of(1) == wanted(1)"),
        )
        assert graded.result("test") is None
        assert graded.result("wrong") == "the check in line 1 of this cell did not pass."

    def test_names_of_tests_stay_with_the_tests(self):
        """They are there for the next test, and never in the kernel."""
        graded = grade(
            student("def known():\n    return sorted(globals())"),
            check("first", "wanted = 4"),
            student("try:\n    wanted\nexcept NameError:\n    unknown = True", "second_answer"),
            check("second", "assert wanted == 4 and unknown and 'wanted' not in known()"),
        )
        assert graded.result("second") is None

    def test_no_hold_on_names_that_a_test_was_to_define(self):
        """A student who has the first test fail does not get to define its names for the next."""
        graded = grade(
            student(
                "class Agrees:\n    def check(self, value):\n        return None\n"
                "chain, a = Agrees(), 0\nservant = get_ipython().kernel.servant\n"
                "class Late:\n    turn = 0\n    def serve(self):\n        self.turn += 1\n"
                "        if self.turn > 1:\n            servant.serve()\n"
                "    def __getattr__(self, name):\n        return getattr(servant, name)\n"
                "get_ipython().kernel.servant = Late()"
            ),
            check("first", "a + 1\nfrom types import SimpleNamespace\nchain = SimpleNamespace()"),
            check("second", "chain.check(a)\nassert a == 1"),
            check("third", "assert chain.check(a) is None"),
        )
        assert "stopped answering" in graded.result("first")
        for name in ("second", "third"):
            assert graded.result(name) == "chain is not defined: did its cell run without an error?"

    def test_student_names_are_asked_anew(self):
        """What an answer changes, the next test sees."""
        graded = grade(
            student("w = [1]"),
            check("first", "assert w == [1]"),
            student("w = [2]", "again"),
            check("second", "assert w == [2]"),
        )
        assert graded.result("first") is graded.result("second") is None

    def test_the_history_is_the_students(self):
        """A test leaves no line in it."""
        graded = grade(
            student("before = len(In)"),
            check("first", "assert before"),
            student("since = In[before:]", "again"),
            check("second", "assert since == ['since = In[before:]']"),
        )
        assert graded.result("first") is graded.result("second") is None

    @pytest.mark.parametrize(
        "stream", ["None", "open('out.txt', 'w')", "__import__('io').StringIO()"]
    )
    def test_another_standard_output(self, stream):
        """Tests before and after it, and what is printed to standard error, are as ever."""
        graded = grade(
            student("import sys\ndef f():\n    print('seen', file=sys.stderr)\n    return 1"),
            check("first", "assert f() == 1"),
            student(f"sys.stdout = {stream}", "again"),
            check("second", "assert f() == 1"),
        )
        assert graded.result("first") is graded.result("second") is None
        assert "seen" in graded.printed("first") and "seen" in graded.printed("second")

    def test_nothing_of_a_test_is_found_in_the_kernel(self):
        """Its text and its values are not in the history, the objects, the frames or the memory."""
        text, value = "zebra_in_the_text", "zebra_" + "11" * 6
        sums = [sha256(mark.encode()).hexdigest() for mark in (text, value)]
        graded = grade(
            student(SEARCH.replace("SUMS", repr(sums)).replace("LENGTHS", "(17, 18)")),
            check("first", f"{text} = 'zebra_' + '11' * 6\nassert look() == []"),
            student("after = look()\nown = 'zebra_' + 'in_the_text'\ncontrol = look()", "later"),
            check("second", f"assert after == []  # {text}\nassert len(control) > 0"),
        )
        assert graded.result("first") is None and graded.result("second") is None


# Looks for the marks by their checksums, since a mark that is looked for would be found.
SEARCH = """
import gc, hashlib, re, sys

def marks_in(data):
    found = []
    for place in re.finditer(b"zebra_", data):
        for length in LENGTHS:
            part = data[place.start():place.start() + length]
            if hashlib.sha256(part).hexdigest() in SUMS:
                found.append(length)
    return found

def texts():
    yield from map(str, In)
    for thing in gc.get_objects():
        if type(thing) is dict:
            yield from (part for part in [*thing, *thing.values()] if type(part) is str)
        elif type(thing) in (list, tuple):
            yield from (part for part in thing if type(part) is str)
    frame = sys._getframe()
    while frame:
        yield repr(list(frame.f_locals))
        frame = frame.f_back
    for module in list(sys.modules.values()):
        yield from vars(module)

def memory():
    try:
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as mem:
            for line in maps:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                if "rw" in line and end - start < 10**8:
                    mem.seek(start)
                    yield mem.read(end - start)
    except OSError:
        return

def look():
    found = [mark for text in texts() for mark in marks_in(text.encode(errors="replace"))]
    return found + [mark for data in memory() for mark in marks_in(data)]
"""


class TestResults:
    def test_values(self):
        """Nothing gives all points, a number that many, and anything else is a fault."""
        values = {
            "nothing": ("None", None),
            "part": ("np.float64(0.5)", 0.5),
            "silenced": ("0.5;", None),
            "too_large": ("3.0", "fault"),
            "not_a_number": ("float('nan')", "fault"),
            "boolean": ("True", "fault"),
            "text": ("'1.0'", "fault"),
            "left": ("raise SystemExit", "SystemExit"),
            "no_python": ("1 +", "SyntaxError"),
            "last": ("1", 1),
        }
        tests = [check(name, code, points=2) for name, (code, _) in values.items()]
        graded = grade(NUMPY, student("x = 1"), *tests)
        for name, (_, wanted) in values.items():
            got = graded.result(name)
            assert wanted in got if isinstance(wanted, str) else got == wanted, name
        logged = [line for line in graded.log if "it scores 0" in line]
        assert len(logged) == sum(wanted == "fault" for _, wanted in values.values())

    @pytest.mark.parametrize(
        "source, did",
        [
            ("while True:\n    pass", "did not come to an end"),
            ("import os\nos._exit(0)", "ended the grader process"),
        ],
    )
    def test_a_test_that_never_answers(self, source, did):
        """It says so, to the instructor too, and no later cell is taken to have passed."""
        cells = [check("stuck", source), student("y = 1", "later"), check("next", "assert x == 1")]
        graded = grade(student("x = 1"), check("before", "assert x"), *cells, timeout=3)
        assert graded.result("before") is None
        assert graded.result("stuck") == f"stopped: this test {did}"
        assert graded.result("next") == f"not run: cell `stuck` {did}"
        assert any(did in line for line in graded.log)

    def test_a_late_answer_is_no_answer_of_the_next_cell(self):
        """Neither that of a test that the student's data makes slow, nor that of a given cell."""
        slow = "import time\ntime.sleep({})"
        graded = grade(
            student("seconds = 8"),
            check("slow", slow.format("seconds")),
            check("next", "assert False"),
            timeout=3,
            interrupt_grace=1,
        )
        assert graded.result("slow") and graded.result("next")
        graded = grade(
            given("slow", slow.format("0 if 'get_ipython' in dir() else 9")),  # not in the kernel
            student("x = 1"),
            check("next", "assert x == 2"),
            timeout=3,
        )
        assert graded.result("next") == "not run: cell `slow` did not come to an end"

    def test_what_the_student_shows_is_kept_and_no_result(self):
        """Prints, warnings, values and figures of a call, and a value by the display hook."""
        graded = grade(
            student(
                "import sys, warnings\nimport matplotlib.pyplot as plt\n%matplotlib inline\n"
                "def noisy():\n    print('said')\n    print('complained', file=sys.stderr)\n"
                "    warnings.warn('careful')\n    sys.displayhook(2.0)\n    plt.plot([1, 2])"
            ),
            check("test", "print('asked')\nnoisy()\nassert False, 'no'", points=2),
            check("passes", "noisy()", points=2),
        )
        assert graded.result("test") == "no" and graded.result("passes") is None
        for word in ("said", "complained", "careful", "asked"):
            assert word in graded.printed("test")
        kinds = {out.output_type for out in graded.notebook.cells[2].outputs}
        assert kinds == {"stream", "display_data"}

    def test_messages(self):
        """What a student is told of each kind of failure."""
        answers = (
            "class CheckFailed(Exception):\n    pass\n"
            "def fails():\n    raise CheckFailed('own words')\n"
            "def empty():\n    raise NotImplementedError\n"
            "def wrong():\n    return {}['key']"
        )
        secret = hidden("assert 1 == 2, 'secret 42'")
        checked = (
            "from fairmark.checks import CheckFailed as Failed\nraise Failed('x has no shape')"
        )
        messages = {
            "missing": ("absent", "absent is not defined: did its cell run without an error?"),
            "to_do": (
                "empty()",
                "an answer that this test needs still raises NotImplementedError.",
            ),
            "visible": ("\nassert 1 == 2, 'one is not two'", "one is not two"),
            "bare": ("\nassert 1 == 2", "the check in line 2 of this cell did not pass."),
            "hidden": ("# seen\n" + secret, "a hidden check did not pass (AssertionError)."),
            "shifted": ("\n\n# seen\n" + secret, "a hidden check did not pass (AssertionError)."),
            "checked": (hidden(checked), "x has no shape"),
            "inside": (hidden("wrong()"), "KeyError in your code: 'key'"),
            "pretended": ("fails()", "CheckFailed in your code: own words"),
            "module": ("import no_such_module", None),
        }
        tests = [check(name, code) for name, (code, _) in messages.items()]
        graded = grade(student(answers), *tests)
        for name, (_, wanted) in messages.items():
            got = message(graded.notebook, name)
            assert got == wanted if wanted else "no_such_module" in got, (name, got)

    def test_a_value_that_is_too_large_to_cross(self):
        """It costs the test that needs it, says so, and nothing else."""
        graded = grade(
            NUMPY,
            student("big, x = np.ones(10**7), 1"),
            check("big_one", "assert big is not None"),
            check("next", "assert x == 1"),
        )
        assert "big: the value is larger than 64 MB" in graded.result("big_one")
        assert graded.result("next") is None
