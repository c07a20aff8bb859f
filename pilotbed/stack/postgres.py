"""PostgreSQL as a foreground child: made, started, stopped, and never left behind."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from core.errors import EnvironmentProblem, TransientError
from pilotbed.stack.account import Account, child_account, make_folder, require_reachable
from pilotbed.stack.child import Child, server_environment, start_child, stop_left_behind
from pilotbed.stack.log_file import tail
from pilotbed.stack.ports import free_port, require_free
from pilotbed.stack.postgres_binaries import Binaries, find_binaries, reachable_binaries
from pilotbed.stack.postgres_cluster import make_cluster, reason, require_same_major
from pilotbed.stack.secret import read_or_make_secret
from pilotbed.stack.server import Server, quiet

USER: Final = "pilotbed"
DATABASE: Final = "pilotbed"

_SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, YMD",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_duration_statement": "5s",
    # A week of logs, one file a weekday, each begun anew.
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "cluster_name": "pilotbed",
}
_FOR_TESTS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_LONGEST_SOCKET_PATH: Final = 103
"""Bytes that every system we run on allows (Linux 107, macOS 103)."""


class Postgres(Server):
    """One PostgreSQL server of ours in ``folder``: data, password, logs, socket.

    Start it from the main thread: on Linux the kernel then stops it even if we are killed outright. Elsewhere, and if
    that failed, the next start on the same folder finds the old server and stops it first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        binaries: Path | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = quiet,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        :param port: where it listens on 127.0.0.1; 0 takes a free one, and keeps it over restarts.
        :param binaries: a folder of PostgreSQL's programs in place of the wheel's.
        :param durable: False gives up safety against a power cut for speed: only for tests.
        :param settings: server settings beyond ours.
        :param say: takes one line at a time of what is worth telling a person.
        :param wait: pauses for so many seconds while the server starts; raises to give up.
        """
        super().__init__(folder, say=say)
        self.port = port
        self._durable = durable
        self._settings = _SETTINGS | ({} if durable else _FOR_TESTS) | dict(settings or {})
        self._override = binaries
        self._wait = wait
        self._password: str | None = None

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.folder / "data"

    @property
    def password_file(self) -> Path:
        """The file of our database user's password."""
        return self.folder / "password"

    @property
    def url(self) -> str:
        """Where our database is, with its password: never to be printed."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The same for another database of this server."""
        if self._password is None:
            raise EnvironmentProblem(f"The PostgreSQL in {self.folder} has not been started: call start() first.")
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def name(self) -> str:
        return "PostgreSQL"

    def last_words(self) -> str:
        """The server's own reason for its end."""
        return f"{self._why()}; its log is in {self.folder / 'log'}"

    def tend(self) -> None:
        """Nothing: the server tends itself."""

    def start(self, *, timeout_s: float | None = None) -> None:
        """Make the cluster if there is none, start the server, wait until it answers, make our database.

        :param timeout_s: give up after so long; None waits as long as the server lives (a recovery may take minutes).
        :raises EnvironmentProblem: it cannot run here; the message says why and what to do.
        :raises TransientError: it did not answer in time.
        """
        account = child_account()
        require_reachable(self.folder, account)
        make_folder(self.folder)
        self._lock.acquire()
        try:
            binaries = reachable_binaries(find_binaries(self._override), account, self.folder / "programs")
            self._password = read_or_make_secret(self.password_file, lambda: secrets.token_urlsafe(24))
            stop_left_behind(
                self.name,
                self.data / "postmaster.pid",
                working_on=self.data,
                stop_signal=signal.SIGINT,
                say=self._say,
            )
            if not self.data.exists():
                make_cluster(
                    self.data,
                    user=USER,
                    password=self._password,
                    binaries=binaries,
                    account=account,
                    durable=self._durable,
                )
            require_same_major(self.data, binaries)
            require_free("127.0.0.1", self.port, what="PostgreSQL", setting="PILOTBED_DATABASE_PORT")
            self.port = self.port or free_port()
            self._child = self._launch(binaries, account)
            self._wait_until_ready(timeout_s)
            self._make_database(binaries)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down cleanly; harder only if that does not end it within half a minute."""
        self._end(
            patience_s=30.0,
            killed="PostgreSQL did not shut down within 30 s and was killed: it recovers at its next start.",
        )
        self._lock.release()

    def _launch(self, binaries: Binaries, account: Account | None) -> Child:
        settings = self._settings | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._socket_folder(account) or ""),
            "unix_socket_permissions": "0700",
            "log_directory": str(make_folder(self.folder / "log", owner=account)),
        }
        if binaries.timescaledb:
            settings |= {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}
        command = [binaries.program("postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return start_child(
            "PostgreSQL",
            command,
            account=account,
            folder=self.data,
            environment=server_environment(),
            output=self.folder / "start.log",
            stop_signal=signal.SIGINT,
        )

    def _socket_folder(self, account: Account | None) -> Path | None:
        folder = self.folder / "socket"
        longest = folder / ".s.PGSQL.65535.lock"
        return make_folder(folder, owner=account) if len(os.fsencode(longest)) <= _LONGEST_SOCKET_PATH else None

    def _wait_until_ready(self, timeout_s: float | None) -> None:
        assert self._child is not None
        begun = told = time.monotonic()
        while True:
            code = self._child.exit_code()
            if code is not None:
                raise EnvironmentProblem(f"PostgreSQL in {self.folder} did not start: {self._why()}.")
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                answer = reason(str(error))
            else:
                return
            now = time.monotonic()
            if timeout_s is not None and now - begun > timeout_s:
                raise TransientError(f"PostgreSQL in {self.folder} does not answer after {timeout_s:.0f} s: {answer}.")
            if now - told > 2.0:
                told = now
                self._say(f"PostgreSQL is starting, {now - begun:.0f} s so far ({answer}).")
            self._wait(0.03)

    def _why(self) -> str:
        """The server's own last words."""
        logs = sorted((self.folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in [*reversed(logs[-1:]), self.folder / "start.log"]:
            text = tail(path)
            if "FATAL" in text or "PANIC" in text or "ERROR" in text:
                return reason(text)
        return "it left no reason in its log"

    def _make_database(self, binaries: Binaries) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(DATABASE))
                )
        if binaries.timescaledb:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
