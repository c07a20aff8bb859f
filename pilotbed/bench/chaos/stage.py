"""The platform as it is killed: PostgreSQL, Mosquitto and the collectors, each collector behind two networks of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, LiteralString
from urllib.parse import urlsplit

import psycopg

from core.database import Connection, connect
from core.errors import DatabaseAway, TransientError
from core.migrate import engine, migrate
from core.sql import load
from devices.plan.credential_file import Credential
from devices.plan.reader import read_plan
from devices.registry import apply_plan, desired_clients
from pilotbed.bench.arena import PROBE, bench_plan, sharing
from pilotbed.bench.proxy import Proxy
from pilotbed.stack.child import command_of
from pilotbed.stack.mosquitto import Mosquitto
from pilotbed.stack.postgres import Postgres
from pilotbed.stack.program import Program
from pilotbed.stack.supervisor import Part

_SQL: Final = load("pilotbed.bench.chaos", "chaos.sql")

MAX_CONNECTIONS: Final = 24
"""Few, so that we can take them all."""
_SETTINGS: Final = {"max_connections": str(MAX_CONNECTIONS), "max_wal_size": "128MB"}
_DISK_MB: Final = 700
_GONE_WITHIN_S: Final = 10.0
_UP_WITHIN_S: Final = 60.0
_MOST_UNASKED: Final = 4
"""Processes that end by themselves, before there is no sense in going on."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One collector, and the networks between it and the servers."""

    name: str
    program: Program
    to_broker: Proxy
    to_database: Proxy

    @property
    def pid(self) -> int:
        pid = self.program.pid
        assert pid is not None
        return pid


