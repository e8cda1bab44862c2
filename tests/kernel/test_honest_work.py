"""What goes on working in the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zoneinfo
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fairmark.kernel.sandbox import Limits
from tests.kernel.confinement import (
    Confined,
)


def _matmul() -> float:
    return float((np.ones((200, 200)) @ np.ones((200, 200)))[0, 0])


def _figure() -> bool:
    plt.plot([1, 2])
    plt.title("$x^2$")
    plt.savefig("figure.png")
    plt.savefig(data := io.BytesIO(), format="pdf")
    return os.path.getsize("figure.png") > 1000 and len(data.getvalue()) > 1000


def _database() -> list:
    with contextlib.closing(sqlite3.connect("data.db")) as database:
        database.execute("create table t (x)")
        database.execute("insert into t values (1)")
        database.commit()
        return [list(row) for row in database.execute("select x from t")]


def _copy() -> str:
    Path("a.txt").write_text("text")
    shutil.copy("a.txt", "b.txt")
    shutil.copy2("a.txt", "c.txt")
    shutil.copytree(".", "../scratch/tree", ignore=lambda *_: ["tree"])
    return Path("b.txt").read_text() + Path("tree/c.txt").read_text()


def _asynchronous() -> int:
    async def work() -> int:
        await asyncio.sleep(0)
        return await asyncio.to_thread(int, "3")

    return asyncio.run(work())


def _own_module() -> int:
    Path("mine.py").write_text("value = 5")
    sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()
    return importlib.import_module("mine").value


def _temporary() -> str:
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w+") as file:
        file.write(Path(folder).name and "x")
        file.seek(0)
        return file.read()


class TestHonestWork:
    """What goes on working."""

    @pytest.mark.parametrize(
        ("work", "wanted"),
        [
            (_matmul, 200.0),
            (_figure, True),
            (_database, [[1]]),
            (_copy, "texttext"),
            (_asynchronous, 3),
            (_own_module, 5),
            (_temporary, "x"),
        ],
    )
    def test_in_a_warm_process(self, confined, torch, work, wanted):
        """Arrays, figures, databases, copies, temporary files and own modules."""
        plt.title("a")
        plt.savefig(os.devnull, format="png")
        plt.savefig(os.devnull, format="pdf")
        assert confined(work, Limits()) == wanted

    def test_programs_and_time_zones(self, confined):
        """A program of the system runs, and the time zones are there."""

        def run() -> list[str]:
            Path("a.txt").touch()
            listed = subprocess.run(["ls"], capture_output=True, text=True, check=True)
            return [listed.stdout, zoneinfo.ZoneInfo("Asia/Tokyo").key]

        assert confined(run) == ["a.txt\n", "Asia/Tokyo"]

    def test_a_package_that_was_not_imported(self, places):
        """The environment can be imported from, also where the zygote has not."""

        def imported() -> list[str]:
            for name in [name for name in sys.modules if name.partition(".")[0] == "wave"]:
                del sys.modules[name]
            import wave

            command = [sys.executable, "-c", "import bs4, numpy; print(bs4.__name__)"]
            return [wave.__name__, subprocess.run(command, capture_output=True, text=True).stdout]

        assert Confined(places["scratch"])(imported, Limits()) == ["wave", "bs4\n"]

    def test_training(self, confined, torch):
        """A step of training with a loader, an optimiser and a saved model."""
        from torch.utils.data import DataLoader, TensorDataset

        def train() -> bool:
            model = torch.nn.Linear(3, 1)
            optimiser = torch.optim.Adam(model.parameters())
            data = TensorDataset(torch.randn(20, 3), torch.randn(20, 1))
            for inputs, targets in DataLoader(data, batch_size=5, shuffle=True, num_workers=0):
                optimiser.zero_grad()
                torch.nn.functional.mse_loss(model(inputs), targets).backward()
                optimiser.step()
            torch.save(model.state_dict(), "model.pt")
            np.save("weights.npy", model.weight.detach().numpy())
            again = torch.load("model.pt")["weight"]
            return bool(torch.equal(again, torch.from_numpy(np.load("weights.npy"))))

        torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])  # what it imports, before the fork
        assert confined(train, Limits()) is True
