"""Execution in two processes: answers in the student's kernel, tests in the grader process."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from pathlib import Path
from time import monotonic
from typing import Any

from nbformat import NotebookNode

from fairmark.kernel.launcher import Fork, LaunchError, launcher_for
from fairmark.kernel.manager import WarmManager, WarmSpecManager
from fairmark.kernel.preload import PreloadError, modules_of
from fairmark.kernel.scratch import copy_files
from fairmark.notebooks import Role, name_of, role_of
from fairmark.preprocessors.cells import ENDED, FAULT, NOT_RUN, TIMED_OUT, error_output
from fairmark.preprocessors.execute import BoundedExecute
from fairmark.preprocessors.results import Raised, chatter, message_for, points_output

from .servant import id_of_test
from .trusted import packed

FOR_STUDENTS = {"check", "gone", "timed out"}  # the kinds of errors whose text is told as it is
GIVEN_FILES = 500_000_000  # bytes of an assignment's own files that tests find beside them


# found once in a process, also where nothing was: by the notebook and the time of its last change
_modules: dict[Any, list[str]] = {}


class NoAnswer(Exception):
    """The grader process is of no further use: the name of this as an error, and what it did."""


class GraderProcess:
    """The executor's end of the grader process of one notebook."""

    def __init__(self, modules: list[str], bridge: socket.socket, files: Path | None) -> None:
        launcher = launcher_for(modules)
        folder = launcher.new_folder()
        (folder / "work").mkdir()
        if files:
            copy_files(files, folder / "work", GIVEN_FILES)
        self._socket, theirs = socket.socketpair()
        heard, self._bell = os.pipe()
        self._rings = 0
        with theirs:
            fds = [theirs.fileno(), bridge.fileno(), heard]
            self.fork: Fork = launcher.fork("grader", folder, fds)
        os.close(heard)
        self._received = b""

    def begin_given(self, cell: NotebookNode) -> None:
        """Have a given cell run; :meth:`answer` waits for what came of it."""
        self._ask(op="given", **_as_asked(cell))

    def begin_test(self, cell: NotebookNode, number: int, seconds: float) -> None:
        """Have a test cell run, with ``seconds`` for what it asks of student code; 0: nothing."""
        what = {**_as_asked(cell), "number": number}
        self._ask(op="test", **what, seconds=seconds, rings=self._rings)

    def _ask(self, **what: Any) -> None:
        with contextlib.suppress(OSError):  # it has ended: there will be no answer
            self._socket.sendall(json.dumps(what).encode() + b"\n")

    def ring(self) -> None:
        """Say that the student's side does not answer any more in the test that is running."""
        with contextlib.suppress(OSError):
            os.write(self._bell, b"!")
            self._rings += 1

    def answer(self, seconds: float) -> dict[str, Any]:
        """What came of the cell. Raises :class:`NoAnswer`, at the latest after ``seconds``."""
        deadline = monotonic() + seconds
        while b"\n" not in self._received:
            left = deadline - monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise NoAnswer(TIMED_OUT, "did not come to an end")
            data = b""
            with contextlib.suppress(OSError):
                data = self._socket.recv(1 << 20)
            if not data:
                raise NoAnswer(ENDED, "ended the grader process")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.fork.abandon()
        self._socket.close()
        os.close(self._bell)


