"""What is done to the platform: each a way in which something fails, and is mended again.

``level`` 1 is what any QoS 1 device survives without a loss; at 2 only a sender that goes by receipts does.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from psycopg import sql

from core.database import Connection
from core.errors import DatabaseAway, TransientError
from core.sql import load
from pilotbed.bench.chaos.stage import MAX_CONNECTIONS, Member, Stage, kill
from pilotbed.bench.proxy import Proxy
from pilotbed.stack.child import command_of

_SQL: Final = load("pilotbed.bench.chaos", "chaos.sql")
_DOWN_S: Final = (0.0, 1.5)
"""How long what was killed stays away."""
_HELD_S: Final = (1.5, 3.5)
"""How long what hinders lasts."""
_LISTENING_WITHIN_S: Final = 30.0


class Missed(TransientError):
    """What was to be killed or hindered was not: the run says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One way to fail."""

    name: str
    level: int
    act: Callable[[Stage, Random], str]
    """Does it, mends it, and says in some words what it met."""


def _collector(stage: Stage, random: Random) -> str:
    member = random.choice(stage.members)
    stage.kill_program(member)
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_program(member)
    return member.name


def _all_collectors(stage: Stage, random: Random) -> str:
    for member in stage.members:
        stage.kill_program(member)
    stage.pause(random.uniform(*_DOWN_S))
    for member in random.sample(stage.members, len(stage.members)):
        stage.start_program(member)
        stage.pause(random.uniform(0, 0.5))
    return f"{len(stage.members)} collectors"


def _database(stage: Stage, random: Random) -> str:
    count = stage.kill_postgres()
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_postgres()
    return f"{count} processes"


def _database_process(stage: Stage, random: Random) -> str:
    """One backend only: the server then ends all others by itself, and recovers."""
    pid = random.choice([row["pid"] for row in _listening(stage).rows("writer_backends")])
    kill([pid])
    stage.until(lambda: command_of(pid) is None, "the killed backend to be gone", within_s=5)
    return f"backend {pid}"


def _collector_and_database(stage: Stage, random: Random) -> str:
    member = random.choice(stage.members)
    first, second = random.sample([lambda: stage.kill_program(member), stage.kill_postgres], 2)
    first()
    second()
    stage.pause(random.uniform(*_DOWN_S))
    again = [lambda: stage.start_program(member), stage.start_postgres]
    for start in random.sample(again, 2):
        start()
    return member.name


def _broker_restart(stage: Stage, random: Random) -> str:
    """A clean end: sessions and queues are on disk."""
    stage.down.add(stage.broker.name)
    stage.broker.stop()
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_broker()
    return "SIGTERM"


def _cut(networks: Sequence[Proxy], stage: Stage, random: Random) -> str:
    _standing(networks, stage)
    met = sum(network.cut() for network in networks)
    if not met:
        raise Missed("No connection stood when the network was cut.")
    stage.pause(random.uniform(*_HELD_S))
    for network in networks:
        network.mend()
    return f"{met} connections"


def _slow(networks: Sequence[Proxy], stage: Stage, random: Random) -> str:
    bytes_per_s, delay_s = random.choice((2_000, 20_000, 100_000)), random.uniform(0.01, 0.2)
    _standing(networks, stage)
    for network in networks:
        network.slow(bytes_per_s=bytes_per_s, delay_s=delay_s)
    stage.pause(random.uniform(*_HELD_S))
    # A slowed network often breaks in the end.
    broken = random.random() < 0.5
    for network in networks:
        if broken:
            network.cut()
        network.mend()
    return f"{bytes_per_s:,} B/s, {delay_s * 1000:.0f} ms{', then cut' if broken else ''}"


def _deaf(networks: Sequence[Proxy], stage: Stage, random: Random) -> str:
    """What we ask for is done, and we never learn of it: a commit, or an acknowledgement's way back."""
    _standing(networks, stage)
    for network in networks:
        network.deafen()
    stage.pause(random.uniform(0.2, 1.5))
    met = sum(network.cut() for network in networks)
    if not met:
        raise Missed("No connection stood when the answers were swallowed.")
    for network in networks:
        network.mend()
    return f"{met} connections"


def _to_broker(do: Callable[[Sequence[Proxy], Stage, Random], str]) -> Callable[[Stage, Random], str]:
    return lambda stage, random: do([member.to_broker for member in _some(stage, random)], stage, random)


def _to_database(do: Callable[[Sequence[Proxy], Stage, Random], str]) -> Callable[[Stage, Random], str]:
    return lambda stage, random: do([member.to_database for member in _some(stage, random)], stage, random)


def _read_only(stage: Stage, random: Random) -> str:
    _listening(stage)
    with ExitStack() as mending:
        admin = stage.superuser()
        mending.callback(admin.close)
        mending.callback(_read_only_to, admin, "off")
        _read_only_to(admin, "on")
        stage.until(lambda: stage.number("writable") == 0, "the database to be read-only", within_s=10)
        return _stands_still(stage, random)


