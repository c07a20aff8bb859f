"""The summariser: the rows of an hour are those of its readings, whenever and together with whatever they are made."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.window import HOUR_US, instant, micros
from telemetry import binary, packed
from telemetry.batch import Batch, Flag, Readings
from telemetry.commit import commit
from telemetry.statistics import Rules, piece_of
from telemetry.summarise import mark_pilot, pending, summarise, summarise_all
from tests.registered import Registered, register

START = micros(datetime(2026, 3, 1, tzinfo=UTC))
KINDS: dict[str, dict[str, Any]] = {
    "gauge": {"period_s": 60.0, "max_hold_s": 180.0},
    "counter": {"kind": "counter", "unit": "kWh", "period_s": 60.0, "max_hold_s": 90.0},
    "state": {"kind": "state", "unit": "state", "period_s": 60.0, "max_hold_s": 240.0},
    "changes": {"kind": "state", "unit": "state", "reporting": "on_change", "period_s": None, "max_hold_s": None},
    "silent": {},
}


def told(
    connection: Connection, made: Registered, seed: int = 0, hours: int = 30
) -> dict[int, list[tuple[int, float]]]:
    """Each channel's readings, as they were told."""
    rng = np.random.default_rng(seed)
    readings, known = Readings(), {}
    for name, channel_id in made.channel_ids.items():
        if name == "silent":
            continue
        at = np.unique(START + rng.integers(0, hours * HOUR_US, hours * 40))
        value = (
            rng.integers(0, 3, len(at)) if name in ("state", "changes") else 1e3 + rng.normal(0, 5, len(at)).round(1)
        )
        known[channel_id] = list(zip(at.tolist(), value.astype(float).tolist(), strict=True))
        for us, number in known[channel_id]:
            readings.append(channel_id, us, number)
    commit(connection, Batch(readings=readings))
    return known


def kept(connection: Connection) -> list[str]:
    """Every summary and share to its last bit."""
    found = connection.execute("SELECT * FROM summary ORDER BY channel_id, hour").fetchall()
    shares = connection.execute("SELECT * FROM summary_share ORDER BY channel_id, predicate_id, hour").fetchall()
    return [repr(row) for row in [*found, *shares]]


@pytest.fixture
def made(connection: Connection) -> Registered:
    registered = register(connection, channels=KINDS)
    for name, low in (("gauge", 1000.0), ("gauge", 1004.0), ("counter", 999.0), ("changes", 1.0)):
        connection.execute(
            "INSERT INTO predicate (slot_id, channel, low) VALUES (%s, %s, %s)", [registered.slot_id, name, low]
        )
    return registered


