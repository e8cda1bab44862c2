"""A kernel that was made before the fork: for its notebook it is as any other, elsewhere unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fairmark.kernel.launcher import ONE_THREAD
from tests.kernel.running import Running, running

# what grader processes find in the zygote, in which kernels were made
IN_THE_ZYGOTE = """
import builtins, os, sys, threading, warnings
import matplotlib, numpy
import matplotlib.pyplot as plt
from IPython import get_ipython

def state():
    hooks = [getattr(sys, name, None) for name in ("displayhook", "excepthook", "ps1", "ps2")]
    numbers = numpy.random.get_state()[1].tolist(), numpy.random.get_state()[2]
    return {
        "builtins": sorted(vars(builtins)), "environ": dict(os.environ), "hooks": hooks,
        "filters": warnings.filters[:], "main": sys.modules["__main__"], "shell": get_ipython(),
        "settings": dict(matplotlib.rcParams), "figures": plt.get_fignums(), "numbers": numbers,
        "backend": plt._backend_mod, "threads": threading.active_count(), "folder": os.getcwd(),
    }

import fairmark.isolation.grader, fairmark.kernel.child, fairmark.kernel.zygote as zygote
before = state()
zygote.warm_up(["matplotlib.pyplot"])
after = state()
print(*(name for name in before if before[name] != after[name]), len(before))
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Running]:
    """A kernel that all of these tests use, one after the other."""
    with running() as started:
        yield started


def test_the_zygote_is_as_it_was():
    """Making kernels and drawing a figure changes nothing that grader processes would find."""
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_ZYGOTE],
        env=os.environ | dict.fromkeys(ONE_THREAD, "1"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["12"]


class TestAsAnyOther:
    """What notebooks may use of the kernel that they run in."""

    @pytest.mark.parametrize(
        "code, printed",
        {
            "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')": "awaited\n",
            "print(get_ipython() is not None, __name__, __IPYTHON__)": "True __main__ True\n",
            "import sys; print(vars(sys.modules['__main__']) is globals())": "True\n",
            "1 + 1\nprint(In[-1].split('+')[0].strip())": "1\n",
            "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)": (
                "True\n"
            ),
            "kept = 5\n%store kept\n%store": "Stored 'kept' (int)\n"
            "Stored variables and their in-db values:\nkept             -> 5\n",
            "%cd -q ..\nimport os; print(os.path.basename(os.getcwd()) != 'work')\n%cd -q work": (
                "True\n"
            ),
            "import gc\nkept = []\nprint(globals() in gc.get_referrers(kept))": "True\n",
            "input()": "StdinNotImplementedError",
            "1 / 0": "ZeroDivisionError",
        }.items(),
    )
    def test_cell(self, kernel, code, printed):
        """A cell gives what it gives in a kernel that was started."""
        client = kernel.client
        client.allow_stdin = False
        assert kernel.run(code) == printed

    def test_places(self, kernel):
        """What the shell knows of folders is the kernel's own."""
        code = (
            "ip = get_ipython()\nprint(ip.home_dir, ip.starting_dir, ip.ipython_dir,"
            " ip.profile_dir.location, _dh[0])"
        )
        places = kernel.run(code).split()
        assert len(places) == 5
        assert all(place.startswith(f"{kernel.fork.folder}/") for place in places)

    def test_nothing_of_another_kernel(self, kernel):
        """Names, history and numbers of cells are each kernel's own."""
        kernel.run("mark = 'of the first'")
        with running() as other:
            assert other.run("print('mark' in globals(), len(In))") == "False 2\n"
            sessions = {
                one.run("print(get_ipython().kernel.session.session)") for one in (kernel, other)
            }
        assert len(sessions) == 2
