"""A replay stores what a message says once: whoever replays, however often, wherever it stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection, connected
from ingest.quarantine import Wanted
from ingest.replay import Replayed, replay
from telemetry.batch import Flag
from tests.arriving import QOS_0, RETAINED, arrive
from tests.collecting import ROOT, apply, count, now_ms, wait_for

SLOTS = (
    "  s1:\n"
    "    device: {serial: '1'}\n"
    "    channels:\n"
    "      pm25: {unit: ug/m^3, period: 10 s}\n"
    "    events: {mission: {numbered: true}}\n"
)


@pytest.fixture
def site(connection: Connection, pilot: str) -> str:
    """A pilot whose slot is not known by the name under which the device speaks yet."""
    apply(connection, pilot, slots=SLOTS)
    return pilot


def correct(connection: Connection) -> None:
    """What the company's corrected plan would do."""
    connection.execute("UPDATE slot SET name = 'renamed' WHERE name = 's1'")


def message(ts: int, value: float = 1.0, **more: Any) -> bytes:
    return json.dumps({"ts": ts, "values": {"pm25": value}, **more}).encode()


def topic(pilot: str, last: str = "readings") -> str:
    return f"pilots/{pilot}/renamed/{last}"


def replayed(opened: Connection, pilot: str, **given: Any) -> Replayed:
    return replay(opened, Wanted(pilot=pilot, **given), who="cli:test")


def rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # type: ignore[arg-type]


def test_both_receipt_times_are_kept(connection: Connection, site: str) -> None:
    arrived = arrive(connection, (topic(site), message(now_ms(-120))))
    arrive(connection, (topic(site, "events"), b'{"id": "m", "kind": "mission", "at": %d}' % now_ms(-120)))
    correct(connection)
    done = replayed(connection, site)
    assert (done.resolved, done.readings, done.events) == (2, 1, 1)
    (reading,), (event,), held = (rows(connection, table) for table in ("reading", "event", "quarantine"))
    assert held[0]["received_at"] == arrived.received_at < held[0]["replayed_at"] == reading["received_at"]
    assert reading["flags"] & Flag.REPLAYED and event["flags"] & Flag.REPLAYED
    assert held[0]["resolution"] == "replayed by cli:test" and held[0]["resolved_at"] is not None


def test_it_is_read_as_it_was_delivered(connection: Connection, site: str) -> None:
    ts = now_ms(-120)
    arrive(connection, (topic(site), message(ts)), header=QOS_0)
    arrive(connection, (topic(site), message(ts + 1)), header=RETAINED)
    arrive(connection, (topic(site), b'{"values": {"pm25": 3}}'), header=RETAINED)
    # By the clock of now this one would count; when it came, its time lay ahead.
    arrive(connection, (topic(site), message(now_ms(-200))), ago_s=86_400)
    connection.execute("UPDATE quarantine SET received_at = received_at - interval '1 day' WHERE quarantine_id = 4")
    correct(connection)
    done = replayed(connection, site)
    assert (done.resolved, done.readings, done.rejected) == (4, 2, 2)
    assert [row["flags"] for row in connection.execute("SELECT flags FROM reading ORDER BY observed_at")] == [
        Flag.QOS0 | Flag.REPLAYED, Flag.RETAINED | Flag.REPLAYED
    ]  # fmt: skip
    assert sorted(row["reason"] for row in rows(connection, "rejection")) == ["in_future", "time_missing"]


def test_a_second_replay_finds_nothing_to_do(connection: Connection, site: str) -> None:
    arrive(connection, *((topic(site), message(now_ms(-120) + place)) for place in range(3)))
    correct(connection)
    assert replayed(connection, site).readings == 3
    again = replayed(connection, site)
    assert (again.tried, again.readings, again.duplicate) == (0, 0, 0)
    assert count(connection, "reading") == 3
    assert count(connection, "audit", "what = 'quarantine.replay'") == 1


