"""What a kernel sends about its cells: none of it spoils the notebook or ends the run."""

from __future__ import annotations

import time

import pytest

from tests.pipeline.course import cell_of, check

from .graded import grade, student

# ``send`` publishes whatever it is given, as no honest code does; ``show`` makes or updates a
# display by its id.
SEND = r"""
import json
kernel = get_ipython().kernel
def send(kind, **content):
    message = kernel.session.msg(kind, content, parent=kernel.get_parent("shell"))
    kernel.session.send(kernel.iopub_socket, message, ident=kernel._topic(kind))
def show(display_id, text="x", kind="display_data", **metadata):
    data = {"text/plain": text}
    send(kind, data=data, metadata=metadata, transient={"display_id": display_id})
"""
STILL = check("still", "assert x == 1")


def sent(source, **traits):
    """A run in which an answer sends something, and then a test needs that answer."""
    graded = grade(student(SEND), student(source + "\nx = 1", "sends"), STILL, **traits)
    assert graded.result("still") is None
    return cell_of(graded.notebook, "sends")


@pytest.mark.parametrize(
    "source",
    [
        "send('stream', name='stdout', text=5)",
        "send('stream', name=5, text='x')",
        "send('stream')",
        "send('display_data', data=5, metadata=[], transient=7)",
        "send('display_data', data={}, metadata={}, transient={'display_id': ['a']})",
        "send('error', ename=1, evalue=None, traceback='x')",
        "send('execute_input', execution_count='many')",
        "send('status', execution_state=['idle'])",
        "send('clear_output', wait='x')",
        "send('comm_open', comm_id=1)",
        "show('a', kind='update_display_data')",
        "v = 1\nfor _ in range(480):\n    v = [v]\n"
        "send('display_data', data={'application/json': v}, metadata={})",
        "kernel.session.pack = lambda thing: json.dumps(thing, default=str).encode()\n"
        "send('stream', name='stdout', text=chr(0xd800))",
    ],
)
def test_content_of_any_kind(source):
    """The file is valid and can be written, and the run goes on."""
    sent(source)


@pytest.mark.parametrize("count", ["'two'", "True", "-1", "1.5", "[1]", "10 ** 400"])
def test_execution_counts_of_any_kind(count):
    """What is no count of a notebook file is left out."""
    fake = (
        "real = kernel.do_execute\nasync def fake(*args, **named):\n"
        f"    return await real(*args, **named) | {{'execution_count': {count}}}\n"
        "kernel.do_execute = fake"
    )
    graded = grade(student(SEND + fake), student("x = 1", "sends"), STILL)
    assert graded.result("still") is None


@pytest.mark.parametrize(
    "source",
    [
        "for n in range(30): show('a')\nshow('a', 'y' * 900_000, 'update_display_data')",
        "for n in range(30):\n    show(n)\n    show(n, 'y' * 900_000, 'update_display_data')",
        "for n in range(30): show(None, more='y' * 900_000)",
        "for n in range(30): send('error', ename='e', evalue='y' * 900_000, traceback=[], data={})",
        "for n in range(30): send('stream', name='y' * 900_000, text='')",
        "for n in range(3_000_000 // 9): print('y' * 8)",
    ],
)
def test_the_size_is_bounded(source):
    """However it is sent, a cell keeps no more than its part."""
    assert len(str(sent(source).outputs)) < 2_000_000


def test_a_message_that_is_too_long():
    """It costs the output of its cell; the run goes on."""
    cell = sent("print('y' * 100_000_000)")
    assert [out.evalue for out in cell.outputs] == ["its output was lost"]


def test_messages_about_nothing():
    """However many come that belong to no cell, the time of the cell that sends them ends."""
    source = (
        "def forever():\n    while True:\n"
        "        message = kernel.session.msg('stream', {'name': 'stdout', 'text': 'x'})\n"
        "        kernel.session.send(kernel.iopub_socket, message)\n"
        "import threading\nfor _ in range(3):\n"
        "    threading.Thread(target=forever, daemon=True).start()\n"
    )
    began = time.monotonic()
    graded = grade(student(SEND), student(source + "forever()", "sends"), STILL, timeout=2)
    assert time.monotonic() - began < 40
    assert "stopped: it ran longer than 2 s" in str(cell_of(graded.notebook, "sends").outputs)
    assert graded.result("still")


def test_nothing_is_said_in_the_log():
    """The kind of a message is the student's to choose, and no text for a terminal."""
    source = "send('\\x1b[2Jfalse line')\nx = 1"
    graded = grade(student(SEND), student(source, "sends"), STILL)
    assert graded.log == [] and graded.result("still") is None


def test_displays_are_updated_in_their_own_cell():
    """An update that comes later changes neither a test cell nor an earlier answer."""
    update = "show('a', 'changed', 'update_display_data')\nshow('b', 'changed', 'display_data')"
    graded = grade(
        student(
            SEND + "show('a')\nshow('a', 'new', 'update_display_data')\ndef call():\n    show('b')"
        ),
        check("test", "call()\nassert False, 'no'"),
        student(update + "\nx = 1", "later"),
        STILL,
    )
    first, test = (cell_of(graded.notebook, name) for name in ("answer", "test"))
    assert [out.data["text/plain"] for out in first.outputs] == ["new"]
    assert [out.get("data", {}).get("text/plain") for out in test.outputs] == ["x", None]
    assert graded.result("test") == "no" and graded.result("still") is None
