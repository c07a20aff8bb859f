"""Who takes part: each takes so many messages of the same publishers, and says how long it took."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.database import Connection, connected
from core.errors import EnvironmentProblem, TransientError
from pilotbed.bench.arena import COLLECTOR, SLOTS, SUBSCRIBER, Arena, Field, cpu_seconds, environment_of
from pilotbed.bench.publisher import CHANNELS, payload

PUBLISHERS: Final = 2
"""Processes; the connections are shared out among them."""
WINDOW: Final = 500
"""Messages of one connection that await the broker's acknowledgement."""
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
            return _run(arena, where, "mosquitto_sub", readings, messages, process.pid, lambda: _exited(process))


def collector(arena: Arena, *, readings: int, messages: int, keep: bool) -> Outcome:
    """This platform's collector, as in production."""
    name = "collector" if keep else "collector without raw messages"
    with arena.field() as where, (where.folder / "collect.log").open("wb") as log:
        environment = environment_of(
            where, url=where.broker.collector_url(COLLECTOR), PILOTBED_COLLECTOR=COLLECTOR,
            PILOTBED_KEEP_MESSAGES="true" if keep else "false",
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "collect"],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        with _ended(process), connected(where.database_url, application="bench") as connection:
            _until(lambda: _scalar(connection, "SELECT count(*) FROM heartbeat") > 0, "the collector to listen")
            count = "SELECT coalesce(sum(committed), 0) FROM intake_connection"

            def all_committed() -> bool:
                if process.poll() is not None:
                    text = (where.folder / "collect.log").read_text(encoding="utf-8", errors="replace")[-500:]
                    raise TransientError(f"The collector ended during the measurement: {text.strip()}")
                return _scalar(connection, count) >= messages

            outcome = _run(arena, where, name, readings, messages, process.pid, all_committed)
            found = _scalar(connection, "SELECT count(*) FROM reading")
            if found != messages * readings:
                raise TransientError(f"The store holds {found} readings where {messages * readings} were sent.")
            return outcome


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
            outcome = _run(arena, where, "naive loop", readings, messages, process.pid, lambda: _exited(process))
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
    arena: Arena, where: Field, name: str, readings: int, messages: int, pid: int, finished: Callable[[], bool]
) -> Outcome:
    groups = arena.process_groups(where) | {"taker": pid}
    with _publishers(where, readings, messages) as publishers:
        groups |= {f"publisher {number}": process.pid for number, process in enumerate(publishers)}
        before = {group: cpu_seconds(leader) for group, leader in groups.items()}
        children_s = _children_s()
        begun = time.monotonic()
        for process in publishers:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        _until(finished, f"{name} to take {messages} messages", every_s=0.02)
        took_s = time.monotonic() - begun
        used = {group: cpu_seconds(leader) - before[group] for group, leader in groups.items()}
        if used["taker"] <= 0:  # it has ended, and counts among our children now; the publishers do not yet
            used["taker"] = _children_s() - children_s
        told = [json.loads(process.stdout.readline()) for process in publishers if process.stdout is not None]
    return Outcome(
        name=name,
        messages=messages,
        readings=messages * readings,
        took_s=took_s,
        published_s=max(one["took_s"] for one in told),
        cpu_us={group: seconds / messages * 1e6 for group, seconds in used.items() if seconds > 0},
    )


@contextmanager
def _publishers(where: Field, readings: int, messages: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that have made every packet and wait for a line to begin."""
    share = messages // SLOTS
    processes = []
    try:
        for number in range(PUBLISHERS):
            told: dict[str, Any] = {
                "host": "127.0.0.1", "port": where.broker.port, "readings": readings, "window": WINDOW,
                "start_ms": where.start_ms,
                "connections": [
                    {
                        "username": one.username, "password": one.password, "messages": share,
                        "topic": f"pilots/bench/{one.slots[0]}/readings",
                    }
                    for one in where.credentials[number::PUBLISHERS]
                ],
            }  # fmt: skip
            process = subprocess.Popen(
                [sys.executable, "-m", "pilotbed.bench.publisher"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                cwd=Path(__file__).parents[2],
            )  # fmt: skip
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise TransientError("A publisher of the benchmark did not come up; its error stands above.")
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


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


def _until(condition: Callable[[], bool], what: str, *, every_s: float = 0.05) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TransientError(f"Waited {PATIENCE_S:.0f} s for {what}.")
        time.sleep(every_s)


def _scalar(connection: Connection, statement: Any) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(next(iter(row.values())))


def sample(readings: int) -> bytes:
    """A message as the publishers send it, to show in the report."""
    return payload(readings, 0, 1_772_000_000_000)
