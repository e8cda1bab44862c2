"""After a grading run nothing of it is left on the machine, however the run came to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.running import eventually, marked, short_folder, sockets_below
from tests.pipeline.course import MAIN, Course, main_notebook
from tests.pipeline.submissions import write

pytestmark = pytest.mark.pipeline

DAEMON = """
import os, signal, time
try:
    os.setsid()
except OSError:
    pass
for _ in range(3):
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(3000)
        os._exit(0)
"""
RIGHT = "def double(x):\n    return 2 * x"
HOSTILE = {
    "daemon": DAEMON + RIGHT,
    "deep": "import os\nfor _ in range(2000): os.mkdir('d'); os.chdir('d')\n" + RIGHT,
    "many": "for n in range(3000): open(f'{n}', 'w').close()\n" + RIGHT,
    "closed": "import os\nos.mkdir('shut'); open('shut/in', 'w'); os.chmod('shut', 0)\n" + RIGHT,
    "temporary": "import tempfile\nkept = tempfile.mkdtemp(), tempfile.mkstemp()\n" + RIGHT,
    "shared": "from multiprocessing import shared_memory\n"
    "try:\n    kept = shared_memory.SharedMemory('left_by_fairmark', create=True, size=1000)\n"
    "except OSError:\n    pass\n" + RIGHT,
    "socket": "import socket\n"
    "try:\n    socket.socket(socket.AF_UNIX).bind('mine')\n"
    "except OSError:\n    pass\n" + RIGHT,
}
# what is there while the last of the class is graded, until it is interrupted
HANGING = DAEMON + "open('hanging', 'w').close()\nwhile True: pass"
POINTS = {"test_double": 1, "test_triple": 2}


class Machine:
    """A course, and a folder for temporary files by whose name everything of a run is found."""

    def __init__(self, course: Course, temporary: Path) -> None:
        self.course, self.temporary, self.marker = course, temporary, temporary.name
        self.shared = set(os.listdir("/dev/shm"))

    @contextlib.contextmanager
    def grading(self, *more: str) -> Iterator[subprocess.Popen]:
        """A running `nbgrader autograde`, in a process group of its own."""
        command = [sys.executable, "-m", "nbgrader", "autograde", "ex1", "--force", *more]
        process = subprocess.Popen(
            command,
            cwd=self.course.root,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def grade(self, students: str = "*") -> None:
        """Grade students whose names are like this, to the end."""
        bounds = "--Execute.timeout=15", "--BoundedExecute.interrupt_grace=3"
        with self.grading(*bounds, "--student", students) as process:
            text, _ = process.communicate(timeout=300)
        assert process.returncode == 0, text

    @contextlib.contextmanager
    def interrupted(self) -> Iterator[subprocess.Popen]:
        """A run that has come to a student whose cell does not end, with daemons already there."""
        with self.grading("--Execute.timeout=1000", "--student", "z_hanging") as process:
            assert eventually(lambda: any(self.temporary.glob("fairmark-*/*/work/hanging")))
            assert len(marked(self.marker)) > 3
            assert sockets_below(self.temporary)
            yield process

    def zygotes(self) -> list[int]:
        """The processes from which kernels are forked."""
        return [pid for pid in marked(self.marker) if os.getsid(pid) == pid and _is_zygote(pid)]

    def assert_clean(self) -> None:
        """Fail where anything of a run is left."""
        assert eventually(lambda: not marked(self.marker))
        assert eventually(lambda: not list(self.temporary.iterdir()))
        assert not sockets_below(self.temporary)
        assert eventually(lambda: set(os.listdir("/dev/shm")) <= self.shared)
        assert not Path("/dev/shm/left_by_fairmark").exists()


def _is_zygote(pid: int) -> bool:
    return b"fairmark.kernel.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """The tiny course with a class of its own; the last of it never comes to an end."""
    course = Course(tmp_path_factory.mktemp("course") / "course", **{MAIN: main_notebook()})
    assert course.nbgrader("generate_assignment", "ex1") == 0, course.log
    course.submit("a_perfect")
    for student, code in HOSTILE.items():
        course.submit(student, write("double", code))
    course.submit("z_hanging", write("double", HANGING))
    return course


@pytest.fixture
def machine(course) -> Iterator[Machine]:
    """The course, and nothing of an earlier run."""
    with short_folder() as temporary:
        yield Machine(course, temporary)


def test_after_a_run(machine):
    """After a run there is no process, socket, folder or shared memory of it, and all got marks."""
    machine.grade("[!z]*")
    machine.assert_clean()
    for student in ("a_perfect", *HOSTILE.keys() - {"deep"}):
        assert machine.course.points(student) == POINTS, student
    assert set(machine.course.points("deep")) == set(POINTS)  # none, if it was ended in time


def test_after_an_interrupt(machine):
    """The same holds after Ctrl-C in the terminal of the run."""
    with machine.interrupted() as process:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        machine.assert_clean()


def test_after_a_kill(machine):
    """The same holds a moment after the run was killed: the zygote notices."""
    with machine.interrupted() as process:
        process.kill()
        process.communicate(timeout=60)
        machine.assert_clean()


def test_after_a_kill_of_everything(machine):
    """Where the zygote was killed too, kernels end, and the next run cleans up and grades all."""
    with machine.interrupted() as process:
        zygotes = machine.zygotes()
        assert zygotes
        for pid in (process.pid, *zygotes):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert eventually(lambda: len(marked(machine.marker)) == 3)  # daemons that nobody watches
    assert list(machine.temporary.iterdir())
    machine.grade("[adz]*")
    machine.assert_clean()
    assert machine.course.points("a_perfect") == machine.course.points("daemon") == POINTS
    assert machine.course.points("z_hanging") == {"test_double": 0, "test_triple": 2}