def _read_only_to(admin: Connection, value: str) -> None:
    admin.execute(sql.SQL("ALTER SYSTEM SET default_transaction_read_only = {}").format(sql.Literal(value)))
    admin.execute(_SQL["reload"])


def _no_connections(stage: Stage, random: Random) -> str:
    """All the server's connections are ours."""
    _listening(stage)
    stage.settled()  # the bench's own stands
    taken: list[Connection] = []
    try:
        end = time.monotonic() + 10
        while True:
            _take_all(stage, taken)
            others = stage.rows("backends")
            if not others:
                break
            if time.monotonic() > end:
                raise Missed(f"{len(others)} connections of others were left after 10 s.")
            for row in others:
                stage.rows("end_backend", pid=row["pid"])
        return _stands_still(stage, random)
    finally:
        for connection in taken:
            connection.close()


def _take_all(stage: Stage, taken: list[Connection]) -> None:
    while len(taken) < MAX_CONNECTIONS:
        try:
            taken.append(stage.superuser())
        except DatabaseAway:  # too many clients already
            return


def _disk_full(stage: Stage, random: Random) -> str:
    """Not a byte left for the database. It may end over it, and is then started again."""
    assert stage.disk is not None
    _listening(stage)
    ballast = stage.disk / "ballast"
    stage.down.add(stage.postgres.name)
    try:
        _fill(ballast)
        met = _stands_still(stage, random)
    finally:
        ballast.unlink(missing_ok=True)
        ended = stage.postgres.exit_code() is not None
        if ended:
            stage.start_postgres()
        stage.down.discard(stage.postgres.name)
    return f"{met}{', the server ended' if ended else ''}"


def _fill(ballast: Path) -> None:
    """Take what is left of the disk, to the last block; the database takes some too meanwhile."""
    with ballast.open("wb", buffering=0) as file:
        most = shutil.disk_usage(ballast).free * 9 // 10
        os.posix_fallocate(file.fileno(), 0, most)
        file.seek(most)
        for block in (bytes(1 << 20), bytes(4096)):
            with suppress(OSError):  # no space left
                while True:
                    file.write(block)


def _broker(stage: Stage, random: Random) -> str:
    stage.kill_broker()
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_broker()
    return "SIGKILL"


def _broker_and_collector(stage: Stage, random: Random) -> str:
    member = random.choice(stage.members)
    stage.kill_broker()
    stage.kill_program(member)
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_broker()
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_program(member)
    return member.name


def _everything(stage: Stage, random: Random) -> str:
    """What a power cut does, but for what the disk had not written."""
    stage.kill_broker()
    stage.kill_postgres()
    for member in stage.members:
        stage.kill_program(member)
    stage.pause(random.uniform(*_DOWN_S))
    stage.start_postgres()
    stage.start_broker()
    for member in stage.members:
        stage.start_program(member)
    return "everything"


KILLS: Final = tuple(
    Kill(name=name, level=level, act=act)
    for name, level, act in (
        ("collector", 1, _collector),
        ("all_collectors", 1, _all_collectors),
        ("database", 1, _database),
        ("database_process", 1, _database_process),
        ("collector_and_database", 1, _collector_and_database),
        ("broker_restart", 1, _broker_restart),
        ("broker_network_cut", 1, _to_broker(_cut)),
        ("broker_network_slow", 1, _to_broker(_slow)),
        ("broker_network_deaf", 1, _to_broker(_deaf)),
        ("database_network_cut", 1, _to_database(_cut)),
        ("database_network_slow", 1, _to_database(_slow)),
        ("database_network_deaf", 1, _to_database(_deaf)),
        ("database_read_only", 1, _read_only),
        ("database_connections", 1, _no_connections),
        ("database_disk_full", 1, _disk_full),
        ("broker", 2, _broker),
        ("broker_and_collector", 2, _broker_and_collector),
        ("everything", 2, _everything),
    )
)


def _some(stage: Stage, random: Random) -> list[Member]:
    """One collector, or all."""
    return random.choice([[random.choice(stage.members)], list(stage.members)])


def _standing(networks: Sequence[Proxy], stage: Stage) -> None:
    stage.until(
        lambda: all(network.connections for network in networks), "connections to hinder", within_s=_LISTENING_WITHIN_S
    )


def _listening(stage: Stage) -> Stage:
    stage.until(
        lambda: len(stage.rows_if_there("writer_backends")) == len(stage.members),
        "the collectors' connections to the database",
        within_s=_LISTENING_WITHIN_S,
    )
    return stage


def _stands_still(stage: Stage, random: Random) -> str:
    """Hold on for a while, and check that nothing is committed in its second half."""
    held_s = random.uniform(*_HELD_S)
    stage.pause(held_s / 2)
    before = stage.settled()
    stage.pause(held_s / 2)
    after = stage.settled()
    if before is not None and after is not None and after > before:
        raise Missed(f"{after - before} messages were committed while the database could not take any.")
    return f"{held_s:.1f} s"
