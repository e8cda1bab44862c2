"""The provisioner, used as nbclient uses it: through a kernel manager and a client."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import KernelProvisionerBase
from jupyter_core.paths import jupyter_runtime_dir

from fairmark.kernel import sandbox
from fairmark.kernel.launcher import LaunchError
from fairmark.kernel.provisioner import WarmProvisioner
from fairmark.kernel.sandbox import SandboxUnavailable
from tests.kernel.running import Running, alive, running


@pytest.fixture(scope="module")
def kernel() -> Iterator[Running]:
    """A kernel that stays, for what does not change it."""
    with running() as kernel:
        yield kernel


@pytest.fixture
def handed_in(tmp_path) -> Path:
    """A folder as a student hands it in."""
    folder = tmp_path / "handed in"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "table.csv").write_text("1,2")
    (folder / "homework.ipynb").write_text("{}")
    (folder / "link").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    return folder


def provisioner(**settings: object) -> WarmProvisioner:
    """A provisioner that has not launched anything."""
    return WarmProvisioner(kernel_id="x", kernel_spec=KernelSpec(), **settings)


class TestStart:
    """What there is when a kernel was started."""

    def test_found_by_its_name(self, kernel):
        """The manager has got it by the entry point that a kernelspec names."""
        assert isinstance(kernel.manager.provisioner, WarmProvisioner)
        assert isinstance(kernel.manager.provisioner, KernelProvisionerBase)

    def test_ready(self, kernel):
        """It runs cells, and keeps inputs, outputs and the history of this session."""
        assert kernel.run("x = 20; print(x + 22)") == "42\n"
        assert kernel.run("print(In[-1])") == "print(In[-1])\n"
        assert "x = 20" in kernel.run("%history")
        assert kernel.run("print(__import__('subprocess').getoutput('echo there'))") == "there\n"

    def test_arguments(self, caplog):
        """An argument that would be without effect is named, but not those that clients add."""
        usual = ["--log-level=ERROR", "--HistoryManager.hist_file=:memory:"]
        launching = provisioner(log=logging.getLogger("kernel")).pre_launch(
            extra_arguments=[*usual, "--matplotlib=agg"], env={"SECRET": "1"}, cwd="."
        )
        assert asyncio.run(launching) == {"cwd": ".", "cmd": []}
        (record,) = caplog.records
        assert record.getMessage().endswith("is not used: --matplotlib=agg")

    def test_no_connection_file(self):
        """Nobody else can connect: there is no connection file, and sockets lie in its folder."""
        runtime = Path(jupyter_runtime_dir())
        before = set(runtime.iterdir()) if runtime.exists() else set()
        with running() as kernel:
            assert not kernel.manager.connection_file or not os.path.exists(
                kernel.manager.connection_file
            )
            mine = set(runtime.iterdir()) - before if runtime.exists() else set()
            assert not [path for path in mine if kernel.manager.kernel_id in path.name]
            info = kernel.manager.get_connection_info()
            assert info["transport"] == "ipc"
            found = {path.name for path in kernel.fork.folder.iterdir() if path.is_socket()}
            assert found == {f"k-{number}" for number in (1, 2)}
            assert stat.S_IMODE(kernel.fork.folder.stat().st_mode) == 0o700

    def test_files_of_the_submission(self, handed_in):
        """Plain files are copied, notebooks, links and pipes are not; the original is untouched."""
        look = "import os\nfor at, _, names in os.walk('.'): print(*(at + '/' + n for n in names))"
        with running(cwd=handed_in) as kernel:
            assert kernel.run(look).split() == ["./data/table.csv"]
            kernel.run("open('data/table.csv', 'w').write('changed')")
            kernel.run("open('new.txt', 'w').write('new')")
            assert kernel.run(look).split() == ["./new.txt", "./data/table.csv"]
            outside = kernel.run(f"open({str(handed_in / 'more')!r}, 'w')")
            assert outside == "PermissionError"
        assert (handed_in / "data" / "table.csv").read_text() == "1,2"
        names = {path.name for path in handed_in.iterdir()}
        assert names == {"data", "homework.ipynb", "link", "pipe"}

    def test_modules_of_the_submission(self, tmp_path):
        """A module beside the notebook can be imported; one of Python's own comes before it."""
        (tmp_path / "helper.py").write_text("answer = 42")
        (tmp_path / "colorsys.py").write_text("answer = 43")
        with running(cwd=tmp_path) as kernel:
            assert kernel.run("import helper; print(helper.answer)") == "42\n"
            assert kernel.run("import colorsys; print(hasattr(colorsys, 'answer'))") == "False\n"

    def test_output_of_programs(self, kernel, capfd):
        """What is written past Python goes to the cell or nowhere, never to the terminal."""
        kernel.run("import os; os.write(1, b'to one'); os.write(2, b'to two')")
        kernel.run("os.system('echo three; echo four >&2')")
        assert capfd.readouterr() == ("", "")


