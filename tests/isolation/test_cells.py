"""Time, interrupts and the order of cells: both ends stay in step."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from fairmark.isolation.bridge import Bridge, Gone, Handle, StudentError, TimedOut
from fairmark.isolation.servant import Servant

from .worlds import SECONDS, SHORT, pair, serve_next


class TestDeadline:
    def test_student_code_that_does_not_end(self, start):
        """Nothing more can be asked in this cell; after an interrupt the next cell is served."""

        def forever(x):
            while True:
                x += 1

        bridge = start(forever=forever, one=1, double=lambda x: 2 * x)
        found = bridge.fetch(["forever", "double"])
        bridge.begin(1, SHORT)
        start_time = time.monotonic()
        with pytest.raises(TimedOut, match="too long"):
            found["forever"](np.ones(2))
        assert time.monotonic() - start_time < 2 * SHORT
        for ask in [
            lambda: bridge.fetch(["one"]),
            lambda: found["double"](2),
            lambda: len(found["double"]),
        ]:
            with pytest.raises(TimedOut, match="too long"):
                ask()
        bridge.end()
        os.kill(bridge.pid, signal.SIGINT)
        bridge.begin(2, SECONDS)
        assert found["double"](bridge.fetch(["one"])["one"]) == 2

    def test_an_interrupt_ends_the_cell(self, start):
        """The executor interrupts the kernel before the deadline of the bridge."""
        bridge = start(forever=lambda: time.sleep(60), one=1)
        forever = bridge.fetch(["forever"])["forever"]
        threading.Timer(SHORT, os.kill, [bridge.pid, signal.SIGINT]).start()
        with pytest.raises(TimedOut):
            forever()
        bridge.begin(2, SECONDS)
        assert bridge.fetch(["one"]) == {"one": 1}

    def test_interrupts_at_any_moment_leave_the_stream_in_step(self, start):
        """However often, the next cell gets right answers."""
        bridge = start(double=lambda x: 2 * x)
        double = bridge.fetch(["double"])["double"]
        x = np.arange(100_000.0)
        for cell in range(2, 20):
            bridge.end()
            bridge.begin(cell, SECONDS)
            assert (double(x) == 2 * x).all()
            timer = threading.Timer(0.002 * cell, os.kill, [bridge.pid, signal.SIGINT])
            timer.start()
            bridge.begin(cell, 0.1)
            with pytest.raises(TimedOut):
                while True:
                    double(x)
            timer.join()

    def test_requests_of_a_cell_that_was_broken_off(self):
        """A servant that starts late passes over them, and over the end of that cell."""
        ours, theirs = pair()
        bridge = Bridge(ours)
        bridge.begin(1, 0.05)
        with pytest.raises(TimedOut):
            bridge.fetch(["a"])
        bridge.end()
        bridge.begin(2, SECONDS)
        calls = []
        names = {"f": lambda: calls.append(1)}
        thread = threading.Thread(target=lambda: calls.append(bridge.fetch(["f"])["f"]()))
        thread.start()
        threading.Timer(SHORT, bridge.end).start()
        servant = Servant(theirs, names)
        servant._over = 1  # cell 1 was interrupted before this came to its requests
        assert serve_next(servant)
        thread.join()
        assert calls == [1, None]

    def test_a_cell_that_needs_no_names_runs_without_a_kernel(self):
        """Only what needs the student's side fails when that is gone."""
        ours, theirs = pair()
        theirs.close()
        bridge = Bridge(ours)
        bridge.begin(1, SHORT)
        assert bridge.fetch([]) == {}
        with pytest.raises(Gone):
            bridge.fetch(["a"])

    def test_outside_of_a_cell_nothing_is_asked(self, start):
        """A handle that a test left behind does nothing until the next test."""
        bridge = start(f=len)
        f = bridge.fetch(["f"])["f"]
        bridge.end()
        with pytest.raises(RuntimeError, match="in a test cell"):
            f([])
        bridge.begin(2, SECONDS)
        assert f([]) == 0


class TestServant:
    def test_an_object_that_is_not_there(self, start):
        """A number that the servant never gave is an error of this one call."""
        bridge = start(f=len)
        f = bridge.fetch(["f"])["f"]
        object.__setattr__(stray := Handle(bridge, 99, "f"), "_number", 99)
        with pytest.raises(StudentError, match="no longer there"):
            f(stray)
        assert f([1]) == 1

    def test_it_returns_at_the_end_of_a_cell_and_of_the_stream(self):
        """It keeps its objects from cell to cell, and the signal handler as it was."""
        ours, theirs = pair()
        servant, bridge = Servant(theirs, {"f": len}), Bridge(ours)
        handler = signal.getsignal(signal.SIGINT)
        handles = []

        def test_cell(number):
            bridge.begin(number, SECONDS)
            handles.append(bridge.fetch(["f"])["f"])
            bridge.end()

        for number in (1, 2):
            thread = threading.Thread(target=test_cell, args=[number])
            thread.start()
            assert serve_next(servant)
            thread.join()
        ours.close()
        assert not serve_next(servant) and servant.closed
        assert handles[0] is handles[1] and signal.getsignal(signal.SIGINT) is handler
