"""What comes a second time: a batch whose first commit had no answer, messages that were delivered before."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from core.database import Connection, connect
from core.errors import DatabaseAway
from telemetry.aside import Quota
from telemetry.batch import Batch, QuarantinedMessage, Readings, RejectedItem
from telemetry.commit import BatchMark, Committer, RefusedByStore
from tests.registered import Registered, register

AT_US = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1e6)


@pytest.fixture
def site(connection: Connection) -> Registered:
    return register(connection)


def message(site: Registered | None, payload: bytes, *, redelivered: bool = False) -> QuarantinedMessage:
    return QuarantinedMessage(
        connection_id=None if site is None else site.connection_id,
        topic="pilots/p1/s1/readings",
        reason="not_json",
        detail="",
        payload=payload,
        payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
        redelivered=redelivered,
    )


def refused(site: Registered, value: str, *, redelivered: bool = False) -> RejectedItem:
    return RejectedItem(
        slot_id=site.slot_id, topic="t", item="a", observed="1", value=value, reason="not_a_number", detail="",
        redelivered=redelivered,
    )  # fmt: skip


def whole(site: Registered, *, redelivered: bool = False) -> Batch:
    """One message of each kind: read, refused in part, set aside; numbered."""
    return Batch(
        readings=Readings(channel_id=[site.channel_ids["a"]], observed_us=[AT_US], value=[1.5], flags=[0]),
        quarantined=[message(site, b"?", redelivered=redelivered)],
        rejected=[refused(site, "x", redelivered=redelivered)],
        delivered={site.connection_id: 3},
        redelivered={site.connection_id: 3} if redelivered else {},
        sequences=[(site.connection_id, "b", number) for number in (1, 2, 3)],
    )


def counted(connection: Connection) -> dict[str, Any]:
    row = connection.execute(
        "SELECT (SELECT to_jsonb(c) - 'day' - 'last_received' FROM intake_connection c) AS connection,"
        " (SELECT to_jsonb(s) - 'day' - 'last_received' FROM intake_slot s) AS slot,"
        " (SELECT count(*) FROM quarantine) AS quarantine, (SELECT count(*) FROM rejection) AS rejection,"
        " (SELECT sum(repeated) FROM sequence) AS repeated"
    ).fetchone()
    assert row is not None
    return row


def test_a_commit_without_an_answer_is_recognised_and_nothing_is_counted_twice(
    connection: Connection, database_url: str, site: Registered
) -> None:
    mark = BatchMark(collector="c1", run=uuid4(), number=1)
    first = Committer().commit(connection, whole(site), mark=mark)
    before = counted(connection)
    # The answer to COMMIT never came: the same batch again, over another connection.
    with connect(database_url) as other:
        again = Committer().commit(other, whole(site), mark=mark)
    assert not first.repeated and again.repeated
    assert counted(connection) == before


def test_the_next_batch_of_the_same_content_is_a_batch_of_its_own(connection: Connection, site: Registered) -> None:
    committer, run = Committer(), uuid4()
    committer.commit(connection, whole(site), mark=BatchMark(collector="c1", run=run, number=1))
    for mark in (BatchMark(collector="c1", run=run, number=2), BatchMark(collector="c2", run=run, number=2)):
        assert not committer.commit(connection, whole(site), mark=mark).repeated
    found = counted(connection)
    assert found["connection"]["delivered"] == 9 and found["slot"]["duplicate"] == 2
    assert found["repeated"] == 6


def test_a_refused_batch_leaves_its_number_free(connection: Connection, site: Registered) -> None:
    committer, mark = Committer(), BatchMark(collector="c1", run=uuid4(), number=1)
    bad = Batch(rejected=[RejectedItem(
        slot_id=-1, topic="t", item="a", observed="", value="", reason="not_a_number", detail="")])  # fmt: skip
    with pytest.raises(RefusedByStore):
        committer.commit(connection, bad, mark=mark)
    assert not committer.commit(connection, whole(site), mark=mark).repeated


def test_what_was_committed_without_its_acknowledgement_is_kept_once_when_it_comes_again(
    connection: Connection, site: Registered
) -> None:
    committer = Committer()
    committer.commit(connection, whole(site))
    again = committer.commit(connection, whole(site, redelivered=True))
    found = counted(connection)
    assert (again.stored, again.duplicate, again.rejected, again.quarantined) == (0, 2, 0, 0)
    assert found["quarantine"] == found["rejection"] == 1
    assert {key: found["connection"][key] for key in ("delivered", "committed", "quarantined", "redelivered")} == {
        "delivered": 6, "committed": 5, "quarantined": 1, "redelivered": 3,
    }  # fmt: skip
    assert {key: found["slot"][key] for key in ("decoded", "stored", "duplicate", "rejected")} == {
        "decoded": 4, "stored": 1, "duplicate": 2, "rejected": 1,
    }  # fmt: skip


def test_the_same_bad_message_sent_twice_by_its_sender_is_two_messages(
    connection: Connection, site: Registered
) -> None:
    batch = Batch(
        quarantined=[message(site, b"?"), message(site, b"?")], rejected=[refused(site, "x"), refused(site, "x")]
    )
    Committer().commit(connection, batch)
    assert counted(connection)["quarantine"] == 2 and counted(connection)["rejection"] == 2


def test_a_redelivered_message_that_was_never_committed_is_kept(connection: Connection, site: Registered) -> None:
    done = Committer().commit(connection, whole(site, redelivered=True))
    assert done.quarantined == 1 and done.rejected == 1


def test_beyond_a_sender_s_quota_messages_are_counted_and_bound_by_hashes(
    connection: Connection, site: Registered
) -> None:
    other = register(connection, "p2")
    committer = Committer(Quota(messages=2, payload_bytes=10))
    payloads = [b"aaaa", b"bbbbbbbb", b"cccc", b"d", b"e"]
    batch = Batch(
        quarantined=[message(site, payload) for payload in payloads] + [message(other, b"z"), message(None, b"n")],
        delivered={site.connection_id: 5, other.connection_id: 1},
    )
    done = committer.commit(connection, batch)
    assert done.quarantined == 7
    kept = connection.execute("SELECT connection_id, payload FROM quarantine ORDER BY quarantine_id").fetchall()
    assert [(row["connection_id"], bytes(row["payload"])) for row in kept] == [
        (site.connection_id, b"aaaa"), (site.connection_id, b"cccc"), (other.connection_id, b"z"), (None, b"n"),
    ]  # fmt: skip
    chain = b""
    for payload in (b"bbbbbbbb", b"d", b"e"):
        chain = hashlib.sha256(chain + hashlib.sha256(payload).digest()).digest()
    days = {row["connection_id"]: row for row in connection.execute("SELECT * FROM quarantine_day")}
    mine = days[site.connection_id]
    assert (mine["kept"], mine["kept_bytes"], mine["beyond"], mine["beyond_bytes"]) == (2, 8, 3, 10)
    assert mine["beyond_sha256"] == chain.hex()
    assert days[0]["kept"] == 1 and days[other.connection_id]["kept"] == 1
    row = connection.execute(
        "SELECT quarantined, committed FROM intake_connection WHERE connection_id = %s", [site.connection_id]
    ).fetchone()
    assert row == {"quarantined": 5, "committed": 0}


@pytest.mark.parametrize(
    "trouble",
    [
        "SET default_transaction_read_only = on",
        "SET statement_timeout = 1",
        "SET ROLE pg_monitor",
        "ALTER TABLE intake_slot RENAME TO gone",
    ],
    ids=["read-only", "too slow", "without rights", "not migrated"],
)
def test_what_ails_the_server_is_no_fault_of_the_message(
    connection: Connection, database_url: str, site: Registered, trouble: str
) -> None:
    with connect(database_url) as ailing:
        ailing.execute(trouble)
        with pytest.raises(DatabaseAway):
            for _ in range(50):  # a statement of a millisecond may make it
                Committer().commit(ailing, whole(site))


def test_a_conflict_that_comes_again_is_known(connection: Connection, site: Registered) -> None:
    committer = Committer()

    def say(*values: float) -> tuple[int, int]:
        ids, n = [site.channel_ids["a"]] * len(values), len(values)
        readings = Readings(channel_id=ids, observed_us=[AT_US] * n, value=list(values), flags=[0] * n)
        done = committer.commit(connection, Batch(readings=readings))
        return done.conflict, done.duplicate

    committer.commit(connection, whole(site))
    assert say(2.0, 2.0, 3.0) == (2, 1)
    assert say(2.0) == (0, 1)
    assert say(4.0, 1.5) == (1, 1)
    kept = connection.execute("SELECT value FROM conflict ORDER BY conflict_id").fetchall()
    assert [row["value"] for row in kept] == [2.0, 3.0, 4.0]
