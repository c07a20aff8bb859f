"""What is past its time goes, and nothing before: pilots that share the store are never cut by another's end."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from core.database import Connection, connected
from core.errors import PermanentError
from core.settings import settings
from core.window import micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from pilotbed import cli
from pilotbed.jobs import tasks
from telemetry import intake, retention, storage
from telemetry.batch import Batch, EventRecord, LinkStateRecord, Readings, RejectedItem
from telemetry.channels import channel
from telemetry.commit import Committer
from tests.accounted import aside
from tests.collecting import count
from tests.registered import Registered

PLAN = """
pilot: {pilot}
title: T
kind: rnd
{amendment}
company: {{id: c, name: C}}
site: {{id: s, name: S}}
period: {{start: 2025-01-01, end: {end}, timezone: Asia/Seoul}}
evaluation: {{data_until: 2025-01-20, meeting: 2025-01-25}}
product: {{name: P}}
keep_messages: 10 d
retention: {retention} d
slots:
  a:
    device: {{serial: "1"}}
    channels:
      temp: {{unit: degC, period: 1 h}}
    events: {{mission: {{}}}}
kpis:
  warm: {{name: warm, measure: {{statistic: {{channel: temp, stat: mean}}}}, target: ">= 20 degC", weight: 100}}
"""
SEOUL = timedelta(hours=9)


def applied(connection: Connection, pilot: str, end: date, retention_d: int, *, amended: str = "") -> None:
    amendment = f"amendment: {{parties: [s, c, t], reason: {amended}, date: 2025-01-02}}" if amended else ""
    text = PLAN.format(pilot=pilot, end=end, retention=retention_d, amendment=amendment)
    apply_plan(connection, read_plan(text.encode()), who="cli:test", now=datetime(2025, 1, 1, tzinfo=UTC))


def over_at(end: date, retention_d: int) -> datetime:
    """By the plan's own words, worked out on its own: midnight in Seoul, and so many days."""
    return datetime(end.year, end.month, end.day, tzinfo=UTC) - SEOUL + timedelta(days=retention_d)


def heard(connection: Connection, pilot: str, at: list[datetime], value: float = 1.0) -> None:
    channel_id = channel(connection, pilot, "a", "temp").channel_ids[-1]
    readings = Readings()
    for one in at:
        readings.append(channel_id, micros(one), value)
    Committer().commit(connection, Batch(readings=readings))


def readings_of(connection: Connection, pilot: str) -> int:
    row = connection.execute(
        "SELECT count(*) AS n FROM reading JOIN channel USING (channel_id) JOIN slot USING (slot_id) JOIN pilot USING (pilot_id)"
        " WHERE pilot.name = %s",
        [pilot],
    ).fetchone()
    assert row is not None
    return int(row["n"])


PILOTS = st.lists(
    st.tuples(
        st.integers(26, 80).map(lambda days: date(2025, 1, 1) + timedelta(days=days)),
        st.integers(10, 60),
        st.lists(st.integers(0, 24 * 25), min_size=1, max_size=25, unique=True),
    ),
    min_size=1,
    max_size=4,
)


@bounded(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pilots=PILOTS, days=st.integers(0, 160), by_column=st.booleans(), data=st.data())
def test_no_reading_of_a_pilot_goes_before_its_period_and_retention_are_over(
    connection: Connection, pilots: list[tuple[date, int, list[int]]], days: int, by_column: bool, data: st.DataObject
) -> None:
    first = datetime(2025, 1, 1, tzinfo=UTC)
    names = []
    for end, retention_d, at in pilots:
        name = f"p{secrets.token_hex(5)}"
        applied(connection, name, end, retention_d)
        heard(connection, name, [first + timedelta(hours=hour) for hour in at])
        names.append(name)
    if by_column:
        storage.move_to_columns(connection, datetime.now(UTC))
    # The clock stands anywhere, and now and then to the microsecond at somebody's end.
    now = first + timedelta(days=days)
    if data.draw(st.booleans()):
        end, retention_d, _ = data.draw(st.sampled_from(pilots))
        now = over_at(end, retention_d) + timedelta(microseconds=data.draw(st.sampled_from([-1, 0, 1])))
    told = {one.pilot: one for one in retention.due(connection, now)}
    retention.retire(connection, who="cli:test", now=now)
    for name, (end, retention_d, at) in zip(names, pilots, strict=True):
        over = over_at(end, retention_d) <= now
        assert readings_of(connection, name) == (0 if over else len(at)), (name, now)
        assert told[name].readings == (len(at) if over else 0)
    # What is left is forgotten, so that the next example has the store for itself.
    retention.retire(connection, who="cli:test", now=datetime(2100, 1, 1, tzinfo=UTC))
    assert count(connection, "reading") == 0


