"""The kernel manager and client that nbclient uses for warm kernels."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from queue import Empty
from time import monotonic
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import ZMQSocketChannel
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session, json_unpacker
from traitlets import CaselessStrEnum, Dict, Instance, Type

PROVISIONER = "fairmark-warm"  # the name of its entry point
LONGEST_MESSAGE = 100_000_000  # bytes; a kernel that sends a longer one is disconnected
WAITING_MESSAGES = 16  # of outputs that were not read yet; a kernel that is faster loses some


class WarmSpecManager(KernelSpecManager):
    """Knows one kernel: Python, forked by the provisioner, whatever name is asked for."""

    settings = Dict(help="Traits of the provisioner for the kernels of this manager.")

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """A kernelspec that is in no file, with the provisioner in its metadata."""
        return KernelSpec(
            argv=[],
            display_name="Python 3",
            language="python",
            interrupt_mode="signal",
            metadata={
                "kernel_provisioner": {
                    "provisioner_name": PROVISIONER,
                    "config": dict(self.settings),
                }
            },
        )


def unpacked(part: bytes) -> Any:
    """One part of a message; the date of a header is read here, since it takes others 20 times as
    long."""
    content = json_unpacker(part)
    if isinstance(content, dict) and "msg_id" in content:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            content["date"] = datetime.fromisoformat(content["date"])
    return content


class Channel(ZMQSocketChannel):
    """A channel for asyncio on an ordinary socket, which waits only where there is nothing to read.

    The sockets that zmq has for asyncio take longer for a message than it takes to read it.
    """

    _in_turn = 0

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message. Raises :class:`Empty` when ``timeout`` seconds have passed.

        However fast messages come, others get their turn.
        """
        deadline = None if timeout is None else monotonic() + timeout
        self._in_turn += 1
        if self._in_turn % WAITING_MESSAGES == 0:
            await asyncio.sleep(0)
        while True:
            try:
                return self._recv(flags=zmq.DONTWAIT)
            except zmq.Again:
                left = None if deadline is None else deadline - monotonic()
            if left is not None and left <= 0:
                raise Empty
            await self._changed(left)

    async def _changed(self, seconds: float | None) -> None:
        """Wait, ``seconds`` at most, for something to happen since the last look at the socket."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        fd = self.socket.FD
        loop.add_reader(fd, _wake, woken)
        timer = None if seconds is None else loop.call_later(seconds, _wake, woken)
        try:
            await woken
        finally:
            loop.remove_reader(fd)
            if timer:
                timer.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class WarmClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel is, and bounded in what it takes in."""

    served: str | None = None  # the id of the test cell that the kernel serves next

    context = Instance(zmq.Context)
    shell_channel_class = Type(Channel)
    iopub_channel_class = Type(Channel)
    stdin_channel_class = Type(Channel)
    control_channel_class = Type(Channel)

    def _context_default(self) -> zmq.Context:
        self._created_context = True
        return zmq.Context()

    def execute(self, code: str, **kwargs: Any) -> str:
        """Ask for ``code`` to be run; the id of the request. A test cell is asked for by others."""
        return self.served or super().execute(code, **kwargs)

    def start_channels(self, *args: Any, **kwargs: Any) -> None:
        """Start what is needed: nobody types, and whether the kernel lives is known."""
        super().start_channels(*args, **kwargs | {"stdin": False, "hb": False})

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        self.context.setsockopt(zmq.RCVHWM, WAITING_MESSAGES)
        self.context.setsockopt(zmq.MAXMSGSIZE, LONGEST_MESSAGE)
        return super()._create_connected_socket(channel, identity)

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its outputs are heard.

        The provisioner has waited for the kernel to bind its sockets, so nothing is polled here.
        Raises :class:`RuntimeError` when ``timeout`` seconds have passed.
        """
        deadline = monotonic() + (timeout or 60)
        heard = answered = None
        while not (heard and answered):
            if monotonic() > deadline:
                raise RuntimeError(f"the kernel did not answer within {timeout} s")
            asked = self.kernel_info()
            answered = await self._next(self.shell_channel, asked, "kernel_info_reply")
            heard = await self._next(self.iopub_channel, asked, "status")
        self._handle_kernel_info_reply(answered)

    wait_for_ready = _async_wait_for_ready

    async def _next(self, channel: Any, asked: str, kind: str) -> dict[str, Any] | None:
        """The next message of ``kind`` that answers ``asked``; None if half a second passes."""
        until = monotonic() + 0.5
        while (left := until - monotonic()) > 0:
            try:
                message = await channel.get_msg(timeout=left)
            except Empty:
                return None
            ours = message["parent_header"].get("msg_id") == asked
            done = kind != "status" or message["content"].get("execution_state") == "idle"
            if ours and message["msg_type"] == kind and done:
                return message
        return None


class WarmManager(AsyncKernelManager):
    """A kernel manager for forked kernels, on Unix sockets in the kernel's own folder."""

    client_factory = Type(klass=WarmClient)
    transport = CaselessStrEnum(["ipc"], default_value="ipc")

    def _session_default(self) -> Session:
        return Session(parent=self, unpack=unpacked)

    def write_connection_file(self, **kwargs: Any) -> None:
        """There is none: nobody else is to connect."""

    async def start_kernel(self, **kwargs: Any) -> None:
        """Start a kernel, as the base class does but without its pause for tests of its own.

        Raises :class:`fairmark.kernel.launcher.LaunchError`.
        """
        self._attempted_start = True
        command, kwargs = await self.pre_start_kernel(**kwargs)
        await self._launch_kernel(command, **kwargs)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel: student code is not asked, and nothing is paused for."""
        self.shutting_down = True
        await self._kill_kernel(restart=restart)
        await self.cleanup_resources(restart=restart)