class TestRefusal:
    """No kernel starts that would not be confined as it should be."""

    def test_nothing_to_confine_with(self, monkeypatch):
        """The error names in one line what is missing and the trait that overrides."""

        def check() -> None:
            raise SandboxUnavailable("Landlock is off (Linux 6.12 or newer is needed)")

        monkeypatch.setattr(sandbox, "check", check)
        with pytest.raises(LaunchError, match="Landlock is off") as caught, running():
            raise AssertionError("a kernel was started")
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith("c.WarmProvisioner.confined = False")

    def test_not_confined(self, monkeypatch):
        """With that trait a kernel starts all the same, and nothing is asked."""

        def check() -> None:
            raise SandboxUnavailable("nothing")

        monkeypatch.setattr(sandbox, "check", check)
        with running(confined=False) as kernel:
            assert kernel.run("print(open('/etc/passwd').read()[:4])") == "root\n"

    @pytest.mark.parametrize("inside", ["share/course", "lib"])
    def test_course_in_a_readable_folder(self, inside):
        """A course that lies in the environment, which student code reads, is refused."""
        place = Path(sys.prefix, inside)
        with pytest.raises(LaunchError, match="must stay hidden and lies in") as caught:
            provisioner(hidden=[str(place)]).check()
        assert str(place) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_course_in_a_folder_made_readable(self, tmp_path):
        """So is one in a folder that was granted; beside it, it is accepted."""
        (tmp_path / "data").mkdir()
        granted = [str(tmp_path / "data")]
        with pytest.raises(LaunchError, match="must stay hidden"):
            provisioner(hidden=[str(tmp_path / "data" / "course")], readable=granted).check()
        assert (
            tmp_path / "data"
            in provisioner(hidden=[str(tmp_path / "course")], readable=granted).check()
        )

    def test_granted(self, tmp_path):
        """What is granted can be read and not written."""
        (tmp_path / "shared.txt").write_text("for all")
        path = str(tmp_path / "shared.txt")
        with running(readable=[path]) as kernel:
            assert kernel.run(f"print(open({path!r}).read())") == "for all\n"
            assert kernel.run(f"open({path!r}, 'w')") == "PermissionError"

    def test_granted_but_not_there(self):
        """A path that is to be granted and is not there is named, with its trait."""
        with pytest.raises(LaunchError, match=r"WarmProvisioner\.readable: /nothing is not there"):
            provisioner(readable=["/nothing"]).check()

    def test_a_fork_that_fails(self):
        """A kernel that does not get ready after the fork is a LaunchError that says why."""
        with pytest.raises(LaunchError, match="a forked kernel did not start: OSError") as caught:
            Running(open_files=5)
        assert "\n" not in str(caught.value)


class TestLife:
    """What jupyter_client asks of a provisioner."""

    def test_interrupt(self):
        """An endless loop is interrupted, and the kernel goes on with what it has."""
        with running() as kernel:
            kernel.run("kept = 1")
            kernel.start("open('began', 'w').close()\nwhile True: pass")
            began = kernel.fork.folder / "work" / "began"
            while not began.exists():
                time.sleep(0.01)
            kernel.loop.run(kernel.manager.interrupt_kernel())
            reply = kernel.loop.run(kernel.client.get_shell_msg(timeout=60))
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert kernel.run("print(kept)") == "1\n"

    def test_poll_and_wait(self):
        """poll is None while it runs and its status afterwards; wait gives that, and forgets it."""
        with running() as kernel:
            provisioner = kernel.manager.provisioner
            assert kernel.loop.run(provisioner.poll()) is None
            assert kernel.loop.run(kernel.manager.is_alive())
            assert provisioner.has_process
            kernel.loop.run(provisioner.send_signal(0))
            kernel.loop.run(provisioner.send_signal(signal.SIGTERM))
            assert kernel.loop.run(_within(provisioner.wait())) == -signal.SIGTERM
            assert not alive(kernel.fork.pid)
            assert not provisioner.has_process
            assert kernel.loop.run(provisioner.poll()) == 0
            assert not kernel.loop.run(kernel.manager.is_alive())

    @pytest.mark.parametrize("how", ["kill", "terminate", "shutdown_requested", "cleanup"])
    def test_every_end_is_the_same(self, how):
        """Each way to end a kernel ends it at once, with its folder; a second time is fine."""
        with running() as kernel:
            kernel.start("import time, atexit; atexit.register(time.sleep, 1000); time.sleep(1000)")
            kernel.loop.run(getattr(kernel.manager.provisioner, how)())
            assert not alive(kernel.fork.pid)
            assert not kernel.fork.folder.exists()
            kernel.loop.run(getattr(kernel.manager.provisioner, how)())

    @pytest.mark.parametrize("now", [True, False])
    def test_shutdown(self, now):
        """A shutdown by the manager leaves no process and no folder, and closes the bridge."""
        with running() as kernel:
            kernel.loop.run(kernel.manager.shutdown_kernel(now=now))
            assert not alive(kernel.fork.pid)
            assert not kernel.fork.folder.exists()
            assert kernel.manager.provisioner.bridge.fileno() == -1
            assert not kernel.loop.run(kernel.manager.is_alive())

    def test_many(self):
        """Kernels one after the other leave no file open in the trusted process."""
        with running():
            pass
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            with running() as kernel:
                kernel.run("1")
        assert len(os.listdir("/proc/self/fd")) <= before


async def _within(waiting) -> int | None:
    return await asyncio.wait_for(waiting, 60)
