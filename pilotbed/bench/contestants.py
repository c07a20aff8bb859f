"""Who takes part: each takes so many messages of the same publishers, and says how long it took."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.database import Connection, connected
from core.errors import EnvironmentProblem, TransientError
from pilotbed.bench.arena import COLLECTORS, SLOTS, SUBSCRIBER, Arena, Field, cpu_seconds, environment_of, sharing
from pilotbed.bench.publisher import CHANNELS, payload
from pilotbed.bench.publishing import begin, publishers, took_s

PATIENCE_S: Final = 300.0

_PG_EPOCH_US: Final = 946_684_800_000_000
_ROW: Final = np.dtype(
    [
        ("fields", ">i2"), ("l1", ">i4"), ("observed_at", ">i8"), ("l2", ">i4"), ("received_at", ">i8"),
        ("l3", ">i4"), ("value", ">f8"), ("l4", ">i4"), ("channel_id", ">i4"), ("l5", ">i4"), ("flags", ">i2"),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One contestant's run."""

    name: str
    messages: int
    readings: int
    took_s: float
    """From the first publish until the last message was taken, or its readings were in the store."""
    published_s: float | None = None
    """How long the publishers took of that."""
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    """CPU time a message by process, in microseconds."""

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.took_s

    @property
    def readings_per_s(self) -> float:
        return self.readings / self.took_s


def mosquitto_sub(arena: Arena, *, readings: int, messages: int) -> Outcome:
    """What Mosquitto's own subscriber takes, at QoS 1, to nowhere: the limit of broker and publishers."""
    with arena.field() as where, (where.folder / "sub.log").open("wb") as log:
        broker = where.broker
        command = [
            "mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t", "pilots/+/+/readings",
            "-u", SUBSCRIBER, "-P", broker.secret(SUBSCRIBER), "-C", str(messages),
        ]  # fmt: skip
        try:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
        except FileNotFoundError:
            raise EnvironmentProblem(
                "The program mosquitto_sub is not installed (Debian: apt-get install mosquitto-clients)."
            ) from None
        # It does not say when it has subscribed.
        time.sleep(1.0)
        with _ended(process):
            return _run(
                arena, where, "mosquitto_sub", readings, messages, {"taker": process.pid}, lambda: _exited(process)
            )