def test_an_hours_row_is_the_piece_of_its_readings(connection: Connection, made: Registered) -> None:
    """Bit for bit what a raw read of the hour makes of them: so summaries may serve in its place."""
    known = told(connection, made)
    summarise_all(connection)
    found = connection.execute("SELECT s.*, c.name, c.kind FROM summary s JOIN channel c USING (channel_id)").fetchall()
    assert len(found) == sum(len({at // HOUR_US for at, _ in readings}) for readings in known.values()) == 4 * 30
    for row in found:
        hour_us = micros(row["hour"])
        inside = [one for one in known[row["channel_id"]] if hour_us <= one[0] < hour_us + HOUR_US]
        at, value = (np.array(column) for column in zip(*inside, strict=True))
        options = {"reporting": "periodic"} | KINDS[row["name"]]
        hold_s = options["max_hold_s"]
        rules = Rules(
            period_s=options["period_s"] if options["reporting"] == "periodic" else None,
            hold_us=None if hold_s is None else round(hold_s * 1e6),
            steps=row["kind"] == "state",
        )
        piece = piece_of(at, value, rules)
        for name in (
            "n",
            "mean",
            "m2",
            "min",
            "max",
            "first_value",
            "last_value",
            "integral",
            "covered_s",
            "longest_gap_s",
        ):
            assert row[name] == getattr(piece, name)[0], name
        assert (row["first_at"], row["last_at"]) == (instant(int(at[0])), instant(int(at[-1])))
        assert (row["n_good"], row["missing"]) == (len(at), piece.missing[0])
        assert row["falls"] == (int((np.diff(value) < 0).sum()) if row["kind"] == "counter" else None)
        # They were received long after: the clock of the test is not that of the readings.
        assert 0 < row["delay_min_s"] <= row["delay_median_s"] <= row["delay_max_s"]


def test_shares_are_those_of_the_hour_alone(connection: Connection, made: Registered) -> None:
    known = told(connection, made)
    summarise_all(connection)
    found = connection.execute(
        "SELECT s.*, p.low, p.channel FROM summary_share s JOIN predicate p USING (predicate_id)"
    ).fetchall()
    assert {row["channel"] for row in found} == {"gauge", "counter"}, "what holds until its link is lost has none"
    assert len(found) == 3 * 30
    for row in found:
        hour_us, hold_us = micros(row["hour"]), round(KINDS[row["channel"]]["max_hold_s"] * 1e6)
        inside = [one for one in known[row["channel_id"]] if hour_us <= one[0] < hour_us + HOUR_US]
        ends = [at for at, _ in inside[1:]] + [hour_us + HOUR_US]
        stands = [(min(end - at, hold_us), value) for (at, value), end in zip(inside, ends, strict=True)]
        assert row["covered_s"] == sum(us for us, _ in stands) / 1e6
        assert row["true_s"] == sum(us for us, value in stands if value >= row["low"]) / 1e6


def test_the_same_rows_in_any_rounds(connection: Connection, made: Registered) -> None:
    """One channel-hour at a time, or all at once, or again after a mark: the same to the last bit."""
    told(connection, made)
    while summarise(connection, most=1):
        pass
    one_by_one = kept(connection)
    assert len(one_by_one) == 4 * 30 + 3 * 30
    mark_pilot(connection, "p1")
    assert pending(connection) == 4 * 30
    summarise_all(connection)
    assert kept(connection) == one_by_one
    assert pending(connection) == summarise(connection) == 0


def test_an_hour_without_live_readings_has_no_delay(connection: Connection, made: Registered) -> None:
    readings, gauge = Readings(), made.channel_ids["gauge"]
    flags = [Flag.LOADED, Flag.REPLAYED, Flag.QOS0, 0, Flag.RETAINED | Flag.QOS0]
    for minute, flag in enumerate(flags):
        readings.append(gauge, START + minute * 60_000_000, 1.0, int(flag))
        readings.append(gauge, START + HOUR_US + minute * 60_000_000, 1.0, int(Flag.LOADED))
    received = commit(connection, Batch(readings=readings)).received_at
    summarise_all(connection)
    first, second = connection.execute("SELECT * FROM summary ORDER BY hour").fetchall()
    live = [(micros(received) - START - minute * 60_000_000) / 1e6 for minute in (3, 2)]
    assert (first["delay_min_s"], first["delay_max_s"]) == tuple(live)
    assert first["delay_median_s"] == pytest.approx(sum(live) / 2, rel=1e-15)
    assert [second[f"delay_{name}_s"] for name in ("min", "median", "max")] == [None] * 3
    assert (first["n"], second["n"]) == (5, 5)


def test_an_hour_whose_readings_are_gone_leaves_no_row(connection: Connection, made: Registered) -> None:
    told(connection, made, hours=2)
    summarise_all(connection)
    connection.execute("DELETE FROM reading WHERE observed_at >= %s", [instant(START + HOUR_US)])
    mark_pilot(connection, "p1")
    summarise_all(connection)
    assert connection.execute("SELECT count(*) AS n FROM summary").fetchone() == {"n": 4}
    assert connection.execute("SELECT count(*) AS n FROM summary_share").fetchone() == {"n": 3}


def test_packed_rows_come_out_as_they_went_in(connection: Connection) -> None:
    connection.execute("CREATE TEMPORARY TABLE packed (a int, b float8, c timestamptz, d float8)")
    rng = np.random.default_rng(5)
    n = 200
    b, d = rng.random(n) < 0.5, rng.random(n) < 0.7
    value = rng.normal(0, 1e9, n)
    columns = [
        packed.wholes(np.arange(n)),
        packed.floats(value, b),
        packed.instants(START + np.arange(n)),
        packed.floats(-value, d),
    ]
    binary.copy(connection, "COPY packed FROM STDIN (FORMAT binary)", packed.rows(columns))
    for row in connection.execute("SELECT * FROM packed").fetchall():
        at = row["a"]
        assert row["b"] == (value[at] if b[at] else None)
        assert (row["c"], row["d"]) == (instant(START + at), -value[at] if d[at] else None)
    assert connection.execute("SELECT count(*) AS n FROM packed").fetchone() == {"n": n}


def test_sums_do_not_depend_on_their_order_nor_grow_their_error(connection: Connection, made: Registered) -> None:
    """Large values of both signs in one hour: the mean is the exact one, rounded once."""
    rng = np.random.default_rng(2)
    value = np.concatenate([rng.normal(0, 1e12, 500), rng.normal(0, 1e-3, 500)])
    rng.shuffle(value)
    at = START + np.arange(1000) * 3_000_000
    gauge = made.channel_ids["gauge"]
    readings = Readings(channel_id=[gauge] * 1000, observed_us=at.tolist(), value=value.tolist(), flags=[0] * 1000)
    commit(connection, Batch(readings=readings))
    summarise_all(connection)
    row = connection.execute("SELECT mean FROM summary").fetchone()
    assert row == {"mean": math.fsum(value) / 1000}
