"""Where a measurement takes place: a PostgreSQL as in production, and for each run a fresh database and a fresh broker."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from core.database import connected
from core.migrate import engine, migrate
from devices.plan.credential_file import Credential
from devices.plan.reader import read_plan
from devices.registry import apply_plan, desired_clients
from pilotbed.bench.publisher import CHANNELS
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from pilotbed.stack.postgres import Postgres

SLOTS: Final = 8
COLLECTORS: Final = ("collector-1", "collector-2", "collector-3", "collector-4")
SUBSCRIBER: Final = "subscriber"
"""The user that mosquitto_sub and the naive loop are."""
PROBE: Final = "probe"
"""The slot whose messages tell how long one takes until it is seen."""
_TEMPLATE: Final = "bench_template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One run's database and broker."""

    database_url: str
    broker: Mosquitto
    credentials: tuple[Credential, ...]
    """Of the slots that publish."""
    probe: Credential
    channels: dict[str, int]
    """``slot/channel`` → channel_id."""
    start_ms: int
    """The instant of every slot's first reading."""
    folder: Path


class Arena:
    """The servers of one benchmark; :meth:`field` for each run."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        self._folder = folder
        self._server = server
        self._runs = 0
        template = self._url(_TEMPLATE)
        self._create(_TEMPLATE, "template0")
        migrate(template)
        with connected(template) as connection:
            self.engine = str(engine(connection))
            self._credentials = apply_plan(connection, read_plan(bench_plan()), who="system:bench").credentials
            self._users = desired_clients(connection)
            self._channels = {
                row["key"]: row["channel_id"]
                for row in connection.execute(
                    "SELECT s.name || '/' || c.name AS key, c.channel_id FROM channel c JOIN slot s USING (slot_id)"
                )
            }

    @contextmanager
    def field(self) -> Iterator[Field]:
        """A fresh database and a fresh broker, for one run."""
        self._runs += 1
        name = f"bench_{self._runs}"
        self._create(name, _TEMPLATE)
        with connected(self._server.url_of("postgres")) as admin:
            admin.execute("CHECKPOINT")
        folder = self._folder / name
        broker = Mosquitto(folder, collectors=(*COLLECTORS, SUBSCRIBER))
        broker.write_users(self._users)
        broker.start()
        try:
            yield Field(
                database_url=self._url(name),
                broker=broker,
                credentials=tuple(one for one in self._credentials if PROBE not in one.slots),
                probe=next(one for one in self._credentials if PROBE in one.slots),
                channels=self._channels,
                start_ms=int((time.time() - 86_400) * 1000),
                folder=folder,
            )
        finally:
            broker.stop()
            with psycopg.connect(self._server.url_of("postgres"), autocommit=True) as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def process_groups(self, field: Field) -> dict[str, int]:
        """The process groups whose CPU time is told: name → process id of the leader."""
        pids = {"postgres": self._server.child, "mosquitto": field.broker.child}
        return {name: child.pid for name, child in pids.items() if child is not None}

    def _create(self, name: str, template: str) -> None:
        with psycopg.connect(self._server.url_of("postgres"), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )

    def _url(self, name: str) -> str:
        return urlunsplit(urlsplit(self._server.url)._replace(path=f"/{name}"))


@contextmanager
def arena() -> Iterator[Arena]:
    """An arena in a temporary folder, gone afterwards. Everything is written to disk as in production."""
    with temporary_folder("pilotbed-bench-") as folder, Postgres(folder / "postgres") as server:
        yield Arena(folder, server)


def cpu_seconds(leader: int) -> float:
    """CPU time used so far by a process, its group, its children and those it has waited for. 0 where nobody tells."""
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if leader in (int(fields[1]), int(fields[2])):
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def bench_plan() -> bytes:
    """A pilot with :data:`SLOTS` slots and the probe's, of ten channels each, each slot with a connection of its own."""
    today = datetime.now(UTC).date()
    channels = "".join(f"      c{number}: {{unit: degC, period: 1 s}}\n" for number in range(CHANNELS))
    names = [*(f"s{number}" for number in range(SLOTS)), PROBE]
    slots = "".join(f"  {name}:\n    device: {{serial: '{name}'}}\n    channels:\n{channels}" for name in names)
    return f"""\
pilot: bench
title: bench
kind: rnd
simulated: true
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: {today - timedelta(days=30)}, end: {today + timedelta(days=300)}, timezone: Asia/Seoul}}
evaluation: {{data_until: {today + timedelta(days=290)}, meeting: {today + timedelta(days=299)}}}
product: {{name: bench}}
slots:
{slots}kpis:
  k: {{name: k, measure: {{statistic: {{channel: c0, stat: mean}}}}, target: "<= 35 degC", weight: 100}}
""".encode()


def environment_of(field: Field, *, url: str, **more: str) -> dict[str, str]:
    """The environment of a process that takes part in a run."""
    ours: dict[str, Any] = {key: value for key, value in os.environ.items() if not key.startswith("PILOTBED_")}
    return ours | {
        "PILOTBED_DATABASE_URL": field.database_url,
        "PILOTBED_MQTT_URL": url,
        "PILOTBED_DATA_DIR": str(field.folder),
    } | more  # fmt: skip


def sharing(names: Sequence[str]) -> dict[str, str]:
    """What makes a collector one of several: a part of its environment."""
    return {"PILOTBED_COLLECTORS": str(len(names))} if len(names) > 1 else {}