def collector(arena: Arena, *, readings: int, messages: int, keep: bool = True, count: int = 1) -> Outcome:
    """This platform's collector, as in production; several share their subscriptions."""
    name = "collector" if count == 1 else f"{count} collectors"
    with arena.field() as where, collectors(where, count=count, keep=keep) as running:
        stored = partial(committed, running)
        outcome = _run(
            arena, where, name if keep else f"{name} without raw messages", readings, messages,
            running.pids, lambda: stored() >= messages,
        )  # fmt: skip
        found = scalar(running.connection, "SELECT count(*) FROM reading")
        if found != messages * readings:
            raise TransientError(f"The store holds {found} readings where {messages * readings} were sent.")
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Collectors that listen, and a connection to look at what they do."""

    processes: Mapping[str, subprocess.Popen[bytes]]
    connection: Connection
    folder: Path

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}


@contextmanager
def collectors(where: Field, *, count: int = 1, keep: bool = True) -> Iterator[Running]:
    """So many collectors, listening."""
    with ExitStack() as open_:
        processes = {}
        for name in COLLECTORS[:count]:
            environment = environment_of(
                where, url=where.broker.collector_url(name), PILOTBED_COLLECTOR=name,
                PILOTBED_KEEP_MESSAGES="true" if keep else "false", **sharing(COLLECTORS[:count]),
            )  # fmt: skip
            log = open_.enter_context((where.folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "pilotbed", "collect"],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            open_.enter_context(_ended(process))
            processes["taker" if count == 1 else name] = process
        connection = open_.enter_context(connected(where.database_url, application="bench"))
        running = Running(processes=processes, connection=connection, folder=where.folder)
        until(lambda: scalar(connection, "SELECT count(*) FROM heartbeat") >= count, "the collectors to listen")
        yield running


def committed(running: Running) -> int:
    """Messages committed so far.

    :raises TransientError: a collector has ended.
    """
    for name, process in running.processes.items():
        if process.poll() is not None:
            logs = " ".join(
                log.read_text(encoding="utf-8", errors="replace")[-500:] for log in running.folder.glob("*.log")
            )
            raise TransientError(f"A collector ({name}) ended during the measurement: {logs.strip()}")
    return scalar(running.connection, "SELECT coalesce(sum(committed), 0) FROM intake_connection")


def naive(arena: Arena, *, readings: int, messages: int) -> Outcome:
    """paho and ``executemany``, a commit every hundred messages, acknowledged by default."""
    with arena.field() as where, (where.folder / "naive.log").open("wb") as log:
        broker = where.broker
        environment = environment_of(where, url=broker.url_of(SUBSCRIBER, broker.secret(SUBSCRIBER)))
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed.bench.naive", str(messages), json.dumps(where.channels)],
            env=environment, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
        )  # fmt: skip
        with _ended(process):
            assert process.stdout is not None
            process.stdout.readline()
            outcome = _run(
                arena, where, "naive loop", readings, messages, {"taker": process.pid}, lambda: _exited(process)
            )
            process.stdout.close()
            return outcome


def copy(arena: Arena, *, readings: int, messages: int) -> Outcome:
    """The same rows by one binary COPY into the same table with its key: the limit of the database."""
    with arena.field() as where:
        body = _copy_rows(where, readings, messages)
        with connected(where.database_url, application="bench") as connection:
            groups = arena.process_groups(where)
            before = cpu_seconds(groups["postgres"])
            begun = time.monotonic()
            with connection.transaction(), connection.cursor().copy("COPY reading FROM STDIN (FORMAT binary)") as sink:
                for start in range(0, len(body), 1 << 20):
                    sink.write(body[start : start + (1 << 20)])
            took_s = time.monotonic() - begun
            used = cpu_seconds(groups["postgres"]) - before
        return Outcome(
            name="COPY", messages=messages, readings=messages * readings, took_s=took_s,
            cpu_us={"postgres": used / messages * 1e6},
        )  # fmt: skip


def _copy_rows(where: Field, readings: int, messages: int) -> bytes:
    """The rows that the messages come to, in the order of their instants, as the publishers would interleave them."""
    columns = min(readings, CHANNELS)
    instants = messages * readings // SLOTS // columns
    ids = np.array([[where.channels[f"s{slot}/c{c}"] for c in range(columns)] for slot in range(SLOTS)])
    table = np.empty((instants, SLOTS, columns), dtype=_ROW)
    table["fields"] = 5
    table["l1"] = table["l2"] = table["l3"] = 8
    table["l4"], table["l5"], table["flags"] = 4, 2, 0
    at_us = (where.start_ms + np.arange(instants)) * 1000 - _PG_EPOCH_US
    table["observed_at"] = at_us[:, None, None]
    table["received_at"] = int(time.time() * 1e6) - _PG_EPOCH_US
    table["value"] = (20 + np.arange(instants) % 97 / 10)[:, None, None]
    table["channel_id"] = ids[None, :, :]
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + table.tobytes() + b"\xff\xff"


def _run(
    arena: Arena,
    where: Field,
    name: str,
    readings: int,
    messages: int,
    takers: Mapping[str, int],
    finished: Callable[[], bool],
) -> Outcome:
    groups = arena.process_groups(where) | dict(takers)
    with publishers(where, readings=readings, messages=messages) as processes:
        groups |= {f"publisher {number}": process.pid for number, process in enumerate(processes)}
        before = {group: cpu_seconds(leader) for group, leader in groups.items()}
        children_s = _children_s()
        begun = time.monotonic()
        begin(processes)
        until(finished, f"{name} to take {messages} messages", every_s=0.02)
        taken_s = time.monotonic() - begun
        used = {group: cpu_seconds(leader) - before[group] for group, leader in groups.items()}
        if used.get("taker", 1) <= 0:  # it has ended, and counts among our children now; the publishers do not yet
            used["taker"] = _children_s() - children_s
        published_s = took_s(processes)
    return Outcome(
        name=name,
        messages=messages,
        readings=messages * readings,
        took_s=taken_s,
        published_s=published_s,
        cpu_us={group: seconds / messages * 1e6 for group, seconds in used.items() if seconds > 0},
    )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _exited(process: subprocess.Popen[bytes]) -> bool:
    code = process.poll()
    if code:
        raise TransientError(f"A process of the benchmark ended with exit code {code} before it was done.")
    return code == 0


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def until(condition: Callable[[], bool], what: str, *, every_s: float = 0.05) -> None:
    """Wait for something.

    :raises TransientError: it did not come.
    """
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TransientError(f"Waited {PATIENCE_S:.0f} s for {what}.")
        time.sleep(every_s)


def scalar(connection: Connection, statement: Any) -> int:
    """The one number that a query yields."""
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(next(iter(row.values())))


def sample(readings: int) -> bytes:
    """A message as the publishers send it, to show in the report."""
    return payload(readings, 0, 1_772_000_000_000)