def test_what_the_device_sent_again_meanwhile_is_recognised(connection: Connection, site: str) -> None:
    ts = now_ms(-120)
    told = (topic(site, "events"), b'{"id": "m", "kind": "mission", "at": %d}' % ts)
    arrive(connection, (topic(site), message(ts)), (topic(site), message(ts + 1, 5.0)), told)
    correct(connection)
    arrive(connection, (topic(site), message(ts)), (topic(site), message(ts + 1, 6.0)), told, ago_s=30)
    done = replayed(connection, site)
    assert (done.resolved, done.readings, done.events, done.duplicate, done.conflict) == (3, 0, 0, 2, 1)
    assert [(row["value"], row["flags"]) for row in connection.execute("SELECT * FROM reading ORDER BY observed_at")] == [
        (1.0, 0), (6.0, 0)
    ]  # fmt: skip
    assert [(row["value"], row["stored_value"]) for row in rows(connection, "conflict")] == [(5.0, 6.0)]
    assert count(connection, "event") == 1


def test_a_resend_after_the_replay_is_recognised_too(connection: Connection, site: str) -> None:
    sent = (topic(site), message(now_ms(-120)))
    arrive(connection, sent)
    correct(connection)
    replayed(connection, site)
    assert arrive(connection, sent, ago_s=30).duplicate == 1
    assert count(connection, "reading") == 1


def test_two_replays_at_the_same_time_share_the_work(connection: Connection, site: str, database_url: str) -> None:
    total = 1_000
    arrive(connection, *((topic(site), message(now_ms(-120) + place)) for place in range(total)))
    correct(connection)
    start, done = threading.Barrier(3), []

    def work() -> None:
        with connected(database_url) as own:
            start.wait(10)
            done.append(replayed(own, site))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 3
    assert (
        sum(one.readings for one in done) == sum(one.resolved for one in done) == total == count(connection, "reading")
    )
    assert sum(one.duplicate + one.conflict for one in done) == 0
    settled = [number for row in rows(connection, "audit") for number in (row["after"] or {}).get("messages", [])]
    assert len(settled) == len(set(settled)) == total


def test_a_replay_that_finds_everything_held_leaves_it(connection: Connection, site: str, database_url: str) -> None:
    arrive(connection, (topic(site), message(now_ms(-120))))
    correct(connection)
    with connected(database_url) as other, other.transaction():
        other.execute("SELECT FROM quarantine FOR UPDATE")
        assert replayed(connection, site).tried == 0
    assert replayed(connection, site).readings == 1


@pytest.mark.parametrize("where", ["UPDATE ON quarantine", "INSERT ON reading", "INSERT ON audit"])
def test_a_replay_killed_on_the_way_leaves_nothing_half(
    connection: Connection, site: str, database_url: str, tmp_path: Path, where: str
) -> None:
    arrive(connection, *((topic(site), message(now_ms(-120) + place)) for place in range(3)))
    correct(connection)
    connection.execute(
        "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$"
    )
    connection.execute(f"CREATE TRIGGER wait AFTER {where} FOR EACH ROW EXECUTE FUNCTION wait_here()")  # type: ignore[arg-type]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "quarantine", "replay", site],
            env={"PILOTBED_DATABASE_URL": database_url, "PATH": ""}, stdout=log, stderr=log, cwd=ROOT,
        )  # fmt: skip
    try:
        asleep = "application_name = 'pilotbed-replay' AND wait_event = 'PgSleep'"
        wait_for(lambda: count(connection, "pg_stat_activity", asleep), what="the replay to be in its transaction")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pilotbed-replay'"
    )
    wait_for(
        lambda: not count(connection, "pg_stat_activity", "application_name = 'pilotbed-replay'"),
        what="its server's end",
    )
    assert count(connection, "reading") == count(connection, "audit", "what = 'quarantine.replay'") == 0
    assert count(connection, "quarantine", "resolved_at IS NULL") == 3
    table = where.split()[-1]
    connection.execute(f"DROP TRIGGER wait ON {table}")  # type: ignore[arg-type]
    assert replayed(connection, site).readings == 3 == count(connection, "reading")


