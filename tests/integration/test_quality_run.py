"""Findings from the store: incremental, the same whatever is judged together, superseded and never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.findings import Finding, findings
from telemetry.horizon import close_past
from telemetry.quality import judge as judging
from telemetry.quality import silence
from telemetry.quality.intervals import good_intervals, left_out
from telemetry.summarise import summarise_all
from tests.registered import info, register

START = datetime(2026, 3, 2, tzinfo=UTC)
ALL = Window(start=START - timedelta(days=400), end=START + timedelta(days=400))
MINUTE_US = 60_000_000
NOW = START + timedelta(days=60)
PLAN = {
    "range": [-20, 60],
    "quality": {
        "spike": ["5 degC", "15 degC"],
        "rate": "0.5 degC/s",
        "stuck": {"after": "2 h", "fail": "5 h", "tolerance": "0.01 degC"},
        "range": [0, 40],
    },
}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def store(connection: Connection, channel_id: int, observed_us: NDArray[np.int64], value: NDArray[np.float64]) -> None:
    with connection.cursor().copy(
        "COPY reading (observed_at, received_at, value, channel_id, flags) FROM STDIN"
    ) as stream:
        for us, one in zip(observed_us.tolist(), value.tolist(), strict=True):
            stream.write_row((instant(us).isoformat(), instant(us + 500_000).isoformat(), one, channel_id, 0))
    hours = np.unique(observed_us // HOUR_US * HOUR_US)
    connection.cursor().executemany(
        "INSERT INTO dirty_hour (channel_id, hour) VALUES (%s, %s)",
        [(channel_id, instant(us)) for us in hours.tolist()],
    )


def judge(connection: Connection, now: datetime = NOW, **how: Any) -> judging.Done:
    summarise_all(connection)
    return judging.judge_all(connection, now=now, **how)


def spoilt(days: int = 4, seed: int = 3) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Readings each minute with jitter, and something of everything: spikes, steps, rests, values out of range, silence."""
    rng = np.random.default_rng(seed)
    n = days * 1440
    observed = micros(START) + np.arange(n) * MINUTE_US + rng.integers(0, 2_000_000, n)
    value = 20 + 3 * np.sin(np.arange(n) / 1440 * 2 * np.pi) + rng.normal(0, 0.05, n)
    value[rng.integers(1, n - 1, 25)] += rng.choice([-60.0, -8.0, 8.0, 60.0], 25)
    for place, length in ((590, 200), (1795, 700), (3000, 130), (n - 200, 200)):
        value[place : place + length] = value[place]
    value[4000:4090] = 45.0
    value[4085:4200] = 70.0
    kept = np.ones(n, dtype=np.bool_)
    for place, length in ((100, 30), (2490, 260), (4500, 1), (4700, 3)):
        kept[place : place + length] = False
    kept[rng.integers(0, n, 40)] = False
    return observed[kept], value[kept]


def told(connection: Connection, as_of: datetime | None = None) -> list[Any]:
    return [
        (one.kind, one.channel, one.window, one.flag, one.value, one.unit, dict(one.detail))
        for one in findings(connection, "p1", ALL, as_of)
    ]


def one_channel(connection: Connection, **given: Any) -> tuple[int, ChannelInfo]:
    ids = register(connection, channels={"a": {"options": PLAN, **given}}).channel_ids
    return ids["a"], info(connection)


def kinds(found: list[Finding]) -> set[str]:
    return {one.kind for one in found}


def test_everything_that_is_wrong_is_found_and_judging_again_writes_nothing(connection: Connection) -> None:
    channel_id, _ = one_channel(connection)
    store(connection, channel_id, *spoilt())
    done = judge(connection)
    assert done.new > 20
    first = told(connection)
    assert {one[0] for one in first} == {"gap", "stuck", "range", "spike", "rate"}
    assert judging.pending(connection) == 0
    judging.mark_pilot(connection, "p1")
    again = judge(connection)
    assert (again.new, again.superseded) == (0, 0)
    assert again.hours == done.hours
    assert told(connection) == first
    count = connection.execute("SELECT count(*) AS n FROM finding").fetchone()
    assert count is not None
    assert count["n"] == len(first)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_does_not_depend_on_which_hours_are_judged_together(connection: Connection, seed: int) -> None:
    ids = register(connection, channels={"a": {"options": PLAN}, "b": {"options": PLAN}}).channel_ids
    observed, value = spoilt(seed=seed + 10)
    store(connection, ids["b"], observed, value)
    judge(connection, most=10_000)
    whole = [one for one in told(connection) if one[1] == "b"]
    # The same readings for another channel, in random batches and orders.
    rng = np.random.default_rng(seed)
    hour = (observed - micros(START)) // HOUR_US
    order = rng.permutation(int(hour.max()) + 1)
    if seed == 0:
        order = np.sort(order)
    for batch in np.array_split(order, 12 if seed else 96):
        own = np.isin(hour, batch)
        if seed == 3:  # late data: a part of each hour comes first
            early = own & (rng.random(len(own)) < 0.5)
            store(connection, ids["a"], observed[early], value[early])
            judge(connection, most=int(rng.integers(1, 9)))
            own &= ~early
        store(connection, ids["a"], observed[own], value[own])
        judge(connection, most=int(rng.integers(1, 9)))
    parts = [(one[0], "b", *one[2:]) for one in told(connection) if one[1] == "a"]
    assert parts == whole


