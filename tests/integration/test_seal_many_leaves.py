"""Seals of very much at once: gathered or sorted, and what a first seal of many months takes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.database import Connection
from telemetry.seals import gathered, merkle, store
from telemetry.seals.check import check
from telemetry.seals.close import Sealer, seal_days
from telemetry.seals.heads import Heads
from telemetry.seals.leaves import Leaf, Span
from telemetry.seals.signing import make_key
from tests.registered import Registered, register
from tests.sealed import unprotected

START = datetime(2026, 5, 1, tzinfo=UTC)
A_LEAF = 900
"""Bytes that a leaf may take at the most while it is sealed or checked: measured some 500 and 800."""


def pilot(connection: Connection, name: str = "old", channels: int = 2) -> Registered:
    made = register(connection, name, slot="a", channels={f"c{n}": {"unit": "degC"} for n in range(channels)})
    connection.execute("UPDATE pilot SET created_at = %s WHERE name = %s", [START, name])
    return made


def received(connection: Connection, made: Registered, hours: int, each: int = 1) -> None:
    """Readings of every channel in each of the hours before the start."""
    for place, channel in enumerate(made.channel_ids.values()):
        connection.execute(
            "INSERT INTO reading (observed_at, received_at, value, channel_id, flags)"
            " SELECT at + i * interval '1 s', at + i * interval '1 s' + interval '1 s', i + %s, %s, i %% 3"
            " FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') AS at, generate_series(1, %s) AS i",
            [place, channel, START - timedelta(hours=hours), START - timedelta(hours=1), each],
        )


def made_leaves(connection: Connection, made: Registered) -> list[Leaf]:
    span = Span(
        pilot_id=made.pilot_id, pilot="old", start=None, end=START + timedelta(days=1), first_day=None,
        last_day=START.date(),
    )  # fmt: skip
    with connection.transaction():
        return list(gathered.reading_leaves(connection, span))


@pytest.fixture
def some(connection: Connection) -> Registered:
    """Five days, some readings observed long before, and before 1970, in their midst."""
    made = pilot(connection, channels=3)
    received(connection, made, 5 * 24, each=7)
    channel = next(iter(made.channel_ids.values()))
    for at in ("1969-12-31T23:59:59Z", "1955-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-04-01T00:00:00Z"):
        connection.execute(
            "INSERT INTO reading (observed_at, received_at, value, channel_id, flags) VALUES (%s, %s, 1.5, %s, 3)",
            [at, START - timedelta(hours=30), channel],
        )
    connection.execute(
        "INSERT INTO intake_slot (slot_id, day, decoded, stored, last_received)"
        " SELECT %s, received_at::date, count(*), count(*), max(received_at) FROM reading"
        " WHERE channel_id = ANY (%s) GROUP BY received_at::date",
        [made.slot_id, list(made.channel_ids.values())],
    )
    return made


def test_gathered_or_sorted_the_leaves_are_the_same(
    connection: Connection, some: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered_so = made_leaves(connection, some)
    assert len(gathered_so) == 3 * 5 * 24 and gathered_so == sorted(gathered_so, key=lambda leaf: leaf.order)
    monkeypatch.setattr(gathered, "_MOST_GATHERED", 100)
    assert made_leaves(connection, some) == gathered_so


def test_what_was_planned_for_the_leaves_is_let_go(connection: Connection, some: Registered) -> None:
    with connection.transaction():
        list(gathered.reading_leaves(connection, Span(
            pilot_id=some.pilot_id, pilot="old", start=None, end=START, first_day=None, last_day=START.date(),
        )))  # fmt: skip
        row = connection.execute(
            "SELECT current_setting('enable_sort') AS sort, current_setting('enable_hashagg') AS hash"
        ).fetchone()
    assert row == {"sort": "on", "hash": "on"}


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_first_seal_takes_little_memory_for_each_leaf(connection: Connection, tmp_path: Path) -> None:
    """Twenty channels for a year are 175,000 leaves: what is held of each is measured, and nothing that grows besides."""
    sealer = Sealer(key=make_key(connection, tmp_path / "seal.key"), heads=Heads(tmp_path / "seal.key"))
    sealing: dict[int, int] = {}
    checking: dict[int, int] = {}
    for hours in (500, 4_000):
        name = f"old-{hours}"
        received(connection, pilot(connection, name), hours)
        sealing[hours] = peak(lambda name=name: seal_days(connection, name, sealer, closed=START + timedelta(days=1)))  # type: ignore[misc]
        [seal] = store.seals(connection, name)
        assert seal.said.rows["reading"] == 2 * hours <= seal.said.leaves
        now = START + timedelta(days=1)
        checking[hours] = peak(lambda name=name, now=now: check(connection, name, now=now))  # type: ignore[misc]
        with unprotected(connection):
            assert check(connection, name, now=now).faults == []
    leaves = 2 * (4_000 - 500)
    a_leaf = [(found[4_000] - found[500]) / leaves for found in (sealing, checking)]
    print(f"bytes a leaf: sealed {a_leaf[0]:.0f}, checked {a_leaf[1]:.0f}")
    assert 100 < a_leaf[0] < A_LEAF and 100 < a_leaf[1] < A_LEAF


def test_a_tree_that_grows_holds_nearly_nothing() -> None:
    def grown(n: int) -> int:
        tree = merkle.Tree()

        def work() -> None:
            for number in range(n):
                tree.add(number.to_bytes(32))
            tree.root()

        return peak(work)

    assert grown(50_000) < grown(500) + 4_000