class IsolatedExecute(BoundedExecute):
    """Runs answers in a warm, confined kernel, and test cells in a process that no student reaches.

    The result of a test cell comes from the grader process alone. It is put into the notebook when
    the kernel has ended, so nothing that the kernel sends can change it.
    """

    not_the_kernels = (LaunchError,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", WarmManager)
        super().__init__(*args, **kwargs)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run the code cells of ``nb`` in order, in place."""
        names = resources.get("nbgrader") or {}
        self._find_modules(names.get("originals", []))
        self._hidden = [str(path) for path in names.get("hidden", [])]
        self._grader: GraderProcess | None = None
        self._late = False  # whether the kernel was interrupted in this test
        self._lost = ""  # why the grader process is of no further use
        self._results: dict[int, list[NotebookNode]] = {}
        try:
            return super().preprocess(nb, resources, km)
        finally:
            self._close_grader()

    def warm_up(self, originals: list[Path]) -> list[str]:
        """Start to get ready for the notebook that has these originals, without waiting for it.

        Returns the modules that its kernels are forked with.
        """
        self._find_modules(originals)
        launcher_for(self._modules)
        return self._modules

    def _find_modules(self, originals: list[Path]) -> None:
        self._source = _first_there(reversed(originals))
        key = (self._source, self._source.stat().st_mtime_ns) if self._source else None
        if key not in _modules:
            try:
                _modules[key] = modules_of(self._source) if self._source else []
            except PreloadError as error:
                self.log.warning(f"{error}; kernels import what they need themselves")
                _modules[key] = []
        self._modules = _modules[key]

    def create_kernel_manager(self) -> WarmManager:
        """The manager of a kernel that is forked with this notebook's modules."""
        settings = {"modules": self._modules, "hidden": self._hidden}
        self.km = self.kernel_manager_class(
            kernel_name="python3",
            config=self.config,
            kernel_spec_manager=WarmSpecManager(settings=settings),
        )
        return self.km

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell where it belongs."""
        role = role_of(cell)
        if self._lost:
            return cell, resources
        if role is Role.TEST:
            self._results[index] = self._grade(cell, resources, index)
            self.nb.cells[index] = cell  # the request to the servant has taken its place
            return cell, resources
        if role is Role.GIVEN:
            self._started_grader().begin_given(cell)  # on both sides at the same time
            super().preprocess_cell(cell, resources, index)
            self._end_given(cell)
            return cell, resources
        return super().preprocess_cell(cell, resources, index)

    def _started_grader(self) -> GraderProcess:
        if self._grader is None:
            files = self._source.parent if self._source else None
            bridge = self.km.provisioner.bridge
            self._grader = GraderProcess(self._modules, bridge, files)
            bridge.close()  # so that the kernel notices when the grader process ends
        return self._grader

    def _close_grader(self) -> None:
        grader, self._grader = self._grader, None
        if grader:
            grader.close()

    def _end_given(self, cell: NotebookNode) -> None:
        try:
            answer = self._grader.answer(self.timeout or self.notebook_timeout)
        except NoAnswer as reason:
            self._lose_grader(cell, reason)
            return
        if "error" in answer:
            what = answer["error"]["evalue"]
            self.log.error(f"given cell `{name_of(cell)}` failed in the grader process: {what}")

    def _grade(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> list[NotebookNode]:
        """Run a test cell in the grader process, with the kernel at its service."""
        grader, seconds = self._started_grader(), self._seconds_for(cell)
        may_ask = self._may_run(cell)
        grader.begin_test(cell, index + 1, seconds + self.interrupt_grace if may_ask else 0)
        serve = _request("# the kernel serves the grader process", cell)
        self._stopped = None
        if may_ask:
            self.kc.served = id_of_test(index + 1)
            super().preprocess_cell(serve, resources, index)
            self.kc.served = None
            self._late = monotonic() - self._began >= seconds
            grader.ring()
        try:
            answer = grader.answer(seconds)
        except NoAnswer as reason:
            self._lose_grader(cell, reason)
            name, what = reason.args
            return [*chatter(serve), error_output(name, f"stopped: this test {what}")]
        result = self._result(answer, cell)
        if answer["printed"]:
            printed = NotebookNode(output_type="stream", name="stdout", text=answer["printed"])
            serve.outputs.append(printed)
        return [*chatter(serve), *([result] if result else [])]

    def _result(self, answer: dict[str, Any], cell: NotebookNode) -> NotebookNode | None:
        """The one output that is the result of ``cell``; None gives all of its points."""
        if "error" not in answer:
            value = answer["value"]
            result = None if value is None else points_output(value, cell)
            if result and result.get("ename") == FAULT:
                told = result.traceback[0]
                self.log.error(f"test cell `{name_of(cell)}`: {told}; it scores 0")
            return result
        error = answer["error"]
        if error["kind"] in {"gone", "timed out"}:
            if self._stopped:
                return error_output(self._stopped.ename, self._stopped.evalue)
            if self._ended:
                return error_output(NOT_RUN, f"not run: {self._ended}")
            if self._late:
                return error_output(TIMED_OUT, self.error_on_timeout["evalue"])
        raised = Raised(
            name=error["ename"],
            text=error["evalue"],
            line=error["line"],
            own=error["kind"] != "student",
            for_students=error["kind"] in FOR_STUDENTS,
        )
        return error_output(raised.name, message_for(raised, cell, self.nb), error["traceback"])

    def _lose_grader(self, cell: NotebookNode, reason: NoAnswer) -> None:
        """Give the rest up: a late answer could be taken for that of another cell."""
        self._ended = self._lost = f"cell `{name_of(cell)}` {reason.args[1]}"
        self.log.error(f"{self._lost}; the cells after it were not run")
        self._close_grader()

    def _finish(self, nb: NotebookNode) -> None:
        """Put the results in their places, now that nothing of the student's runs any more."""
        for index, cell in enumerate(nb.cells):
            if role_of(cell) is Role.TEST:
                not_run = error_output(NOT_RUN, f"not run: {self._ended}")
                cell.outputs = self._results.get(index, [not_run])
                cell.execution_count = None

    def _cause_of_death(self) -> str:
        why = self.km.provisioner.fork.why if self.km.provisioner.fork else ""
        return f"the kernel was ended, for it took {why}," if why else super()._cause_of_death()


def _request(source: str, cell: NotebookNode) -> NotebookNode:
    """A code cell to run in place of ``cell``, without the checks of nbformat's own."""
    return NotebookNode(
        cell_type="code", id=cell.get("id"), metadata=NotebookNode(), source=source, outputs=[]
    )


def _as_asked(cell: NotebookNode) -> dict[str, str]:
    """A trusted cell for the grader process, with its code, which is made once for all students."""
    source, name = cell.source, name_of(cell)
    return {"source": source, "name": name, "compiled": packed(source, name)}


def _first_there(paths: Any) -> Path | None:
    return next((Path(path).resolve() for path in paths if Path(path).is_file()), None)
