"""The account of a day: every message, number, reading and refusal of it, against counts made another way."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.errors import NotFound
from core.window import HOUR_US, micros
from telemetry import intake, rows
from telemetry.account import Account
from telemetry.account_document import document
from telemetry.aside import Quota
from telemetry.batch import Batch, EventRecord, Flag, Readings
from telemetry.commit import Committer
from telemetry.load import load_readings
from telemetry.summarise import summarise_all
from tests.accounted import DAY, START, aside, commit, readings, refused
from tests.registered import register

LONG_AFTER = START + timedelta(days=9)
PERIODIC = {"a": {"period_s": 60.0, "max_hold_s": 180.0}, "b": {"period_s": 10.0, "max_hold_s": 30.0}}


def of_day(connection: Connection, day: date = DAY, *, now: datetime = LONG_AFTER, **given: Any) -> Account:
    return intake.account(connection, "p1", day, now=now, **given)


def test_a_day_without_anything_is_all_missing_and_balances(connection: Connection) -> None:
    register(connection, channels=PERIODIC)
    account = of_day(connection)
    total = account.totals
    assert (total.expected, total.delivered, total.decoded, total.stored) == (1440 + 8640, 0, 0, 0)
    assert total.sent is None and total.missing is None, "nobody counts, so nobody knows"
    assert account.slots[0].timing is not None and account.slots[0].timing.delay is None
    assert total.timing is not None and total.timing.gap is not None
    assert (total.timing.gap.seconds, total.timing.completeness) == (86_400.0, 0.0)
    assert account.balanced and account.over


def test_messages_are_delivered_committed_or_set_aside_by_reason(connection: Connection) -> None:
    registered = register(connection)
    sender = registered.connection_id
    at = START + timedelta(hours=3)
    held = [aside(registered, f"x{n}".encode()) for n in range(5)]
    commit(connection, at, quota=Quota(messages=3), delivered={sender: 20}, redelivered={sender: 4},
           payload_bytes={sender: 1000}, quarantined=[*held, aside(registered, b"y", nobody=True)])  # fmt: skip
    # Of other days and of other pilots: none of this day's business.
    commit(connection, START - timedelta(microseconds=1), delivered={sender: 7}, quarantined=[aside(registered, b"z")])
    commit(connection, at, quarantined=[aside(registered, b"w", nobody=True, pilot="p10")])
    account = of_day(connection)
    [one] = account.connections
    assert (one.delivered, one.committed, one.quarantined, one.redelivered, one.payload_bytes) == (20, 15, 5, 4, 1000)
    assert one.quarantined_by_reason == {"not_json": 3, "beyond_quota": 2}
    assert account.nobody == {"no_binding": 1}
    assert account.balanced and account.totals.delivered == 20
    [before] = of_day(connection, DAY - timedelta(days=1)).connections
    assert (before.delivered, before.quarantined) == (7, 1)


def test_numbers_are_accounted_by_boot_with_the_ranges_that_never_came(connection: Connection) -> None:
    registered = register(connection)
    sender = registered.connection_id
    at = START + timedelta(hours=1)
    numbers = [n for n in range(1, 1001) if n % 4] + [5]
    commit(connection, at, delivered={sender: len(numbers)}, sequences=[(sender, "b1", n) for n in numbers])
    commit(connection, at + timedelta(hours=1), delivered={sender: 2}, sequences=[(sender, "", 41), (sender, "", 44)])
    account = of_day(connection)
    [one] = account.connections
    by_boot = {numbers.boot: numbers for numbers in one.numbers}
    first = by_boot["b1"]
    assert (first.sent, first.distinct, first.missing, first.repeated) == (999, 750, 249, 1)
    assert first.missing_ranges == tuple((n, n) for n in range(4, 4 + 4 * 100, 4)), "the first hundred"
    second = by_boot[""]
    assert (second.first, second.last, second.missing_ranges) == (41, 44, ((42, 43),))
    total = account.totals
    assert (total.sent, total.distinct, total.missing, total.repeated) == (1003, 752, 251, 1)
    assert account.balanced
    # A hole that is filled the next day becomes less on its own day, and is given up there too.
    commit(connection, at + timedelta(days=1), delivered={sender: 2}, sequences=[(sender, "", 42), (sender, "", 45)])
    assert of_day(connection).totals.missing == 250
    [later] = of_day(connection, DAY + timedelta(days=1)).connections
    assert [(one.first, one.last, one.missing) for one in later.numbers] == [(45, 45, 0)]
    connection.execute(
        "UPDATE sequence SET received = received + '{[4,9)}'::int8multirange, given_up = 2 WHERE boot = 'b1'"
    )
    [one] = of_day(connection).connections
    given_up = next(numbers for numbers in one.numbers if numbers.boot == "b1")
    assert (given_up.missing, given_up.given_up, given_up.missing_ranges[0]) == (249, 2, (12, 12))
    assert of_day(connection).balanced


def test_what_was_said_is_stored_repeated_contradicted_or_refused(connection: Connection) -> None:
    registered = register(connection)
    at, channel = START + timedelta(hours=2), registered.channel_ids["a"]
    event = EventRecord(
        slot_id=registered.slot_id, kind="mission", id="1", phase="", number=None, at_us=micros(at), attributes=b"{}"
    )
    commit(connection, at, readings=readings(channel, [0, 60, 120]), events=[event])
    commit(connection, at, readings=readings(channel, [0, 60]))
    reasons = ("in_future", "no_value", "no_value")
    commit(
        connection, at, readings=readings(channel, [120], value=9.0), rejected=[refused(registered, r) for r in reasons]
    )
    account = of_day(connection)
    [slot] = account.slots
    assert (slot.decoded, slot.stored, slot.duplicate, slot.conflict, slot.rejected) == (10, 4, 2, 1, 3)
    assert slot.rejected_by_reason == {"no_value": 2, "in_future": 1}
    assert slot.timing is not None and slot.timing.found == 4
    assert account.balanced


def test_a_count_that_no_row_stands_for_is_found_out(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    registered = register(connection)
    commit(connection, START + timedelta(hours=2), readings=readings(registered.channel_ids["a"], [0, 60, 120]))
    assert of_day(connection).balanced
    connection.execute("DELETE FROM reading WHERE observed_at = %s", [START + timedelta(seconds=60)])
    account = of_day(connection)
    assert not account.balanced
    assert [one.rule for one in account.identities if not one.holds] == ["stored = found in the store"]


@pytest.mark.parametrize("summed", [False, True])
def test_delays_are_exact_percentiles_of_what_was_received_that_day(connection: Connection, summed: bool) -> None:
    registered = register(connection, channels=PERIODIC)
    random = np.random.default_rng(7)
    committer = Committer()
    for hour in range(-2, 27):
        received = START + timedelta(hours=hour, minutes=59)
        batch = Batch()
        for name, channel in registered.channel_ids.items():
            # Up to three hours late: what was received that day was observed on two.
            seconds = hour * 3600 + 3540 - random.gamma(2.0, 900.0, size=40)
            batch.readings.extend(readings(channel, np.unique(np.round(seconds, 6)).tolist()))
            for flag in (Flag.ARRIVAL_TIME, Flag.RETAINED, Flag.LOADED, Flag.REPLAYED):
                odd = hour * 3600 - 7_000_000 * (name == "b") + flag / 1000
                batch.readings.append(channel, micros(START) + round(odd * 1e6), 1.0, int(flag))
        committer.commit(connection, batch, received_at=received)
    if summed:
        summarise_all(connection)
    account = of_day(connection)
    oracle = connection.execute(
        "SELECT count(*) AS n, percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP ("
        " ORDER BY extract(epoch FROM received_at - observed_at)::float8) AS p,"
        " (SELECT count(*) FROM reading WHERE received_at >= %(s)s AND received_at < %(e)s) AS every"
        " FROM reading WHERE received_at >= %(s)s AND received_at < %(e)s AND flags & 27 = 0",
        {"s": START, "e": START + timedelta(days=1)},
    ).fetchone()
    assert oracle is not None and oracle["n"] > 1500
    timing = account.totals.timing
    assert timing is not None and timing.delay is not None
    found = timing.delay
    assert found.n == oracle["n"] and timing.found == oracle["every"]
    assert [found.p50_s, found.p95_s, found.p99_s] == pytest.approx(oracle["p"], abs=1e-6)
    assert account.balanced
    connection.execute("UPDATE intake_slot SET first_observed = NULL, last_observed = NULL")
    again = of_day(connection).totals.timing
    assert again is not None and again.delay is not None and again.delay.p95_s == found.p95_s
    assert again.found < timing.found, "without bounds, what is older than the pilot is not looked for"


def test_loaded_history_and_live_readings_of_one_day_are_found_together(connection: Connection) -> None:
    registered = register(connection)
    connection.execute("UPDATE pilot SET simulated = true")
    channel = registered.channel_ids["a"]
    observed = micros(START) + np.arange(-600, 600) * 60_000_000
    loaded = rows.columns(
        Readings(channel_id=[channel] * 1200, observed_us=observed.tolist(), value=[1.0] * 1200, flags=[0] * 1200)
    )
    assert load_readings(connection, "p1", loaded, observed + 2_000_000) == 1200
    assert of_day(connection).balanced and of_day(connection, DAY - timedelta(days=1)).balanced
    commit(connection, START + timedelta(hours=12), readings=readings(channel, [43_000.0]))
    account = of_day(connection)
    assert account.balanced and account.totals.stored == 601
    timing = account.totals.timing
    assert timing is not None and timing.delay is not None and (timing.delay.n, timing.delay.p50_s) == (1, 200.0)


def brute_gap(times: list[int], start: int, end: int) -> int:
    inside = sorted({start, end, *(at for at in times if start <= at < end)})
    return max(b - a for a, b in pairwise(inside))


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_longest_gap_is_the_one_that_the_readings_show(connection: Connection, seed: int, summed: bool) -> None:
    registered = register(connection, channels={"a": {"period_s": 60.0, "max_hold_s": 180.0}})
    random = np.random.default_rng(seed)
    # Dense, thin, or only a few; over the day's edges too.
    n = (3000, 200, 40, 6, 2, 1)[seed]
    seconds = np.unique(random.uniform(-7_200, 93_600, size=n).round(3)).tolist()
    commit(connection, LONG_AFTER, readings=readings(registered.channel_ids["a"], seconds))
    if summed:
        summarise_all(connection)
    account = of_day(connection)
    [slot] = account.slots
    assert slot.timing is not None and slot.timing.gap is not None
    gap = slot.timing.gap
    rows = connection.execute("SELECT observed_at FROM reading").fetchall()
    wanted = brute_gap([micros(row["observed_at"]) for row in rows], micros(START), micros(START) + 24 * HOUR_US)
    assert round(gap.seconds * 1e6) == wanted == gap.window.end_us - gap.window.start_us
    ends = {gap.window.start, gap.window.end} - {START, START + timedelta(days=1)}
    assert ends <= {row["observed_at"] for row in rows}
    between = [row for row in rows if gap.window.start < row["observed_at"] < gap.window.end]
    assert between == []


def test_a_slot_shows_the_gap_of_its_worst_periodic_channel(connection: Connection) -> None:
    registered = register(connection, channels={**PERIODIC, "mode": {"reporting": "on_change", "kind": "state"}})
    a, b = registered.channel_ids["a"], registered.channel_ids["b"]
    batch = readings(a, list(range(0, 86_400, 60)))
    batch.extend(readings(b, [s for s in range(0, 86_400, 10) if not 30_000 < s < 34_000]))
    commit(connection, START + timedelta(days=1), readings=batch)
    [slot] = of_day(connection).slots
    assert slot.timing is not None and slot.timing.gap is not None
    assert (slot.timing.gap.channel, slot.timing.gap.seconds) == ("s1/b", 4000.0)
    assert slot.timing.completeness == pytest.approx(1 - 399 / (1440 + 8640))


def test_a_slot_that_speaks_on_change_shows_its_longest_silence(connection: Connection) -> None:
    on_change = {"reporting": "on_change", "kind": "state", "period_s": None, "max_hold_s": None}
    registered = register(connection, channels={"x": on_change, "y": on_change})
    batch = readings(registered.channel_ids["x"], [10_000.0, 40_000.0])
    batch.extend(readings(registered.channel_ids["y"], [20_000.0, 70_000.0]))
    commit(connection, START + timedelta(days=1), readings=batch)
    [slot] = of_day(connection).slots
    assert slot.expected == 0 and slot.timing is not None and slot.timing.completeness is None
    assert slot.timing.gap is not None
    assert (slot.timing.gap.seconds, slot.timing.gap.channel) == (30_000.0, "s1")


def test_readings_are_due_only_while_the_pilot_runs_and_up_to_now(connection: Connection) -> None:
    register(connection, channels={"a": {"period_s": 60.0, "max_hold_s": 180.0}})
    # The pilot of the tests begins at 2026-01-01 00:00 UTC, nine hours into the day of Seoul.
    assert of_day(connection, date(2026, 1, 1)).totals.expected == 15 * 60
    assert of_day(connection, date(2025, 12, 31)).totals.expected == 0
    account = of_day(connection, now=START + timedelta(hours=6))
    assert account.totals.expected == 6 * 60 and not account.over
    timing = account.totals.timing
    assert timing is not None and timing.gap is not None
    assert timing.gap.window.end == START + timedelta(hours=6)
    assert of_day(connection, now=START - timedelta(hours=1)).totals.expected == 0


def test_what_the_broker_did_not_take_is_said_by_connection_or_as_nobodys(connection: Connection) -> None:
    registered = register(connection)
    register(connection, "p10")
    hour = START + timedelta(hours=5)
    for user, sender, topic, reason, n, at in (
        ("p1.s1", registered.connection_id, "elsewhere", "denied", 3, hour),
        ("p1.s1", registered.connection_id, "", "not_let_in", 2, hour),
        ("p1.s1", registered.connection_id, "elsewhere", "denied", 9, hour + timedelta(days=1)),
        ("", None, "", "not_let_in", 4, hour),
        ("stranger", None, "pilots/p1/s1/events", "denied", 1, hour),
        ("", None, "pilots/p1/s1/readings", "denied", 5, hour),
        ("", None, "pilots/p10/s1/readings", "denied", 100, hour),
    ):
        connection.execute(
            "INSERT INTO denial (hour, username, connection_id, topic, reason, n, first_at, last_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [at, user, sender, topic, reason, n, at, at],
        )
    account = of_day(connection)
    assert account.connections[0].denied == {"denied": 3, "not_let_in": 2}
    assert account.denied_unattributed == {"denied": 6}


def test_who_was_withdrawn_is_there_on_the_days_that_it_sent_something(connection: Connection) -> None:
    registered = register(connection)
    commit(connection, START + timedelta(hours=1), delivered={registered.connection_id: 1},
           readings=readings(registered.channel_ids["a"], [0]))  # fmt: skip
    connection.execute("UPDATE connection SET withdrawn_at = now()")
    connection.execute("UPDATE slot SET withdrawn_at = now()")
    [one] = of_day(connection).connections
    assert one.withdrawn and len(of_day(connection).slots) == 1
    other = of_day(connection, DAY + timedelta(days=1))
    assert (other.connections, other.slots, other.totals.delivered) == ((), (), 0)


def test_without_looking_at_the_readings_the_counts_are_the_same(connection: Connection) -> None:
    registered = register(connection, channels=PERIODIC)
    commit(connection, START + timedelta(hours=1), readings=readings(registered.channel_ids["a"], [0, 60]))
    quick, whole = of_day(connection, timed=False), of_day(connection)
    assert quick.totals.timing is None and [one.timing for one in quick.slots] == [None]
    assert (quick.totals.expected, quick.totals.stored) == (whole.totals.expected, whole.totals.stored)
    assert len(whole.identities) == len(quick.identities) + 1


def test_an_unknown_pilot_is_named(connection: Connection) -> None:
    with pytest.raises(NotFound, match="'p9'"):
        intake.account(connection, "p9", DAY)


def test_nobodys_messages_on_a_pilots_own_topics_are_listed_with_its_own(connection: Connection) -> None:
    registered = register(connection)
    register(connection, "p10")
    for place, (payload, pilot) in enumerate(((b"1", "p1"), (b"2", "p10"), (b"3", "p1"))):
        commit(
            connection,
            START + timedelta(hours=place),
            quarantined=[aside(registered, payload, nobody=True, pilot=pilot)],
        )
    commit(connection, START, quarantined=[aside(registered, b"4")])
    rows = intake.quarantined(connection, "p1")
    assert [(bytes(row["payload"]), row["connection"]) for row in rows] == [(b"4", "s1"), (b"3", None), (b"1", None)]
    assert len(intake.quarantined(connection, "p1", most=2)) == 2
    connection.execute("UPDATE quarantine SET resolved_at = now() WHERE payload = '3'")
    assert [bytes(row["payload"]) for row in intake.quarantined(connection, "p1", open_only=True)] == [b"4", b"1"]
    counts = intake.rejection_counts(connection, "p1", of_day(connection).window)
    assert {(row["place"], row["reason"], row["n"]) for row in counts} == {("s1", "not_json", 1), ("", "no_binding", 2)}


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in leaves(part, f"{path}.{name}").items()}
    return {path: value}


def test_the_document_has_the_agreed_words(connection: Connection) -> None:
    registered = register(connection)
    sender = registered.connection_id
    batch = readings(registered.channel_ids["a"], [0.0, 3540.0])
    commit(connection, START + timedelta(hours=1), delivered={sender: 2}, readings=batch,
           sequences=[(sender, "b", 1), (sender, "b", 3)], rejected=[refused(registered, "in_future")])  # fmt: skip
    told = json.loads(json.dumps(document(of_day(connection))))
    totals = told["totals"]
    assert {key: totals[key] for key in ("delivered", "quarantined", "stored", "duplicate", "conflict", "missing")} == {
        "delivered": 2, "quarantined": 0, "stored": 2, "duplicate": 0, "conflict": 0, "missing": 1
    }  # fmt: skip
    assert totals["expected"] == 1440 and totals["rejected"] == {"in_future": 1}
    assert totals["delay"] == {"n": 2, "p50_s": 1830.0, "p95_s": 3423.0, "p99_s": pytest.approx(3564.6)}
    assert totals["longest_gap_s"] == 86_400 - 3540
    [one] = told["connections"]
    assert one["numbers"][0]["missing_ranges"] == [[2, 2]] and one["sent"] == 3
    [slot] = told["slots"]
    assert (slot["slot"], slot["connection"], slot["longest_gap"]["channel"]) == ("s1", "s1", "s1/a")
    assert slot["longest_gap"]["start"] == "2026-03-01T15:59:00.000000Z"
    assert told["balanced"] is True and all(one["holds"] for one in told["identities"])
