"""Parts of the platform are killed under load, and nothing is lost or doubled; and a loss would be seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from core.database import Connection
from core.errors import EnvironmentProblem, PermanentError
from core.sql import load
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from pilotbed.bench.arena import bench_plan
from pilotbed.bench.chaos.buffer import AGAIN_AFTER_S, UNTOLD_AFTER_S, Buffer
from pilotbed.bench.chaos.kills import KILLS
from pilotbed.bench.chaos.load import Sender
from pilotbed.bench.chaos.run import Chaos, bench_chaos, schedule
from pilotbed.bench.chaos.verdict import Verdict, judge
from telemetry.batch import Batch, Readings
from telemetry.commit import commit

_START_MS = 1_772_000_000_000


def _ran(told: Chaos) -> dict[str, Any]:
    lines: list[str] = []
    try:
        return bench_chaos(told, say=lines.append)
    except EnvironmentProblem as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
    finally:
        print("\n".join(lines))  # shown where the test fails


def test_what_is_killed_under_load_costs_nothing() -> None:
    """users.md 1 and 2: what was acknowledged and is gone, after a crash of collector, database or broker."""
    kinds = ("collector_and_database", "database_network_deaf", "broker_restart", "everything")
    report = _ran(Chaos(kills=4, seed=11, rate=600.0, only=kinds))
    assert report["by_kind"] == dict.fromkeys(sorted(kinds), 1)
    assert report["wrong"] == []
    assert report["lost_level_1"] == report["lost_level_2"] == report["doubled"] == 0
    assert report["passed"]
    assert report["acknowledged"] == report["published"] > 2000
    assert report["stored"] + report["lost_broker_kill_without_receipts"] == report["published"]
    assert report["duplicates"] > 0, "nothing came twice: the kills met nothing"


class _Store:
    """A database as the verdict asks it."""

    unasked: Sequence[str] = ()

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, block: str, **values: Any) -> list[dict[str, Any]]:
        return self._connection.execute(load("pilotbed.bench.chaos", "chaos.sql")[block], values).fetchall()


def _sender(slot: str, kind: str, published: int, **given: Any) -> Sender:
    values: dict[str, Any] = {
        "username": f"bench.{slot}", "slot": slot, "kind": kind, "published": published,
        "acknowledged": [(1, published)], "transmissions": published, "open": 0, "connections": 1, "receipts": 1,
        "receipt": None,
    }  # fmt: skip
    return Sender(**values | given)


@pytest.fixture
def ids(connection: Connection) -> dict[str, dict[str, int]]:
    """A store of the bench's pilot; each slot's ids."""
    apply_plan(connection, read_plan(bench_plan()), who="cli:test")
    rows = connection.execute(
        "SELECT s.name, s.connection_id, c.channel_id, p.pilot_id FROM slot s JOIN pilot p USING (pilot_id)"
        " JOIN channel c USING (slot_id) WHERE c.name = 'c0'"
    ).fetchall()
    return {row.pop("name"): row for row in rows}


def _store(connection: Connection, of: dict[str, int], numbers: Sequence[int], *, numbered: bool = False) -> None:
    """Commit messages with these numbers, as a collector does."""
    batch = Batch(
        readings=Readings(
            channel_id=[of["channel_id"]] * len(numbers),
            observed_us=[(_START_MS + number) * 1000 for number in numbers],
            value=[float(number) for number in numbers],
            flags=[0] * len(numbers),
        ),
        delivered={of["connection_id"]: len(numbers)},
        payload_bytes={of["connection_id"]: len(numbers)},
        messages=[(of["pilot_id"], of["connection_id"], "t", b"x", 0, 0) for _ in numbers],
        sequences=[(of["connection_id"], "b", number) for number in numbers] if numbered else [],
    )
    commit(connection, batch)


def _judged(connection: Connection, *senders: Sender, broker_killed: bool = False) -> Verdict:
    return judge(_Store(connection), senders, start_ms=_START_MS, broker_killed=broker_killed)


def test_the_verdict_agrees_where_everything_is_there(connection: Connection, ids: dict[str, dict[str, int]]) -> None:
    _store(connection, ids["s0"], range(1, 101))
    _store(connection, ids["s0"], range(50, 60))
    _store(connection, ids["s1"], range(1, 51), numbered=True)
    sent = _sender("s0", "plain", 100, transmissions=110)
    verdict = _judged(connection, sent, _sender("s1", "receipts", 50))
    assert verdict.wrong == verdict.which == []
    assert (verdict.published, verdict.acknowledged, verdict.stored, verdict.duplicates) == (150, 150, 150, 10)
    assert verdict.lost == {"plain": 0, "receipts": 0} and verdict.lost_despite_receipts == verdict.doubled == 0


def test_the_verdict_sees_what_was_acknowledged_and_lost(
    connection: Connection, ids: dict[str, dict[str, int]]
) -> None:
    _store(connection, ids["s0"], [*range(1, 40), *range(43, 101)])
    _store(connection, ids["s1"], range(1, 49), numbered=True)
    # The last of s0 was never acknowledged: nobody had promised it.
    plain = _sender("s0", "plain", 103, acknowledged=[(1, 101)], open=2)
    verdict = _judged(connection, plain, _sender("s1", "receipts", 50))
    assert verdict.lost == {"plain": 4, "receipts": 2} and verdict.lost_despite_receipts == 2
    assert verdict.which == [
        "s0 (plain): 4 lost, the first 40, 41, 42, 101, the last 101", "s1 (receipts): 2 lost, the first 49, 50, the last 50"
    ]  # fmt: skip
    assert len(verdict.wrong) == 2, "two still open, and numbers that end too early"


def test_the_verdict_sees_doubles_strangers_and_changed_readings(
    connection: Connection, ids: dict[str, dict[str, int]]
) -> None:
    of = ids["s0"]
    _store(connection, of, range(1, 11))
    connection.execute(
        "INSERT INTO reading (observed_at, received_at, value, channel_id) VALUES (now(), now(), 3, %(id)s),"
        " (now() + interval '1 s', now(), 77, %(id)s)",
        {"id": of["channel_id"]},
    )
    verdict = _judged(connection, _sender("s0", "plain", 10))
    assert verdict.doubled == 1
    assert [line for line in verdict.wrong if "nobody sent" in line or "altered" in line or "counted as stored" in line] == [
        "s0: 1 readings that nobody sent", "s0: 2 readings altered", "s0: 10 readings counted as stored, 12 are there"
    ]  # fmt: skip


@pytest.mark.parametrize("broker_killed", [False, True])
def test_the_verdict_sees_an_accounting_that_counts_twice(
    connection: Connection, ids: dict[str, dict[str, int]], broker_killed: bool
) -> None:
    _store(connection, ids["s0"], range(1, 11))
    _store(connection, ids["s0"], range(1, 11))  # a commit of unknown outcome, tried again and not recognised
    verdict = _judged(connection, _sender("s0", "plain", 10), broker_killed=broker_killed)
    expected = "s0: 20 messages counted as delivered, 0 of them again, but only 10 were sent"
    assert verdict.wrong == ([] if broker_killed else [expected])


def test_the_verdict_holds_the_numbers_against_the_readings(
    connection: Connection, ids: dict[str, dict[str, int]]
) -> None:
    _store(connection, ids["s2"], [1, 2, 3, 6, 7], numbered=True)
    sender = _sender("s2", "numbered", 7)
    assert "2 missing" in _judged(connection, sender).wrong[0]
    assert _judged(connection, sender, broker_killed=True).wrong == [], "missing is what was lost"
    connection.execute("UPDATE sequence SET received = received - '{[2,3)}'::int8multirange")
    assert len(_judged(connection, sender, broker_killed=True).wrong) == 1, "one is stored and called missing"


def test_a_sender_by_receipts_keeps_what_is_not_committed() -> None:
    sender = Buffer(receipts=True, boot="b")
    sender.make(5)
    sent = [sender.next() for _ in range(5)]
    for place, message in enumerate(sent):
        assert message is not None
        if place != 4:
            sender.acknowledged(message[0], now=100.0)
    receipt = {"boot": "b", "first": 1, "through": 3, "missing": [[1, 2]]}
    sender.receipt(receipt | {"boot": "of another life"})
    assert sender.open == 5
    sender.receipt(receipt)
    sender.tick(now=100.0 + AGAIN_AFTER_S / 2)
    assert sender.open == 4 and sender.next() is None, "what was just sent may be on its way"
    sender.tick(now=100.0 + AGAIN_AFTER_S)
    again = [sender.next(), sender.next()]
    assert [message[1] for message in again if message] == [1, 2] and sender.next() is None
    sender.disconnected()
    assert [message[1] for message in iter(sender.next, None)] == [1, 2, 5], "what no acknowledgement came for"
    sender.tick(now=100.0 + UNTOLD_AFTER_S)
    message = sender.next()
    assert message is not None and message[1] == 4, "no receipt spoke of it"
    sender.receipt({"boot": "b", "first": 1, "through": 5, "missing": []})
    assert sender.open == 0 and sender.acknowledged_ranges() == [(1, 4)]


def test_the_schedule_is_the_seeds_and_has_every_kind() -> None:
    first, second = schedule(Chaos(kills=20, seed=3), disk=True)
    assert schedule(Chaos(kills=20, seed=3), disk=True) == (first, second)
    assert schedule(Chaos(kills=20, seed=4), disk=True) != (first, second)
    assert {kill.name for kill in first} == {kill.name for kill in KILLS if kill.level == 1}
    assert len(first) == 15 and len(second) == 5
    assert sum(kill.level == 2 for kill in second) >= 2
    assert "database_disk_full" not in {kill.name for kill in schedule(Chaos(kills=20, seed=3), disk=False)[0]}
    for kills in (1, 2, 7, 100):
        for only in ((), ("collector",), ("broker",), ("collector", "broker")):
            assert sum(map(len, schedule(Chaos(kills=kills, seed=1, only=only), disk=True))) == kills
    with pytest.raises(PermanentError, match="'earthquake' is no kind of kill; there are: collector,"):
        schedule(Chaos(kills=1, seed=1, only=("earthquake",)), disk=True)
