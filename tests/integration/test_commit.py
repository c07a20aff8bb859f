"""Writing batches: everything once, the first value stays, the counts are exact."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.database import Connection, connect
from core.errors import DatabaseAway
from core.window import micros
from telemetry import horizon, messages
from telemetry.batch import Batch, EventRecord, LinkStateRecord, QuarantinedMessage, Readings, RejectedItem
from telemetry.commit import Committer, RefusedByStore, commit
from tests.registered import Registered, register

START = datetime(2026, 3, 1, tzinfo=UTC)


def batch_of(registered: Registered, values: dict[int, float], channel: str = "a") -> Batch:
    """One message with readings at so many seconds after START."""
    readings = Readings()
    for second, value in values.items():
        readings.append(registered.channel_ids[channel], micros(START + timedelta(seconds=second)), value)
    return Batch(
        readings=readings, delivered={registered.connection_id: 1}, payload_bytes={registered.connection_id: 10}
    )


def slot_counts(connection: Connection) -> dict[str, int]:
    row = connection.execute(
        "SELECT sum(decoded)::int AS decoded, sum(stored)::int AS stored, sum(duplicate)::int AS duplicate,"
        " sum(conflict)::int AS conflict, sum(rejected)::int AS rejected FROM intake_slot"
    ).fetchone()
    assert row is not None
    return dict(row)


def test_a_redelivery_is_counted_and_changes_nothing(connection: Connection) -> None:
    registered = register(connection)
    committer = Committer()
    first = committer.commit(connection, batch_of(registered, {0: 1.0, 60: 2.0}))
    again = committer.commit(connection, batch_of(registered, {0: 1.0, 60: 2.0, 120: 3.0}))
    assert (first.stored, again.stored, again.duplicate, again.conflict) == (2, 1, 2, 0)
    rows = connection.execute("SELECT value, received_at FROM reading ORDER BY observed_at").fetchall()
    assert [row["value"] for row in rows] == [1.0, 2.0, 3.0]
    assert [row["received_at"] == first.received_at for row in rows] == [True, True, False]
    assert slot_counts(connection) == {"decoded": 5, "stored": 3, "duplicate": 2, "conflict": 0, "rejected": 0}


def test_another_value_for_the_same_instant_is_kept_for_review(connection: Connection) -> None:
    registered = register(connection)
    committer = Committer()
    committer.commit(connection, batch_of(registered, {0: 1.0}))
    second = committer.commit(connection, batch_of(registered, {0: 9.0, 60: 2.0}))
    assert (second.stored, second.duplicate, second.conflict) == (1, 0, 1)
    kept = connection.execute("SELECT value, stored_value FROM conflict").fetchall()
    assert kept == [{"value": 9.0, "stored_value": 1.0}]
    first = connection.execute("SELECT value FROM reading ORDER BY observed_at LIMIT 1").fetchone()
    assert first == {"value": 1.0}


def test_within_a_batch_the_first_of_an_instant_stays(connection: Connection) -> None:
    registered = register(connection)
    batch = batch_of(registered, {0: 1.0})
    at = micros(START)
    for value in (2.0, 1.0, 3.0):
        batch.readings.append(registered.channel_ids["a"], at, value)
    committed = commit(connection, batch)
    assert (committed.stored, committed.duplicate, committed.conflict) == (1, 1, 2)
    assert slot_counts(connection) == {"decoded": 4, "stored": 1, "duplicate": 1, "conflict": 2, "rejected": 0}


def test_events_by_key_first_stays(connection: Connection) -> None:
    registered = register(connection)

    def event(identity: str, number: int, attributes: bytes = b"{}") -> EventRecord:
        return EventRecord(
            slot_id=registered.slot_id, kind="mission", id=identity, phase="end", number=number,
            at_us=micros(START), attributes=attributes,
        )  # fmt: skip

    commit(connection, Batch(events=[event("m1", 1, b'{"outcome": "done"}')]))
    again = Batch(
        events=[event("m1", 1, b'{"outcome":"done"}'), event("m1", 1, b'{"outcome": "failed"}'), event("m2", 2)]
    )
    committed = commit(connection, again)
    assert (committed.events, committed.duplicate, committed.conflict) == (1, 1, 1)
    kept = connection.execute("SELECT attributes FROM event WHERE id = 'm1'").fetchone()
    assert kept == {"attributes": {"outcome": "done"}}
    assert slot_counts(connection) == {"decoded": 4, "stored": 2, "duplicate": 1, "conflict": 1, "rejected": 0}


def test_a_whole_message_with_everything_in_it(connection: Connection) -> None:
    registered = register(connection)
    batch = batch_of(registered, {0: 1.0})
    batch.delivered = {registered.connection_id: 3}
    batch.quarantined.append(
        QuarantinedMessage(
            connection_id=registered.connection_id, topic="pilots/p1/s1/readings", reason="not_json",
            detail="the text ends too early", payload=b"{", payload_bytes=1, payload_sha256="00",
        )
    )  # fmt: skip
    batch.rejected.append(
        RejectedItem(
            slot_id=registered.slot_id, topic="t", item="a", observed="now", value="x\0\ud800", reason="not_a_number",
            detail="text where a number belongs",
        )
    )  # fmt: skip
    batch.link_states.append(
        LinkStateRecord(slot_id=registered.slot_id, at_us=micros(START), state="online", origin="status")
    )
    batch.messages = [
        (registered.pilot_id, registered.connection_id, "t", b"{}", 1_000_000, 0),
        (registered.pilot_id, registered.connection_id, "u", b"[]", 1_000_001, 4),
    ]
    commit(connection, batch)
    row = connection.execute("SELECT delivered, committed, quarantined FROM intake_connection").fetchone()
    assert row == {"delivered": 3, "committed": 2, "quarantined": 1}
    assert slot_counts(connection) == {"decoded": 2, "stored": 1, "duplicate": 0, "conflict": 0, "rejected": 1}
    block = connection.execute("SELECT body, n FROM message").fetchone()
    assert block is not None
    assert block["n"] == 2
    assert messages.unpack(block["body"]) == [
        messages.Raw(registered.connection_id, "t", b"{}", 1_000_000, 0),
        messages.Raw(registered.connection_id, "u", b"[]", 1_000_001, 4),
    ]
    refused = connection.execute("SELECT value FROM rejection").fetchone()
    assert refused == {"value": "x␀\\ud800"}


def test_the_day_of_the_counts_is_the_pilots(connection: Connection) -> None:
    seoul, berlin = register(connection, "seoul"), register(connection, "berlin", zone="Europe/Berlin")
    for registered in (seoul, berlin):
        batch = batch_of(registered, {0: 1.0})
        Committer().commit(connection, batch, received_at=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    days = connection.execute("SELECT day::text FROM intake_slot JOIN slot USING (slot_id) ORDER BY slot_id").fetchall()
    assert [row["day"] for row in days] == ["2026-03-02", "2026-03-01"]


def test_what_the_store_refuses_leaves_nothing_behind(connection: Connection) -> None:
    registered = register(connection)
    batch = batch_of(registered, {0: 1.0})
    batch.link_states.append(LinkStateRecord(slot_id=999_999, at_us=0, state="online", origin="status"))
    with pytest.raises(RefusedByStore, match="foreign key"):
        commit(connection, batch)
    assert connection.execute("SELECT FROM reading").fetchall() == []
    assert commit(connection, batch_of(registered, {0: 1.0})).stored == 1


def test_a_database_that_is_gone_is_transient(connection: Connection, database_url: str) -> None:
    registered = register(connection)
    doomed = connect(database_url)
    connection.execute("SELECT pg_terminate_backend(%s)", [doomed.info.backend_pid])
    with pytest.raises(DatabaseAway):
        commit(doomed, batch_of(registered, {0: 1.0}))


def test_open_hours_are_marked_once_and_closed_ones_each_time(connection: Connection) -> None:
    registered = register(connection)
    committer = Committer()
    now = datetime.now(UTC)
    for second in range(3):
        batch = Batch(readings=Readings())
        batch.readings.append(registered.channel_ids["a"], micros(now) + second, 1.0)
        batch.readings.append(registered.channel_ids["a"], micros(START) + second, 1.0)
        committer.commit(connection, batch)
    marks = connection.execute("SELECT hour, count(*) AS n FROM dirty_hour GROUP BY hour ORDER BY hour").fetchall()
    assert [mark["n"] for mark in marks] == [3, 1]


def test_the_horizon_waits_for_a_late_commit(connection: Connection, database_url: str) -> None:
    """A transaction that took its receipt time before the horizon, but commits after it was asked for, is waited for."""
    registered = register(connection)
    slow = connect(database_url)
    entered, release = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with slow.transaction():
            received = horizon.receive(slow)
            slow.execute(
                "INSERT INTO reading VALUES (%s, %s, 1.0, %s, 0)", [START, received, registered.channel_ids["a"]]
            )
            entered.set()
            release.wait(10)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert entered.wait(10)
    closer = connect(database_url)
    closed: list[datetime] = []
    closing = threading.Thread(target=lambda: closed.append(horizon.close_past(closer)))
    closing.start()
    time.sleep(0.3)
    assert not closed, "the past was closed while a transaction of it was open"
    release.set()
    writer.join(10)
    closing.join(10)
    [row] = connection.execute("SELECT received_at FROM reading").fetchall()
    assert row["received_at"] <= closed[0]
    later = commit(connection, batch_of(registered, {60: 2.0}))
    assert later.received_at > closed[0]
    slow.close()
    closer.close()


def test_a_clock_that_goes_back_stays_behind_the_horizon(connection: Connection) -> None:
    registered = register(connection)
    ahead = datetime.now(UTC) + timedelta(minutes=10)
    connection.execute("UPDATE horizon SET at = %s", [ahead])
    assert commit(connection, batch_of(registered, {0: 1.0})).received_at == ahead + timedelta(microseconds=1)


@pytest.mark.parametrize("table", ["audit", "plan_version", "result"])
def test_what_is_append_only_refuses_update_and_delete(connection: Connection, table: str) -> None:
    register(connection)
    connection.execute("INSERT INTO audit (who, what, object) VALUES ('a', 'b', 'c')")
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_by)"
        " SELECT pilot_id, 1, repeat('a', 64), '', 'x' FROM pilot"
    )
    connection.execute(
        "INSERT INTO result (pilot_id, kind, label, version, plan_version, as_of, code_version, sha256, document)"
        " SELECT pilot_id, 'month', '2026-01', 1, 1, now(), '', '', '{}' FROM pilot"
    )
    column = {"audit": "who", "plan_version": "recorded_by", "result": "label"}[table]
    for statement in (f"UPDATE {table} SET {column} = 'z'", f"DELETE FROM {table}"):
        with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
            connection.execute(statement)  # type: ignore[arg-type]