def test_late_readings_supersede_what_no_longer_holds_and_as_of_tells_what_was_known(connection: Connection) -> None:
    channel_id, channel = one_channel(connection)
    observed, value = spoilt()
    late = (observed >= micros(at(50))) & (observed < micros(at(51)))
    store(connection, channel_id, observed[~late], value[~late])
    judge(connection)
    before = told(connection)
    known = close_past(connection)
    store(connection, channel_id, observed[late], value[late])
    done = judge(connection)
    assert done.superseded > 0
    assert done.hours == 1
    assert told(connection, known) == before
    assert told(connection) != before
    gaps = [one[2] for one in before if one[0] == "gap"]
    assert any(one.start <= at(50) + timedelta(minutes=2) and one.end >= at(51) for one in gaps)
    left = left_out(connection, channel, Window(start=at(50), end=at(51)), ["gap"])
    assert left["gap"] == []
    assert left_out(connection, channel, Window(start=at(50), end=at(51)), ["gap"], known)["gap"] != []


def test_good_intervals_hold_exactly_the_readings_that_were_not_flagged(connection: Connection) -> None:
    channel_id, channel = one_channel(connection)
    observed, value = spoilt()
    store(connection, channel_id, observed, value)
    judge(connection)
    window = Window(start=at(0), end=at(96))
    good = good_intervals(connection, channel, window, ["range"])
    inside = np.zeros(len(observed), dtype=np.bool_)
    for one in good:
        inside |= (observed >= one.start_us) & (observed < one.end_us)
    assert (inside == ((value >= 0) & (value <= 40))).all()
    failing = left_out(connection, channel, window, ["range"], least=4)["range"]
    assert (
        sum(one.seconds for one in failing)
        < sum(one.seconds for one in left_out(connection, channel, window, ["range"])["range"]) + 1
    )
    assert good_intervals(connection, channel, window, []) == [window]


def test_a_silent_channel_is_told_hour_by_hour_then_day_by_day_and_once_for_good(connection: Connection) -> None:
    channel_id, _ = one_channel(connection)
    n = 120
    store(connection, channel_id, micros(START) + np.arange(n) * MINUTE_US, np.linspace(20, 21, n))
    judge(connection, at(2.2))

    def gap() -> Finding:
        [found] = [one for one in findings(connection, "p1", ALL, kind="gap") if one.window.start > at(0)]
        return found

    silence.judge_ends(connection, "p1", micros(at(2)))
    assert [one.window.end for one in findings(connection, "p1", ALL, kind="gap")] == [
        at(0)
    ]  # before the first reading
    assert silence.judge_ends(connection, "p1", micros(at(5))).new == 1
    assert (gap().window, gap().flag) == (Window(start=at(2), end=at(5)), 9)
    assert gap().detail["open"] is True
    assert gap().detail["missing"] == 180
    assert silence.judge_ends(connection, "p1", micros(at(5))).new == 0
    silence.judge_ends(connection, "p1", micros(at(30)))
    assert gap().window.end == at(26)
    assert silence.judge_ends(connection, "p1", micros(at(40))).new == 0
    store(connection, channel_id, micros(at(41)) + np.arange(n) * MINUTE_US, np.linspace(20, 21, n))
    judge(connection, at(43.2))
    assert gap().window == Window(start=at(2), end=at(41))
    assert "open" not in gap().detail


def test_a_rest_of_days_is_one_finding_with_its_end_told_anew(connection: Connection) -> None:
    channel_id, _ = one_channel(connection)
    n = 1440
    observed = micros(START) + np.arange(n) * MINUTE_US
    value = np.full(n, 20.0)
    value[:60] = np.linspace(10, 20, 60)
    for hour in range(24):
        own = slice(hour * 60, hour * 60 + 60)
        store(connection, channel_id, observed[own], value[own])
        judge(connection, at(hour + 1.2))
    [found] = findings(connection, "p1", ALL, kind="stuck")
    assert (found.window, found.flag, found.value) == (
        Window(start=instant(int(observed[59])), end=at(24.05) - timedelta(minutes=1)),
        4,
        20.0,
    )