def test_chunks_go_whole_only_where_everybody_in_them_is_over(connection: Connection) -> None:
    if storage.describe(connection).engine.timescaledb is None:
        pytest.skip("a plain server has no chunks")
    first = datetime(2025, 1, 2, 12, tzinfo=UTC)  # a chunk's first day: they begin on Thursdays
    applied(connection, "short", date(2025, 2, 1), 10)
    applied(connection, "long", date(2025, 2, 1), 1000)
    heard(connection, "short", [first + timedelta(weeks=week) for week in range(4)])
    heard(connection, "long", [first + timedelta(weeks=1, hours=1)])
    storage.move_to_columns(connection, datetime.now(UTC))
    [done] = retention.retire(connection, who="cli:test", now=datetime(2025, 3, 1, tzinfo=UTC))
    assert (done.readings, done.chunks) == (4, 3)
    assert [one.start for one in storage.chunks(connection)] == [first.replace(hour=0) + timedelta(weeks=1)]
    assert (readings_of(connection, "short"), readings_of(connection, "long")) == (0, 1)


def test_an_amendment_in_the_meantime_is_heeded(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(connection, "hall", date(2025, 2, 1), 10)
    heard(connection, "hall", [datetime(2025, 1, 5, tzinfo=UTC) + timedelta(hours=n) for n in range(30)])
    deleting = retention._delete_all

    def amended(opened: Connection, one: retention.Ending, now: datetime) -> None:
        applied(connection, "hall", date(2025, 2, 1), 400, amended="longer")
        deleting(opened, one, now)

    monkeypatch.setattr(retention, "_delete_all", amended)
    monkeypatch.setattr(retention, "_drop_chunks", lambda *_: 0)
    with pytest.raises(PermanentError, match="changed to version 2 while its data were being deleted"):
        retention.retire(connection, who="cli:test", now=datetime(2025, 3, 1, tzinfo=UTC))
    assert readings_of(connection, "hall") == 30
    monkeypatch.undo()
    assert retention.retire(connection, who="cli:test", now=datetime(2025, 3, 1, tzinfo=UTC)) == []


def test_whoever_changes_the_plan_and_whoever_deletes_wait_for_each_other(
    connection: Connection, database_url: str
) -> None:
    applied(connection, "hall", date(2025, 2, 1), 10)
    heard(connection, "hall", [datetime(2025, 1, 5, tzinfo=UTC)])
    with connected(database_url) as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(7041004)")  # as `plan apply` holds it
        connection.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            retention.retire(connection, who="cli:test", now=datetime(2025, 3, 1, tzinfo=UTC))
    assert readings_of(connection, "hall") == 1


def test_clocks_that_disagree_delete_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(connection, "hall", date(2025, 2, 1), 10)
    heard(connection, "hall", [datetime(2025, 1, 5, tzinfo=UTC)])

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return datetime(2080, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(retention, "datetime", Ahead)
    with pytest.raises(PermanentError, match="more than ten minutes apart"):
        retention.retire(connection, who="cli:test")
    assert readings_of(connection, "hall") == 1


def test_the_account_of_a_day_says_past_retention_instead_of_false(connection: Connection) -> None:
    applied(connection, "hall", date(2025, 2, 1), 10)
    at = datetime(2025, 1, 5, tzinfo=UTC)
    row = connection.execute("SELECT slot_id FROM slot").fetchone()
    assert row is not None
    slot_id = row["slot_id"]
    event = EventRecord(
        slot_id=slot_id, kind="mission", id="m", phase="", number=None, at_us=micros(at), attributes=b"{}"
    )
    Committer().commit(
        connection,
        Batch(
            events=[event],
            link_states=[LinkStateRecord(slot_id=slot_id, at_us=micros(at), state="online", origin="status")],
            rejected=[
                RejectedItem(
                    slot_id=slot_id, topic="t", item="temp", observed="", value="x", reason="in_future", detail=""
                )
            ],
        ),
        received_at=at,
    )
    heard(connection, "hall", [at])
    day = intake.today(connection, "hall", datetime.now(UTC))
    assert intake.account(connection, "hall", day).balanced
    [done] = retention.retire(connection, who="cli:test", now=datetime(2025, 3, 1, tzinfo=UTC))
    assert (done.readings, done.beside) == (1, 3)
    for table in ("reading", "event", "link_state", "rejection"):
        assert count(connection, table) == 0
    for one in (day, at.date()):
        found = intake.account(connection, "hall", one)
        assert found.balanced and found.past_retention_since is not None
        [last] = [identity for identity in found.identities if identity.rule == "stored = found in the store"]
        assert last.past_retention and last.holds
    assert count(connection, "audit", "what = 'retention.delete' AND pilot = 'hall'") == 1
    assert count(connection, "plan_version") == 1 and count(connection, "intake_slot") == 2


def test_raw_messages_and_payloads_go_by_their_plans_time(connection: Connection) -> None:
    applied(connection, "hall", date(2025, 2, 1), 10)
    row = connection.execute(
        "SELECT pilot_id, connection_id, slot_id FROM connection JOIN slot USING (pilot_id, connection_id)"
    )
    ids = row.fetchone()
    assert ids is not None
    own = Registered(
        pilot_id=ids["pilot_id"], connection_id=ids["connection_id"], slot_id=ids["slot_id"], channel_ids={}
    )
    now = datetime.now(UTC)
    for days in (9, 11):
        messages = [(own.pilot_id, own.connection_id, "t", b"{}", 0, 0)]
        quarantined = [aside(own, b"abc", pilot="hall"), aside(own, b"abcd", nobody=True, pilot="hall")]
        other = aside(own, b"abcde", nobody=True, pilot="no-such-pilot")
        Committer().commit(
            connection,
            Batch(messages=messages, quarantined=[*quarantined, other]),
            received_at=now - timedelta(days=days),
        )
    expected = {one.pilot: (one.messages, one.payloads) for one in retention.due(connection, now)}
    assert expected == {"hall": (1, 2), "": (0, 0)}
    assert {
        one.pilot: (one.messages, one.payloads) for one in retention.drop_raw(connection, who="x", now=now)
    } == expected
    assert count(connection, "message") == 1
    kept = connection.execute("SELECT payload, payload_bytes FROM quarantine ORDER BY quarantine_id").fetchall()
    assert [len(one["payload"]) for one in kept] == [3, 4, 5, 0, 0, 5]
    assert [one["payload_bytes"] for one in kept] == [3, 4, 5, 3, 4, 5]
    assert count(connection, "audit", "what = 'retention.raw'") == 1
    retention.drop_raw(connection, who="x", now=now)
    assert count(connection, "audit", "what = 'retention.raw'") == 1
    # Of nobody's topics thirty days.
    retention.drop_raw(connection, who="x", now=now + timedelta(days=20))
    kept = connection.execute("SELECT payload FROM quarantine ORDER BY quarantine_id").fetchall()
    assert [len(one["payload"]) for one in kept] == [0, 0, 5, 0, 0, 0]


def test_a_payload_that_is_gone_is_not_replayed(connection: Connection) -> None:
    from ingest.quarantine import Wanted
    from ingest.replay import replay

    applied(connection, "hall", date(2025, 2, 1), 10)
    row = connection.execute("SELECT pilot_id, connection_id FROM connection").fetchone()
    assert row is not None
    own = Registered(pilot_id=row["pilot_id"], connection_id=row["connection_id"], slot_id=0, channel_ids={})
    Committer().commit(
        connection,
        Batch(quarantined=[aside(own, b"abc", pilot="hall")]),
        received_at=datetime.now(UTC) - timedelta(days=12),
    )
    retention.drop_raw(connection, who="x")
    done = replay(connection, Wanted(pilot="hall"), who="x")
    assert (done.tried, done.cut, done.resolved) == (1, 1, 0)


@pytest.fixture
def served(connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield connection
    settings.cache_clear()


def test_the_command_and_the_job(served: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    applied(served, "over", date(2025, 2, 1), 10)
    applied(served, "kept", date(2025, 2, 1), 9000)
    for pilot in ("over", "kept"):
        heard(served, pilot, [datetime(2025, 1, 5, tzinfo=UTC), datetime(2025, 1, 6, tzinfo=UTC)])
    assert cli.run(["intake", "retain", "--dry-run", "--json"]) == 0
    told = {one["pilot"]: one for one in json.loads(capsys.readouterr().out)["pilots"]}
    assert [(told[name]["over"], told[name]["readings"]) for name in ("over", "kept", None)] == [
        (True, 2), (False, 0), (False, 0)
    ]  # fmt: skip
    assert count(served, "reading") == 4
    assert cli.run(["intake", "retain", "--dry-run"]) == 0
    assert "Would be deleted" in capsys.readouterr().out
    assert cli.run(["intake", "retain"]) == 0
    assert "over" in capsys.readouterr().out
    assert (readings_of(served, "over"), readings_of(served, "kept")) == (0, 2)
    tasks.retain(served)
    assert readings_of(served, "kept") == 2
