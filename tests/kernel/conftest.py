"""What the tests of the sandbox share: a secret, a scratch folder, and confined forks."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairmark.kernel import sandbox
from tests.kernel.confinement import (
    NOBODY,
    Confined,
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background hands that on
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def torch():
    """PyTorch, imported before any fork as the zygote does, and with one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(before)


@pytest.fixture
def places(monkeypatch) -> Iterator[dict[str, Path]]:
    """A secret folder with a file, and the scratch folder, which anybody may reach as such."""
    sandbox.check()
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir="/tmp") as name:
        top = Path(name)
        top.chmod(0o777)
        for folder in ("course", "scratch"):
            (top / folder).mkdir()
            (top / folder).chmod(0o777)
        secret = top / "course" / "hidden.txt"
        secret.write_text("the hidden test")
        secret.chmod(0o666)
        yield {"top": top, "course": top / "course", "secret": secret, "scratch": top / "scratch"}


@pytest.fixture(params=["as it is", "as nobody"])
def confined(request, places) -> Confined:
    """Forks of this user, and, where this is root, of an ordinary one."""
    if request.param == "as nobody" and os.getuid() == 0:
        return Confined(places["scratch"], NOBODY)
    return Confined(places["scratch"])
