"""Execution within bounds: whatever a notebook does, its run ends and is recorded."""

from __future__ import annotations

import asyncio
import copy
from time import monotonic
from typing import Any

from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute, LimitOutput
from traitlets import Enum, Integer, List, Unicode

from fairmark.notebooks import Role, name_of, role_of

from .cells import (
    ENDED,
    NOT_RUN,
    TIMED_OUT,
    Named,
    error_output,
    has_code_of_student,
    note_cut,
    sound_output,
)

MERGED = 65_536  # stream messages are joined up to this length, so that joining stays cheap
LONGEST = 10_000  # characters kept of one field of an error, or of an oversized result
AROUND = 100  # bytes that an output takes at least
# What a kernel may send about a cell. Widgets are not among it: no mark needs them, and their state
# has no bound.
SHOWN = {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
MESSAGES = SHOWN | {"status", "execute_input"}


class BoundedExecute(Execute):
    """nbgrader's Execute, with a time for the notebook and a size for the output of a cell.

    A kernel that dies, hangs or does not start is a result in this notebook: the cell where it
    happened and the test cells after it get an error output that says so, and what earlier cells
    gave stays. Nothing is raised for what a student's code did.
    """

    timeout = Integer(
        20, allow_none=True, help="Seconds that one cell may run before it is interrupted."
    ).tag(config=True)
    notebook_timeout = Integer(
        120, help="Seconds that the cells of one notebook may run, all together."
    ).tag(config=True)
    interrupt_grace = Integer(
        10, help="Seconds that an interrupted kernel has to answer before it is given up."
    ).tag(config=True)
    max_output_bytes = Integer(
        1_000_000, help="Size of the output that is kept of one cell; the rest is dropped."
    ).tag(config=True)
    extra_arguments = List(
        Unicode(), ["--log-level=ERROR"], help="Arguments for the kernel; this one keeps it quiet."
    ).tag(config=True)
    # an exit handler of the student's is nothing to wait for
    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)

    # errors of the system, for which no student gets a mark: the submission is left for later
    not_the_kernels: tuple[type[Exception], ...] = ()

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the code cells of ``nb`` in order, in place."""
        self.log = Named(self.log, resources)
        self.timeout_func = self._seconds_for
        # why no further cell is run
        self._ended = (resources.get("nbgrader") or {}).get("not_run", "")
        self._spent = 0.0  # seconds that cells have run
        self._began = monotonic()
        self._until = 0.0  # when this cell is no longer listened to
        self._kept = 0  # size of the output kept of this cell
        self._dropped = False  # whether a part of its output was dropped
        self._cut = False  # whether reading the output of this cell was given up
        self._stopped: NotebookNode | None = None  # what was recorded when this cell was stopped
        if self._ended:
            self.log.error(f"not run: {self._ended}")
        elif any(has_code_of_student(cell) for cell in nb.cells):
            try:
                nb, resources = super().preprocess(nb, resources, km)
            except self.not_the_kernels:
                raise
            except Exception as error:  # the kernel's, never the end of the submission
                self._ended = f"the kernel did not start ({_first_line(error)})"
                self.log.error(self._ended)
        else:
            self._ended = "no answer was found in this notebook"
        self._finish(nb)
        return nb, resources

    def _finish(self, nb: NotebookNode) -> None:
        """Say at every test cell that was not run why it was not."""
        for cell in nb.cells:
            if role_of(cell) is Role.TEST and cell.execution_count is None and not cell.outputs:
                cell.outputs = [error_output(NOT_RUN, f"not run: {self._ended}")]

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell, unless the run has ended."""
        if cell.cell_type != "code" or not self._may_run(cell):
            return cell, resources
        seconds = self._seconds_for(cell)
        rest = "" if seconds == self.timeout else f", what was left of {self.notebook_timeout} s"
        message = f"stopped: it ran longer than {seconds} s{rest}"
        self.error_on_timeout = dict(error_output(TIMED_OUT, message))
        self._began, self._kept, self._stopped = monotonic(), 0, None
        self._until = self._began + seconds + self.interrupt_grace
        self._dropped = self._cut = False
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
            if self._cut:
                self._go_on_or_end(cell)
        except DeadKernelError:
            self._end(cell, self._cause_of_death())
        except CellTimeoutError:
            text = message if monotonic() - self._began >= seconds else "its output was lost"
            self._stop(cell, TIMED_OUT, text)
            self._go_on_or_end(cell, anew=True)
        except Exception as error:
            self._end(cell, f"the kernel could not be reached ({_first_line(error)})")
        self._spent += monotonic() - self._began
        self._tidy(cell)
        self.clear_display_id_mapping(index)  # what is shown later belongs to later cells
        if self._dropped:
            self._say_dropped(cell)
        return cell, resources

    def _may_run(self, cell: NotebookNode) -> bool:
        """Whether the run has not ended; it does where no time is left for ``cell``."""
        if not self._ended and self.notebook_timeout - self._spent < 1:
            self._ended = f"the {self.notebook_timeout} s of the notebook were used up before it"
            self.log.error(f"no time left before cell `{name_of(cell)}`; the rest was not run")
        return not self._ended

    def _seconds_for(self, cell: NotebookNode) -> int:
        left = int(self.notebook_timeout - self._spent)
        return max(1, min(self.timeout or left, left))

    def _go_on_or_end(self, cell: NotebookNode, anew: bool = False) -> None:
        if not self._answers(anew):
            self._end(cell, "the kernel could not be interrupted")

    def _cause_of_death(self) -> str:
        return "the kernel died"

    def _stop(self, cell: NotebookNode, ename: str, why: str) -> None:
        self._stopped = error_output(ename, why)
        cell.outputs.append(self._stopped)

    def _end(self, cell: NotebookNode, why: str) -> None:
        self._stop(cell, ENDED, f"{why} while this cell ran")
        self._ended = f"{why} in cell `{name_of(cell)}`"
        self.log.error(f"{self._ended}; the cells after it were not run")

    async def _async_answers(self, anew: bool) -> bool:
        """Whether the kernel answers again; what it still had to say is read and dropped.

        With ``anew`` it is connected anew: the connection ends at a message that is too long.
        """
        if anew:
            self.kc.stop_channels()
            try:
                await asyncio.wait_for(self.async_start_new_kernel_client(), self.interrupt_grace)
            except (TimeoutError, RuntimeError):
                return False
        asked = self.kc.kernel_info()

        async def idle() -> None:
            while True:
                msg = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
                ours = msg["parent_header"].get("msg_id") == asked
                if ours and msg["content"].get("execution_state") == "idle":
                    return
                await asyncio.sleep(0)  # get_msg does not yield while messages are waiting

        try:
            await asyncio.wait_for(idle(), self.interrupt_grace)
        except TimeoutError:
            return False
        return True

    _answers = run_sync(_async_answers)

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Record an error that the kernel replied, and that the cell was run at all."""
        cell, content = kwargs["cell"], kwargs["execute_reply"]["content"]
        if content.get("execution_count") is not None:
            cell["execution_count"] = content["execution_count"]
        if content["status"] == "error":
            _shorten("error", content)
        elif content["status"] != "ok":
            cell.outputs.append(error_output(NOT_RUN, f"the kernel replied {content['status']}"))
        super().on_cell_executed(**kwargs)

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take one message of the kernel; past the deadline of the cell, stop listening to it."""
        if monotonic() > self._until:
            self._cut = True  # a flood that leaves nbclient no time to notice its own timeout
            raise CellExecutionComplete()
        try:
            if msg["msg_type"] not in MESSAGES or self._shows_too_much(msg["content"]):
                return None
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:  # no kernel sends what it is about; the student may
            return None

    def _shows_too_much(self, content: dict[str, Any]) -> bool:
        """Whether there is no room for what ``content`` changes of outputs that are there."""
        shown = (content.get("transient") or {}).get("display_id")
        places = sum(map(len, self._display_id_map.get(shown, {}).values()))
        if not places:
            return False
        self._kept += places * _size(content)
        too_much = self._kept > self.max_output_bytes
        self._dropped |= too_much
        return too_much

    def output(
        self,
        outs: list[NotebookNode],
        msg: dict[str, Any],
        display_id: str | None,
        cell_index: int,
    ) -> NotebookNode | None:
        """Keep an output while there is room; results and errors always, but cut to size."""
        if not outs or self.clear_before_next_output:
            self._kept = 0
        kind, content = msg["msg_type"], msg["content"]
        room = self.max_output_bytes - self._kept
        if kind == "stream":
            content["name"] = "stderr" if content["name"] == "stderr" else "stdout"
            size = len(content["text"])
            content["text"] = content["text"][: max(room, 0)]
        else:
            size = _size(content)
        self._kept += size
        if size > room:
            self._dropped = True
            if kind in {"execute_result", "error"}:
                if sum(out.output_type == kind for out in outs) > 1:
                    return None
                _shorten(kind, content)
            elif kind != "stream" or room <= 0:
                return None
        last = outs[-1] if outs and not self.clear_before_next_output else {}
        if kind == "stream" and last.get("name") == content["name"] and len(last.text) < MERGED:
            last.text += content["text"]
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _tidy(self, cell: NotebookNode) -> None:
        """Drop what a kernel sent that has no place in a notebook file."""
        count = cell.get("execution_count")
        if type(count) is not int or count < 0:
            cell.execution_count = None
        cell.outputs = [sound for output in cell.outputs if (sound := sound_output(output))]

    def _say_dropped(self, cell: NotebookNode) -> None:
        """Say at the end of what was kept, and with the notebook, that there was more."""
        text = f"[only {self.max_output_bytes} bytes of output are kept; the rest was dropped]\n"
        cell.outputs.append(NotebookNode(output_type="stream", name="stdout", text=text))
        note_cut(self.nb, cell)


class NotedLimit(LimitOutput):
    """nbgrader's LimitOutput, which also keeps with the notebook whose output it cut."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Cut the outputs of every cell of ``nb`` in place."""
        for index, cell in enumerate(nb.cells):
            before = copy.deepcopy(cell.get("outputs"))
            nb.cells[index], resources = self.preprocess_cell(cell, resources, index)
            if cell.get("outputs") != before:
                note_cut(nb, cell)
        return nb, resources


def _size(content: dict[str, Any]) -> int:
    return AROUND + sum(len(str(value)) for value in content.values())


def _shorten(kind: str, content: dict[str, Any]) -> None:
    if kind == "execute_result":
        text = str(content["data"].get("text/plain", ""))[:LONGEST]
        content.update(data={"text/plain": text}, metadata={})
        return
    content["ename"] = str(content["ename"])[:100]
    content["evalue"] = str(content["evalue"])[:LONGEST]
    content["traceback"] = [str(line)[:LONGEST] for line in content["traceback"][-20:]]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
