"""Windows over summaries equal windows over raw readings, and both equal a plain recomputation."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.window import Window, instant, micros
from telemetry import windows
from telemetry.batch import Batch, LinkStateRecord, Readings
from telemetry.commit import Committer
from telemetry.horizon import close_past
from telemetry.predicates import Condition
from telemetry.summarise import pending, summarise, summarise_all
from tests.registered import Registered, info, register

START = datetime(2026, 3, 1, tzinfo=UTC)
HOLD_US = 180_000_000


def store(
    connection: Connection, registered: Registered, at_us: np.ndarray[Any, Any], value: np.ndarray[Any, Any]
) -> None:
    readings = Readings(
        channel_id=[registered.channel_ids["a"]] * len(at_us),
        observed_us=at_us.tolist(),
        value=value.tolist(),
        flags=[0] * len(at_us),
    )
    Committer().commit(connection, Batch(readings=readings))


def series(seed: int, hours: int = 30) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A minute's period with jitter, a tenth lost, two long gaps, to the microsecond."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(hours * 60)
    at = micros(START) + minutes * 60_000_000 + rng.integers(-20_000_000, 20_000_000, len(minutes))
    keep = rng.random(len(minutes)) > 0.1
    for start in rng.integers(0, len(minutes) - 200, 2):
        keep[start : start + int(rng.integers(20, 180))] = False
    at, value = np.sort(at[keep]), 20 + np.cumsum(rng.normal(0, 0.3, int(keep.sum())))
    return at, value


def plain_share(at: Any, value: Any, window: Window, low: float) -> tuple[float, float]:
    """Seconds true and covered, the slow way."""
    true = covered = 0
    for i in range(len(at)):
        end = min(at[i] + HOLD_US, at[i + 1] if i + 1 < len(at) else 2**62, window.end_us)
        length = max(0, int(end) - max(int(at[i]), window.start_us))
        covered += length
        true += length if value[i] >= low else 0
    return true / 1e6, covered / 1e6


def plain_integral(at: Any, value: Any, window: Window) -> tuple[float, float]:
    total = covered = 0.0
    for i in range(len(at) - 1):
        if at[i + 1] - at[i] > HOLD_US:
            continue
        a, b = max(at[i], window.start_us), min(at[i + 1], window.end_us)
        if a >= b:
            continue
        slope = (value[i + 1] - value[i]) / (at[i + 1] - at[i])
        va, vb = value[i] + slope * (a - at[i]), value[i] + slope * (b - at[i])
        total += (va + vb) / 2 * (b - a) / 1e6
        covered += (b - a) / 1e6
    return total, covered


WINDOWS = [
    Window(start=START, end=START + timedelta(hours=30)),
    Window(start=START + timedelta(hours=1, minutes=7), end=START + timedelta(hours=20, seconds=11)),
    Window(start=START + timedelta(hours=3), end=START + timedelta(hours=4)),
    Window(start=START + timedelta(hours=5, minutes=10), end=START + timedelta(hours=5, minutes=40)),
    Window(start=START - timedelta(days=2), end=START - timedelta(days=1)),
]


@pytest.mark.parametrize("seed", range(4))
def test_summaries_raw_and_a_plain_recomputation_agree(connection: Connection, seed: int) -> None:
    registered = register(connection)
    at, value = series(seed)
    store(connection, registered, at, value)
    channel, condition = info(connection), Condition(low=20.0)
    connection.execute("INSERT INTO predicate (slot_id, channel, low) VALUES (%s, 'a', 20.0)", [registered.slot_id])
    from_raw = windows.statistics(connection, channel, WINDOWS)
    shares_raw = windows.time_share(connection, channel, condition, WINDOWS)
    gaps_raw = [windows.gaps(connection, channel, window) for window in WINDOWS]
    assert summarise_all(connection) > 20
    assert pending(connection) == 0
    from_summaries = windows.statistics(connection, channel, WINDOWS)
    for window, raw, merged in zip(WINDOWS, from_raw, from_summaries, strict=True):
        inside = (at >= window.start_us) & (at < window.end_us)
        assert raw.n == merged.n == inside.sum()
        assert (raw.missing, raw.expected, raw.first_us, raw.last_us) == (
            merged.missing, merged.expected, merged.first_us, merged.last_us,
        )  # fmt: skip
        assert merged.longest_gap_s == pytest.approx(raw.longest_gap_s)
        integral, covered = plain_integral(at, value, window)
        for found in (raw, merged):
            assert found.integral == pytest.approx(integral, rel=1e-9, abs=1e-6)
            assert found.covered_s == pytest.approx(covered, rel=1e-12, abs=1e-6)
        if raw.n:
            assert merged.mean == pytest.approx(np.mean(value[inside]), rel=1e-12)
            assert merged.std == pytest.approx(np.std(value[inside], ddof=1), rel=1e-11)
            assert (merged.min, merged.max) == (value[inside].min(), value[inside].max())
        else:
            assert math.isnan(merged.mean)
    assert windows.time_share(connection, channel, condition, WINDOWS) == shares_raw
    for window, share in zip(WINDOWS, shares_raw, strict=True):
        assert (share.true_s, share.covered_s) == pytest.approx(plain_share(at, value, window, 20.0), abs=1e-5)
    assert [windows.gaps(connection, channel, window) for window in WINDOWS] == gaps_raw
    for window, share, gaps in zip(WINDOWS, shares_raw, gaps_raw, strict=True):
        assert share.covered_s + sum(gap.seconds for gap in gaps) == pytest.approx(window.seconds, abs=1e-5)


def test_late_data_reach_the_summaries_and_as_of_stays_what_it_was(connection: Connection) -> None:
    registered = register(connection)
    at, value = series(9, hours=6)
    late = np.zeros(len(at), dtype=bool)
    late[100:160] = True
    store(connection, registered, at[~late], value[~late])
    summarise_all(connection)
    before = close_past(connection)
    channel, whole = info(connection), [Window(start=START - timedelta(hours=1), end=START + timedelta(hours=7))]
    [first] = windows.statistics(connection, channel, whole)
    store(connection, registered, at[late], value[late])
    [unsummarised] = windows.statistics(connection, channel, whole)
    summarise_all(connection)
    [now] = windows.statistics(connection, channel, whole)
    [then] = windows.statistics(connection, channel, whole, before)
    assert unsummarised.n == now.n == len(at)
    assert now.mean == pytest.approx(np.mean(value), rel=1e-12)
    assert (then.n, then.missing) == (first.n, first.missing)
    assert then.mean == pytest.approx(first.mean, rel=1e-12)
    assert then.integral == pytest.approx(first.integral, rel=1e-9)


def test_open_hours_are_read_raw_and_stay_marked(connection: Connection) -> None:
    registered = register(connection)
    now = datetime.now(UTC)
    store(connection, registered, np.array([micros(now) - 1_000_000]), np.array([5.0]))
    window = [Window(start=now - timedelta(hours=2), end=now + timedelta(minutes=1))]
    assert windows.statistics(connection, info(connection), window)[0].n == 1
    summarise(connection)
    marks = connection.execute("SELECT count(*) AS n FROM dirty_hour").fetchone()
    assert marks == {"n": 1}


def test_one_kilowatt_for_a_day_is_24_kwh(connection: Connection) -> None:
    """Sampled at any period, with samples missing but no gap beyond the limit; the outside oracle is arithmetic."""
    registered = register(connection)
    at = micros(START) + np.arange(-1, 24 * 60 + 1) * 60_000_000
    keep = np.ones(len(at), dtype=bool)
    keep[5:1400:7] = False
    store(connection, registered, at[keep], np.full(keep.sum(), 1000.0))
    day = [Window(start=START, end=START + timedelta(days=1))]
    summarise_all(connection)
    [found] = windows.statistics(connection, info(connection), day)
    assert found.integral / 3.6e6 == pytest.approx(24.0, rel=1e-12)
    assert found.covered_s == 86_400


def test_a_perfect_device_with_jitter_and_any_phase_misses_nothing(connection: Connection) -> None:
    registered = register(connection)
    rng = np.random.default_rng(1)
    day = [Window(start=START, end=START + timedelta(days=1))]
    for day_offset, phase in enumerate((0.0, 0.3, 0.5, 0.9)):
        start = START + timedelta(days=day_offset)
        at = micros(start) + ((np.arange(1440) + phase) * 60e6).astype(np.int64) + rng.integers(-200_000, 200_000, 1440)
        at = np.maximum(at, micros(start))
        store(connection, registered, at, np.ones(1440))
        day = [Window(start=start, end=start + timedelta(days=1))]
        [found] = windows.statistics(connection, info(connection), day)
        assert (found.missing, found.expected) == (0, 1440), phase


def test_a_state_on_change_holds_until_its_link_is_lost(connection: Connection) -> None:
    registered = register(
        connection,
        channels={"a": {"kind": "state", "unit": "state", "reporting": "on_change", "period_s": None, "max_hold_s": None,
                        "options": {"states": ["auto", "manual"]}}},
    )  # fmt: skip
    hour = 3_600_000_000
    store(connection, registered, micros(START) + np.array([0, 2 * hour, 8 * hour]), np.array([0.0, 1.0, 0.0]))
    lost = [LinkStateRecord(slot_id=registered.slot_id, at_us=micros(START) + 5 * hour, state="offline", origin="will")]
    Committer().commit(connection, Batch(link_states=lost))
    summarise_all(connection)
    channel = info(connection)
    window = Window(start=START + timedelta(hours=1), end=START + timedelta(hours=10))
    [share] = windows.time_share(connection, channel, Condition(codes=(channel.states.index("auto"),)), [window])
    assert (share.true_s / 3600, share.covered_s / 3600) == (1 + 2, 1 + 3 + 2)
    assert windows.gaps(connection, channel, window) == [
        Window(start=START + timedelta(hours=5), end=START + timedelta(hours=8))
    ]


def test_resampled_keeps_gaps_and_agrees_at_every_step(connection: Connection) -> None:
    registered = register(connection)
    at, value = series(3, hours=12)
    store(connection, registered, at, value)
    summarise_all(connection)
    window = Window(start=START, end=START + timedelta(hours=12))
    for step in (600.0, 3600.0, 7200.0):
        bins = windows.resampled(connection, info(connection), window, step)
        assert len(bins) == 43_200 / step
        for part in bins:
            inside = (at >= micros(part.start)) & (at < micros(part.start) + step * 1e6)
            assert part.n == inside.sum()
            if part.n:
                assert (part.mean, part.min) == (pytest.approx(value[inside].mean()), value[inside].min())
            else:
                assert math.isnan(part.mean)


def test_values_are_those_received_by_then(connection: Connection) -> None:
    registered = register(connection)
    store(connection, registered, np.array([micros(START)]), np.array([1.5]))
    between = close_past(connection)
    store(connection, registered, np.array([micros(START) + 7]), np.array([2.5]))
    window = Window(start=START, end=START + timedelta(hours=1))
    observed, value = windows.values(connection, info(connection), window)
    assert [instant(int(us)) for us in observed] == [START, START + timedelta(microseconds=7)]
    assert value.tolist() == [1.5, 2.5]
    assert windows.values(connection, info(connection), window, between)[1].tolist() == [1.5]
