"""A PostgreSQL server that tests start, stop and lose: on a Unix socket in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

PACKAGES = Path("/usr/lib/postgresql")  # where Debian puts a folder for each version
USER = "grader"
PASSWORD = "lock&key@42/%"  # each sign of it has to be quoted in a URL
SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=50")
PATIENCE = 60  # seconds for a server to start or to stop


class Server:
    """A server with data of its own; every connection needs the password.

    It goes when the process that started it goes, however that ends.
    """

    def __init__(self) -> None:
        self.programs = _programs()
        # not one of pytest's folders: those are closed to the user that the server runs as
        self.folder = Path(tempfile.mkdtemp(prefix="fairmark-postgres-"))
        self._as_user = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:  # as which PostgreSQL does not start
            shutil.chown(self.folder, "postgres", "postgres")
            self._as_user += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        self._process: subprocess.Popen[bytes] | None = None
        self._make_data()

    def _make_data(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        done = subprocess.run(
            [
                *self._as_user,
                self.programs / "initdb",
                *("--pgdata", self.folder / "data", "--username", USER, "--pwfile", password),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr

    def url(self, database: str, password: str = PASSWORD) -> str:
        """The URL of a database, as it is written in ``nbgrader_config.py``."""
        query = {"host": str(self.folder)}
        url = URL.create("postgresql+psycopg", USER, password, database=database, query=query)
        return url.render_as_string(hide_password=False)

    def new_database(self, name: str, template: str = "template0") -> str:
        """The URL of a new copy of a database, in place of an older one of that name.

        template0 is an empty one.
        """
        self.start()
        with self._connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder), user=USER, password=PASSWORD, dbname="postgres", autocommit=True
        )

    def start(self) -> None:
        """Start the server if it is not running, and wait until it answers."""
        if self._process is None:
            settings = [word for setting in SETTINGS for word in ("-c", setting)]
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        *self._as_user,
                        self.programs / "postgres",
                        *("-D", self.folder / "data", "-k", self.folder, *settings),
                    ],
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        give_up = monotonic() + PATIENCE
        while not self._answers():
            log_text = (self.folder / "log").read_text()
            assert self._process.poll() is None and monotonic() < give_up, log_text
            sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self._connect():
            return True
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends what it is doing in order, SIGQUIT is like a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def close(self) -> None:
        """Stop it and remove its data."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A running server, of this module of tests."""
    running = Server()
    try:
        running.start()
        yield running
    finally:
        running.close()


def _programs() -> Path:
    """The folder with the programs of the newest version."""
    found = PACKAGES.glob("*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    if newest is None:
        pytest.fail("there is no PostgreSQL server to test with: `apt-get install postgresql`")
    return newest.parent
