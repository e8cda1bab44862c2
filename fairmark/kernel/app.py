"""The kernel that a fork of the zygote becomes, made before the fork as far as it can be.

:func:`prepare` is called in the zygote: it makes what is the same in all kernels, the shell with
its magics above all, and puts back what that changes of the process, since grader processes are
forked from it as well. :func:`enter` is called in the fork and makes what each kernel has for
itself: sockets, streams, and one thread that sends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import zmq
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config, SingletonConfigurable
from zmq.eventloop.zmqstream import ZMQStream

from fairmark.isolation.servant import Servant, id_of_test

from .outlet import Outlet, Stream
from .surroundings import Surroundings

LINGER = 1000  # milliseconds that a closed socket may take to send the rest
CONFIG = Config(
    HistoryManager={"enabled": False, "hist_file": ":memory:"},
    IPythonKernel={"_execute_sleep": 0.0},  # it is there for clients that lose messages
)


class Shell(ZMQInteractiveShell):
    """The shell of a kernel; ``!command`` goes without a terminal, which needs a new session."""

    system = InteractiveShell.system_raw


class Profile(ProfileDir):
    """A profile whose folders are not made before something is put into them."""

    def _location_changed(self, change: Any) -> None: ...


class NoThread:
    """Stands for ipykernel's thread for subshells: there are none, and it is asked for all that."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class Kernel(IPythonKernel):
    """A Python kernel that also answers the grader, in its main thread between two cells.

    A test cell is none of its requests: it begins when the grader asks something. Whoever waits for
    its end gets a reply and outputs as if it had sent a request with the id that is known for it.
    """

    shell_class = Shell
    _supports_kernel_subshells = False
    servant: Servant

    def start(self) -> None:
        """Begin to take requests, and test cells."""
        super().start()
        self.io_loop.asyncio_loop.add_reader(self.servant, self._serve)

    def _serve(self) -> None:
        """Serve the test cells that have begun."""
        while cell := self.servant.begun():
            header = {**self.session.msg_header("test"), "msg_id": id_of_test(cell)}
            self._serve_cell({"header": header})
        if self.servant.closed:
            self.io_loop.asyncio_loop.remove_reader(self.servant)

    def _serve_cell(self, parent: dict[str, Any]) -> None:
        ident = self._shell_context[self._shell_parent_ident]  # of whoever sent the last request
        self.set_parent(ident, parent)
        self._trigger("pre_execute")
        self.servant.serve()
        self._trigger("post_execute")  # which shows figures
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # what a student has put in its place
                stream.flush()
        self.session.send(self.shell_stream, "execute_reply", {"status": "ok"}, parent, ident)
        self._publish_status_and_flush("idle", "shell", self.shell_stream)

    def _trigger(self, event: str) -> None:
        """Have what waits for ``event`` called; it can be interrupted, as in a cell."""
        with contextlib.suppress(KeyboardInterrupt):
            self.pre_handler_hook()
            try:
                self.shell.events.trigger(event)
            finally:
                self.post_handler_hook()


class KernelApp(IPKernelApp):
    """An IPython kernel with two sockets, for requests and for outputs.

    Nobody is to type or to debug here, interrupts are signals, and the zygote knows whether the
    kernel lives: the other sockets, and the threads that serve them, are left out.
    """

    kernel_class = Kernel
    outstream_class = f"{Stream.__module__}.{Stream.__name__}"

    def make(self) -> None:
        """Make what is the same in all kernels."""
        self.log.setLevel("ERROR")  # it leads nowhere; below that, no line of it is put together
        self.init_profile_dir()
        self.init_pdb()
        self.init_kernel()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.shell._sys_modules_keys = set(sys.modules)  # which %reset -s leaves alone

    def init_profile_dir(self) -> None:
        """A profile in the folder for IPython's files; nothing of it is there or needed."""
        self.profile_dir = Profile(parent=self, location=f"{os.environ['IPYTHONDIR']}/profile")

    def init_kernel(self) -> None:
        """The kernel, without sockets so far."""
        self.kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            shell_channel_thread=NoThread(),
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )

    def move_in(self) -> None:
        """Be at home in the folders of this process, which those of the zygote are not."""
        shell = self.shell
        shell.init_environment()
        # names of its own: what was there before gc.freeze is none of what gc lists
        shell.init_create_namespaces()
        shell.init_sys_modules()
        self.kernel.user_ns = shell.user_ns  # which fills it
        shell.user_ns_hidden.update(shell.user_ns)
        shell.starting_dir, shell.home_dir = os.getcwd(), os.environ["HOME"]
        shell.history_manager.dir_hist[:] = [Path.cwd()]
        self.ipython_dir = shell.ipython_dir = os.environ["IPYTHONDIR"]
        self.init_profile_dir()
        shell.profile_dir = self.profile_dir

    def connect(self, connection: dict[str, Any]) -> None:
        """Bind the sockets, and let everything that is written go through them."""
        for name in ("transport", "ip", "shell_port", "iopub_port"):
            setattr(self, name, connection[name])
        self.session.key = connection["key"].encode()
        self.session.session, self.session.pid = uuid4().hex, os.getpid()
        self.init_crash_handler()
        self.init_sockets()
        self.init_io()
        self.init_signal()
        kernel, shell = self.kernel, self.shell
        kernel.shell_stream = ZMQStream(self.shell_socket)
        kernel.iopub_thread, kernel.iopub_socket = self.iopub_thread, self.iopub_socket
        shell.displayhook.pub_socket = shell.display_pub.pub_socket = self.iopub_socket
        self.displayhook.get_execution_count = lambda: kernel.execution_count

    def init_sockets(self) -> None:
        """The two sockets, and the thread that sends on the second."""
        self.context = zmq.Context()
        self.shell_socket = self._bound(zmq.ROUTER, self.shell_port)
        self.shell_socket.router_handover = 1
        self.configure_tornado_logger()
        self.iopub_thread = Outlet(self._bound(zmq.PUB, self.iopub_port), self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def _bound(self, kind: int, port: int) -> zmq.Socket:
        socket = self.context.socket(kind)
        socket.linger = LINGER
        self._bind_socket(socket, port)
        return socket


class _Prepared:
    """An application that was made in the zygote, and what was changed of the process for it."""

    def __init__(self) -> None:
        before, environment = Surroundings(), dict(os.environ)
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(HOME=home, IPYTHONDIR=home)
            self.app = KernelApp.instance(config=CONFIG)
            self.app.make()
        atexit.unregister(self.app.shell.atexit_operations)
        self._after = Surroundings()
        self._singletons: list[SingletonConfigurable] = [
            self.app,
            self.app.kernel,
            self.app.shell,
        ]
        for one in self._singletons:
            type(one).clear_instance()
        before.bring_back()
        os.environ.clear()
        os.environ.update(environment)

    def enter(self, connection: dict[str, Any]) -> KernelApp:
        self._after.bring_back()
        for one in self._singletons:
            for owner in type(one)._walk_mro():
                owner._instance = one
        self.app.move_in()
        self.app.connect(connection)
        return self.app


_prepared: _Prepared | None = None


def prepare() -> None:
    """In the zygote: make what all kernels have in common."""
    global _prepared
    _prepared = _Prepared()


def enter(connection: dict[str, Any]) -> KernelApp:
    """In the fork of a zygote that has prepared: be the kernel of ``connection``, to be started."""
    return _prepared.enter(connection)
