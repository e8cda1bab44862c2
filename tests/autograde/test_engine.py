"""The engine: every task comes to an end, whatever becomes of workers and schedulers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairmark.autograde import engine as engines
from fairmark.autograde.engine import TRIES, Done, Engine, workers_for_this_machine
from fairmark.autograde.parcel import Task

from . import fake_worker

pytestmark = pytest.mark.pipeline


class TestWorkersForThisMachine:
    """The number of workers where none is given."""

    @pytest.mark.parametrize(
        ("cores", "memory", "workers"),
        [(2, 24e9, 2), (8, 9e9, 3), (1, 24e9, 1), (4, 1e9, 1)],
    )
    def test_bounds(self, monkeypatch, cores, memory, workers):
        """As many as cores, but not more than memory is there for, and always one."""
        monkeypatch.setattr(engines, "CPU_COUNT", cores)
        monkeypatch.setattr(engines, "MEMORY_LIMIT", memory)
        assert workers_for_this_machine() == workers


@pytest.fixture(scope="module")
def came(tmp_path_factory) -> dict[str, tuple[Done, int]]:
    """What came of tasks of every kind, in one run, and how often each was tried."""
    folder = tmp_path_factory.mktemp("tries")
    kinds = ["ok", "kills", "kills once", "kills reader", "kills always", "fails", "fails once"]
    names = [f"{kind} {number}" for kind in kinds for number in range(3 if kind == "ok" else 1)]
    tasks = [Task(str(folder / name), name.rpartition(" ")[0], b"data") for name in names]
    taken = []

    def all_tasks() -> Iterator[Task]:
        for task in tasks:
            taken.append(task)
            yield task

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "grade", fake_worker.instead)
        with Engine(2) as engine:
            for done in engine.run(b"kit", all_tasks()):
                assert found or len(taken) <= 4  # what the workers have, and what waits
                name = Path(done.task.student).name
                assert name not in found
                found[name] = done, len(Path(done.task.student).read_text())
    assert set(found) == set(names)
    return found


class TestRun:
    """Tasks of a fake worker, which ends its process where the task says so."""

    def test_ordinary(self, came):
        """A task gives the bytes of the worker, which has got the kit."""
        for number in range(3):
            done, _ = came[f"ok {number}"]
            assert (done.result, done.error, done.given_up) == (b"kit|data||", "", 0)

    def test_worker_killed_once(self, came):
        """A task whose worker died is done all the same, and nothing is said of it."""
        done, tries = came["kills once 0"]
        assert (done.result, done.given_up, tries) == (b"kit|data||", 0, 2)

    def test_given_up(self, came):
        """A task that ends every worker is done without being run after the stated tries."""
        done, tries = came["kills 0"]
        reason = f"it ended its worker {TRIES} times"
        assert done.result == f"kit|data|{reason}|".encode()
        assert (done.given_up, tries) == (TRIES, TRIES + 1)

    def test_not_even_read(self, came):
        """Where reading it ends the worker too, it is done without its data."""
        done, tries = came["kills reader 0"]
        assert done.result.startswith(b"kit||")
        assert done.result.endswith(f"|it ended its worker {TRIES + 1} times".encode())
        assert tries == TRIES + 2

    def test_hopeless(self, came):
        """Where nothing helps, there is no result, and it is said why."""
        done, _ = came["kills always 0"]
        assert (done.result, done.error) == (None, "every worker that was to grade it died")

    def test_failures(self, came):
        """An exception in the worker is tried once more, and then told in one line."""
        done, tries = came["fails once 0"]
        assert (done.result, tries) == (b"kit|data||", 2)
        done, tries = came["fails 0"]
        assert (done.result, done.error, tries) == (None, "Broken: two", 2)