class Stage:
    """Use it in a ``with`` block, from the main thread. What ends unasked is started again, and noted."""

    def __init__(self, folder: Path, *, collectors: int, disk: Path | None, say: Say) -> None:
        """
        :param disk: a small disk of its own for the database, to be filled up; None: it lies in ``folder``.
        """
        names = [f"collector-{number + 1}" for number in range(collectors)]
        self.folder = folder
        self.disk = disk
        self.postgres = Postgres((disk or folder) / "postgres", settings=_SETTINGS)
        self.broker = Mosquitto(folder / "mosquitto", collectors=names)
        self.members: list[Member] = []
        self.credentials: tuple[Credential, ...] = ()
        self.engine = ""
        self.down: set[str] = set()
        """Parts whose end is our doing: whoever ended them starts them again."""
        self.unasked: list[str] = []
        """Processes that ended though nobody had killed them."""
        self._names = names
        self._say = say
        self._open = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Stage:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        self._open.callback(self.postgres.stop)
        self.postgres.start(timeout_s=_UP_WITHIN_S)
        migrate(self.postgres.url)
        self._open.callback(self._forget_connection)
        connection = self._connected()
        self.engine = str(engine(connection))
        applied = apply_plan(connection, read_plan(bench_plan()), who="system:bench")
        self.credentials = tuple(one for one in applied.credentials if PROBE not in one.slots)
        self.broker.write_users(desired_clients(connection))
        self._open.callback(self.broker.stop)
        self.broker.start(timeout_s=_UP_WITHIN_S)
        for name in self._names:
            member = self._member(name)
            self.members.append(member)
            self._open.callback(member.program.stop)
            member.program.start()
        self.until(lambda: self.listening() == len(self.members), "the collectors to listen")

    def _member(self, name: str) -> Member:
        to_broker = self._open.enter_context(Proxy(self.broker.collector_url(name), name=f"{name} to broker"))
        to_database = self._open.enter_context(Proxy(self.postgres.url, name=f"{name} to database"))
        environment = {
            "PILOTBED_DATA_DIR": str(self.folder),
            "PILOTBED_DATABASE_URL": to_database.url,
            "PILOTBED_MQTT_URL": to_broker.url,
            "PILOTBED_COLLECTOR": name,
        } | sharing(self._names)  # fmt: skip
        program = Program(
            name,
            [sys.executable, "-P", "-m", "pilotbed", "collect"],
            environment=lambda: environment,
            log=self.folder / "log" / f"{name}.log",
            wait=self.pause,
        )
        return Member(name=name, program=program, to_broker=to_broker, to_database=to_database)

    @property
    def device_address(self) -> tuple[str, int]:
        """Host and port of the devices' listener."""
        parts = urlsplit(self.broker.url)
        return parts.hostname or "127.0.0.1", parts.port or 1883

    def pause(self, seconds: float) -> None:
        """Let time pass, and look after everything meanwhile."""
        end = time.monotonic() + seconds
        while True:
            self._tend()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))

    def until(self, condition: Callable[[], Any], what: str, *, within_s: float = _UP_WITHIN_S) -> None:
        """Wait for something.

        :raises TransientError: it did not come.
        """
        end = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end:
                raise TransientError(f"Waited {within_s:.0f} s for {what}.")
            self.pause(0.05)

    def rows(self, block: str, **values: Any) -> list[dict[str, Any]]:
        """Ask the database, directly.

        :raises DatabaseAway: it is not there.
        """
        statement: LiteralString = _SQL[block]
        try:
            return self._connected().execute(statement, values).fetchall()
        except psycopg.Error as error:
            self._forget_connection()
            raise DatabaseAway(f"The bench's own query {block} failed: {error}") from error

    def rows_if_there(self, block: str) -> list[dict[str, Any]]:
        """The same; nothing while the database is away."""
        try:
            return self.rows(block)
        except DatabaseAway:
            return []

    def number(self, block: str, **values: Any) -> int | None:
        """One number; None while the database is away."""
        try:
            return int(next(iter(self.rows(block, **values)[0].values())))
        except DatabaseAway:
            return None

    def settled(self) -> int | None:
        """Messages that were committed or set aside so far; None while the database is away."""
        return self.number("settled")

    def listening(self) -> int:
        """How many collectors say that they hear everything."""
        return self.number("listening") or 0

    def kill_program(self, member: Member) -> None:
        """SIGKILL, and nothing left of it."""
        self.down.add(member.name)
        kill([member.pid])
        self._wait_gone(lambda: member.program.exit_code() == -signal.SIGKILL, member.name)

    def kill_postgres(self) -> int:
        """SIGKILL to the server and to every process of it.

        :returns: how many they were.
        """
        child = self.postgres.child
        assert child is not None
        self.down.add(self.postgres.name)
        family = [child.pid, *children(child.pid)]
        kill(family)
        self._wait_gone(lambda: child.exit_code() == -signal.SIGKILL, "PostgreSQL")
        self._wait_gone(lambda: not any(command_of(pid) for pid in family), "PostgreSQL's processes")
        self._forget_connection()
        return len(family)

    def kill_broker(self) -> None:
        """SIGKILL, as a power cut would."""
        child = self.broker.child
        assert child is not None
        self.down.add(self.broker.name)
        kill([child.pid])
        self._wait_gone(lambda: child.exit_code() == -signal.SIGKILL, "Mosquitto")

    def start_program(self, member: Member) -> None:
        """Again, under its fixed name."""
        member.program.stop()
        member.program.start()
        self.down.discard(member.name)

    def start_postgres(self) -> None:
        """Again, on the same folder; it recovers."""
        self.postgres.stop()
        self._forget_connection()
        self.postgres.start(timeout_s=_UP_WITHIN_S)
        self.down.discard(self.postgres.name)

    def start_broker(self) -> None:
        """Again, on the same folder."""
        self.broker.stop()
        self.broker.start(timeout_s=_UP_WITHIN_S)
        self.down.discard(self.broker.name)

    def superuser(self) -> Connection:
        """A connection more to the database, not through any proxy; the caller closes it."""
        return connect(self.postgres.url, application="bench")

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self.superuser()
        return self._connection

    def _forget_connection(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _wait_gone(self, gone: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _GONE_WITHIN_S
        while not gone():
            if time.monotonic() > end:
                raise TransientError(f"{what} was killed and is still there after {_GONE_WITHIN_S:.0f} s.")
            time.sleep(0.005)

    def _tend(self) -> None:
        """Start again what ended unasked."""
        self._restart(self.postgres, self.start_postgres)
        self._restart(self.broker, self.start_broker)
        for member in self.members:
            self._restart(member.program, partial(self.start_program, member))
        if self.broker.name not in self.down:
            self.broker.tend()

    def _restart(self, part: Part, start: Callable[[], None]) -> None:
        code = part.exit_code()
        if code is not None and part.name not in self.down:
            self.unasked.append(f"{part.name} ended unasked with exit code {code}: {part.last_words()}")
            self._say(self.unasked[-1])
            if len(self.unasked) >= _MOST_UNASKED:
                raise TransientError(f"{self.unasked[-1]}; it was not the first: the run is given up.")
            start()


def kill(pids: Sequence[int]) -> None:
    """SIGKILL to all of them, at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    if sys.platform == "linux":
        stats = [stat for stat in Path("/proc").glob("[0-9]*/stat") if _parent(stat) == parent]
        return [int(stat.parent.name) for stat in stats]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, of in pairs if int(of) == parent]


def _parent(stat: Path) -> int | None:
    try:
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return None


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """A disk of some hundred megabytes in memory, mounted at ``place``; None where we may not mount one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=0711", "tmpfs", str(place)]
    if sys.platform != "linux" or os.geteuid() != 0:
        yield None
        return
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
