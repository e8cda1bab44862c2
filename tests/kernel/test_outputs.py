"""What a kernel and the processes that it forks write, and where and when it arrives."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from queue import Empty

import pytest

from tests.kernel.running import PATIENCE, Running, running

FORKED = """
import os, sys
pid = os.fork()
if pid == 0:
    {code}
    os._exit(0)
os.waitpid(pid, 0)
import time; time.sleep(0.2)
print("parent")
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Running]:
    """A kernel that all of these tests use, one after the other."""
    with running() as started:
        yield started


class TestArrives:
    """Everything that is written arrives with the cell that wrote it."""

    def test_each_cell_has_its_own(self, kernel):
        """What a cell prints last is never missed, nor taken for the next cell's."""
        for number in range(100):
            assert kernel.run(f"print({number})") == f"{number}\n"

    @pytest.mark.parametrize("pause", [0.19, 0.195, 0.2, 0.201, 0.205, 0.21])
    def test_when_the_cell_ends_as_it_is_sent(self, kernel, pause):
        """The same holds where a cell ends at the moment when its output is sent anyway."""
        for number in range(3):
            code = f"import time; print({number}); time.sleep({pause})"
            assert kernel.run(code) == f"{number}\n"

    def test_order(self, kernel):
        """Both streams and what is displayed keep their order."""
        code = (
            "import sys\nfor n in range(20):\n    print(n)\n    display(n)\n"
            "    print(-n, file=sys.stderr, flush=True)\n"
        )
        asked = kernel.client.execute(code)
        seen = []
        while not seen or seen[-1] is not None:
            message = kernel.loop.run(kernel.client.get_iopub_msg(timeout=PATIENCE))
            content = message["content"]
            if message["parent_header"]["msg_id"] == asked:
                if message["msg_type"] == "stream":
                    seen += content["text"].split()
                elif message["msg_type"] == "display_data":
                    seen.append(content["data"]["text/plain"])
                elif content.get("execution_state") == "idle":
                    seen.append(None)
        kernel.loop.run(kernel.client.get_shell_msg(timeout=PATIENCE))
        wanted = [str(shown) for n in range(20) for shown in (n, n, -n)]
        assert seen == [*wanted, None]

    def test_while_the_cell_runs(self, kernel):
        """What is printed arrives soon, although the cell goes on."""
        kernel.start("import time; print('early'); time.sleep(5)")
        began, text = time.monotonic(), ""
        while "early" not in text and time.monotonic() < began + 5:
            try:
                message = kernel.loop.run(kernel.client.get_iopub_msg(timeout=0.1))
            except Empty:
                continue
            text += message["content"].get("text", "")
        assert "early" in text
        assert time.monotonic() < began + 3
        kernel.fork.signal(signal.SIGINT)
        assert kernel.run("print('next')") == "next\n"

    def test_interrupted_in_a_flood(self, kernel):
        """A cell that is interrupted while it prints without end leaves whole messages behind."""
        for _ in range(3):
            kernel.start("while True: print('x' * 100)")
            time.sleep(0.3)
            kernel.fork.signal(signal.SIGINT)
            assert kernel.run("print('next')") == "next\n"


class TestWrittenElsewhere:
    """Output that does not come from the main thread of the kernel."""

    def test_from_a_thread(self, kernel):
        """What a thread prints is shown in the cell that waits for it."""
        code = (
            "import threading\n"
            "threads = [threading.Thread(target=print, args=('from',)) for _ in range(8)]\n"
            "for thread in threads: thread.start()\n"
            "for thread in threads: thread.join()\n"
        )
        assert kernel.run(code).split() == ["from"] * 8

    @pytest.mark.parametrize("code", ["print('child')", "os.write(1, b'child\\n')"])
    def test_from_a_forked_process(self, kernel, code):
        """What a forked process writes is shown too."""
        assert sorted(kernel.run(FORKED.format(code=code)).split()) == ["child", "parent"]

    def test_displayed_in_a_forked_process(self, kernel):
        """What a forked process displays is not sent, and does not keep it from ending."""
        assert kernel.run(FORKED.format(code="display('child')")) == "parent\n"
        assert kernel.run("print('next')") == "next\n"

    def test_by_another_program(self, kernel):
        """What another program writes is shown."""
        assert kernel.run("!echo from a program") == "from a program\n"