def test_what_the_store_refuses_stays_open_and_holds_up_nothing(connection: Connection, site: str) -> None:
    ts = now_ms(-120)
    arrive(connection, *((topic(site), message(ts + place, value)) for place, value in enumerate((1.0, 666.0, 2.0))))
    correct(connection)
    connection.execute("ALTER TABLE reading ADD CONSTRAINT a_fault CHECK (value <> 666)")
    done = replayed(connection, site)
    assert (done.resolved, done.readings, done.still, dict(done.reasons)) == (2, 2, 1, {"refused_by_store": 1})
    connection.execute("ALTER TABLE reading DROP CONSTRAINT a_fault")
    assert replayed(connection, site).readings == 1
    assert count(connection, "reading") == 3


def test_arrivals_of_a_device_without_a_clock_are_never_taken_for_each_other(
    connection: Connection, pilot: str
) -> None:
    apply(
        connection, pilot, connections="{gw: {clock: false}}",
        slots=SLOTS.replace("    device", "    connection: gw\n    device", 1),
    )  # fmt: skip
    same = b'[{"values": {"pm25": 5}}, {"values": {"pm25": 6}}]'
    arrive(connection, (topic(pilot), same), (f"pilots/{pilot}/later/readings", same), (topic(pilot), same))
    correct(connection)
    assert replayed(connection, pilot).readings == 4
    connection.execute("UPDATE slot SET name = 'later'")
    done = replayed(connection, pilot)
    assert (done.readings, done.duplicate, done.conflict) == (2, 0, 0)
    found = connection.execute("SELECT value, observed_at, flags FROM reading ORDER BY observed_at").fetchall()
    (held,) = connection.execute("SELECT DISTINCT received_at FROM quarantine").fetchall()
    assert [row["value"] for row in found] == [5, 6, 5, 6, 5, 6]
    spread_us = [(row["observed_at"] - held["received_at"]).total_seconds() * 1e6 for row in found]
    assert spread_us == pytest.approx([0, 1, 2, 3, 4, 5])
    assert all(row["flags"] & Flag.ARRIVAL_TIME for row in found)


def test_numbers_are_counted_once(connection: Connection, site: str) -> None:
    ts = now_ms(-120)
    # One on a topic that nobody counted, one that was counted when it was set aside.
    arrive(connection, (topic(site), message(ts, seq=1, boot="b")))
    arrive(
        connection, (f"pilots/{site}/s1/readings", b'{"ts": %d, "values": {"later": 1}, "seq": 2, "boot": "b"}' % ts)
    )
    correct(connection)
    connection.execute(
        "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, valid_from)"
        " SELECT slot_id, 'later', 1, 'gauge', 'W', 'periodic', 10, 30, now() FROM slot"
    )
    connection.execute("UPDATE quarantine SET topic = %s", [topic(site)])
    assert replayed(connection, site).resolved == 2
    (row,) = rows(connection, "sequence")
    assert (str(row["received"]), row["repeated"], row["boot"]) == ("{[1, 3)}", 0, "b")


def test_the_day_of_receipt_keeps_its_account(connection: Connection, site: str) -> None:
    arrive(connection, (f"pilots/{site}/s1/readings", b'{"ts": %d, "values": {"later": 1}}' % now_ms(-120)))
    before = rows(connection, "intake_connection")
    connection.execute(
        "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, valid_from)"
        " SELECT slot_id, 'later', 1, 'gauge', 'W', 'periodic', 10, 30, now() FROM slot"
    )
    assert replayed(connection, site, connection="s1", reason="unknown_channel").readings == 1
    assert rows(connection, "intake_connection") == before
    assert [(b["delivered"], b["committed"], b["quarantined"]) for b in before] == [(1, 0, 1)]
    (slot,) = rows(connection, "intake_slot")
    assert (slot["decoded"], slot["stored"]) == (1, 1)


def test_only_what_is_asked_for_is_replayed(connection: Connection, site: str) -> None:
    arrive(connection, (topic(site), message(now_ms(-120))), (f"pilots/{site}/s1/readings", b"?"))
    correct(connection)
    assert replayed(connection, site, connection="s1").tried == 1
    assert replayed(connection, site, reason="not_json").tried == 1
    assert replayed(connection, site, reason="no_binding").readings == 1
