"""Answers that loop, end their process or take too much: what that costs, and what it does not."""

from __future__ import annotations

import pytest
from traitlets.config import Config

from fairmark.isolation.execute import IsolatedExecute
from tests.pipeline.course import check

from .graded import grade, student

ALONE = check("alone", "import math\nassert math.cos(0) == 1")
NEXT = check("next", "assert x == 1")


def test_a_call_that_loops():
    """It is interrupted and says so; the next test works."""
    graded = grade(
        student("x = 1\ndef loops():\n    while True:\n        pass"),
        check("test", "loops()"),
        NEXT,
        timeout=3,
    )
    assert graded.result("test") == "stopped: it ran longer than 3 s"
    assert graded.result("next") is None


def test_a_test_that_catches_everything_is_stopped_all_the_same():
    """No ``except Exception`` goes on after the time is up."""
    graded = grade(
        student("x = 1\ndef loops():\n    while True:\n        pass"),
        check(
            "test", "while True:\n    try:\n        loops()\n    except Exception:\n        break"
        ),
        NEXT,
        timeout=3,
    )
    assert graded.result("test").startswith("stopped") and graded.result("next") is None


@pytest.mark.parametrize(
    "how, why",
    [
        ("import os; os._exit(0)", "the kernel died"),
        ("import os; os.kill(os.getpid(), 9)", "the kernel died"),
        ("import signal; signal.signal(2, signal.SIG_IGN)\nwhile True: pass", "interrupted"),
    ],
)
@pytest.mark.parametrize("in_call", [True, False])
def test_a_kernel_that_is_lost(how, why, in_call):
    """Only what needs it is lost with it, and says why."""
    lines = "".join(f"    {line}\n" for line in how.split("\n"))
    ends = "ends()" if not in_call else ""
    graded = grade(
        student(f"x = 1\ndef ends():\n{lines}{ends}"),
        check("test", "ends()"),
        ALONE,
        NEXT,
        timeout=2,
        interrupt_grace=2,
    )
    assert why in graded.result("next") and graded.result("test")
    assert graded.result("alone") is None
    assert any("the cells after it were not run" in line for line in graded.log)


@pytest.mark.parametrize(
    "limits, takes, what",
    [
        ({"memory": 400_000_000}, "import os\nos.fork()\ndata = b'1' * 300_000_000", "memory"),
        ({"disk_bytes": 2_000_000}, "open('f', 'wb').write(b'1' * 9_000_000)", "disk space"),
        (
            {"processes": 3},
            "import subprocess\np = [subprocess.Popen(['sleep', '60']) for _ in range(5)]",
            "processes",
        ),
    ],
)
def test_a_limit_says_which(limits, takes, what):
    """The message of the tests after it names what the kernel took too much of."""
    graded = grade(
        student(f"x = 1\n{takes}\nimport time\ntime.sleep(30)"),
        NEXT,
        ALONE,
        config=Config(WarmProvisioner=limits),
    )
    assert what in graded.result("next") and graded.result("alone") is None


def test_the_time_of_the_notebook():
    """When it is used up, tests that need nothing of the student still run."""
    graded = grade(
        student("import time\nx = 1\ntime.sleep(9)"), NEXT, ALONE, notebook_timeout=3, timeout=20
    )
    assert "the 3 s of the notebook were used up" in graded.result("next")
    assert graded.result("alone") is None


def test_a_kernel_that_does_not_start(monkeypatch):
    """Every test says so; nothing is raised."""
    monkeypatch.setattr(IsolatedExecute, "create_kernel_manager", lambda self: 1 / 0)
    graded = grade(student("x = 1"), NEXT, ALONE)
    assert "did not start" in graded.result("next") and "did not start" in graded.result("alone")
