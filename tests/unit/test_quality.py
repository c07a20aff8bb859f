"""The tests of readings, by published numbers and by what they must not say."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.units import UnitError
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.quality import jump, ranges, rate, relocation, spike, stuck
from telemetry.quality.gap import gap, silences
from telemetry.quality.judge import of_part
from telemetry.quality.reading import Part
from telemetry.quality.runs import MOST_AN_HOUR, Flagged, Run, joined, runs, until
from telemetry.quality.series import FAMILIES, judged
from telemetry.quality.thresholds import Resting, Thresholds, thresholds

START_US = micros(datetime(2026, 3, 2, tzinfo=UTC))
SECOND = 1_000_000
Floats = NDArray[np.float64]


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def regular(n: int, period_s: float = 60) -> NDArray[np.int64]:
    return START_US + np.round(np.arange(n) * period_s * SECOND).astype(np.int64)


def channel(**given: Any) -> ChannelInfo:
    fixed: dict[str, Any] = {
        "pilot": "p1", "slot": "s1", "slot_id": 1, "name": "a", "channel_ids": (1,), "alike_ids": (1,), "kind": "gauge",
        "unit": "degC", "reporting": "periodic", "period_s": 60.0, "max_hold_s": 180.0, "states": (), "options": {},
    }  # fmt: skip
    return ChannelInfo(**(fixed | given))


# --- worked numbers from outside (ioos_qc) ---------------------------------------------------------------------------------


def test_gross_range_gives_the_flags_of_ioos_qc() -> None:
    value = floats(5, 10, 15, 20, 25, 30, 35, 40, 45, 51)
    assert ranges.gross_range(value, (10, 50), (20, 40)).tolist() == [4, 3, 3, 1, 1, 1, 1, 1, 3, 4]


def test_spike_gives_the_flags_of_ioos_qc() -> None:
    value = floats(10, 12, 999.99, 13, 15, 40, 9, 9)
    assert spike.spike(value, 25, 50).tolist() == [2, 4, 4, 4, 1, 3, 1, 2]


def test_flat_line_gives_the_flags_of_ioos_qc() -> None:
    value = floats(1, 2, 2.0001, 2, 2.0001, 2, 2.0001, 2, 4, 5, 3, 3.0001, 3.0005, 3.00001)
    found = stuck.stuck(regular(14, 900), value, suspect_s=3000, fail_s=4800, tolerance=0.01, period_s=900)
    assert found.flags.tolist() == [1, 1, 1, 1, 3, 3, 4, 4, 1, 1, 1, 1, 1, 3]
    # What is flagged last has rested since the first of the four that are alike.
    assert (found.since_us[[4, 6, 7, 13]] - START_US).tolist() == [900 * SECOND * at for at in (1, 1, 2, 10)]


# --- what each test must say, and must not ---------------------------------------------------------------------------------


def test_flat_line_agrees_with_looking_at_every_window_of_a_regular_series() -> None:
    rng = np.random.default_rng(5)
    value = np.round(np.cumsum(rng.choice([-0.1, 0, 0, 0, 0.1], 3_000)), 1)
    found = stuck.stuck(regular(3_000, 10), value, suspect_s=50, fail_s=120, tolerance=0.15, period_s=10).flags
    expected = np.ones(3_000, dtype=int)
    for n, flag in ((5, 3), (12, 4)):
        for at in range(n, 3_000):
            if np.ptp(value[at - n : at + 1]) < 0.15:
                expected[at] = flag
    assert found.tolist() == expected.tolist()
    assert set(expected) == {1, 3, 4}


def test_a_differential_spike_flags_the_spike_alone_and_no_step() -> None:
    value = floats(1, 1, 9, 1, 1, 9, 9, 9, 5, 9)
    assert spike.spike(value, 3, 7, method="differential").tolist() == [2, 1, 4, 1, 1, 1, 1, 1, 3, 2]


def test_nothing_is_compared_across_a_gap() -> None:
    observed = START_US + np.array([0, 60, 6000, 6060, 6120]) * SECOND
    found = judged(observed, floats(1, 1, 90, 1, 1), Thresholds(hold_us=180 * SECOND, spike=(5, 9), rate=(1, 2)))
    assert found["spike"].flags.tolist() == [2, 2, 2, 1, 2]
    assert found["rate"].flags.tolist() == [2, 1, 2, 3, 1]


def test_a_counter_is_judged_by_its_increments_and_a_reset_is_no_spike() -> None:
    value = floats(100, 101, 102, 0, 1, 2, 30, 31, 32)
    by = Thresholds(period_s=60, hold_us=180 * SECOND, counter=True, suspect=(0, 5), spike=(5, 50), rate=(0.1, None))
    found = judged(regular(9), value, by)
    assert found["range"].flags.tolist() == [1, 1, 1, 1, 1, 1, 3, 1, 1]
    assert found["range"].amount[6] == 28
    assert found["spike"].flags.tolist() == [2, 2, 2, 2, 2, 1, 3, 1, 2]
    assert found["rate"].flags.tolist() == [2, 1, 1, 2, 1, 1, 3, 1, 1]


@pytest.mark.parametrize(
    ("value", "period_s"),
    [
        (np.array([]), 60),
        (floats(3.0), 60),
        (floats(3.0, 3.0), 60),
        (np.full(500, 3.0), 60),
        (floats(1e308, -1e308, 1e308, -1e308), 60),
        (floats(5e-324, 0.0, -5e-324), 1e-3),
        (np.full(50, 1e300), 86_400),
    ],
)
def test_nothing_odd_makes_a_test_fail(value: Floats, period_s: float) -> None:
    observed = regular(len(value), period_s)
    by = Thresholds(
        period_s=period_s, hold_us=round(3 * period_s * SECOND), fail=(-1e9, 1e9), spike=(1, 2), rate=(1, 2),
        stuck=Resting(suspect_s=2 * period_s, fail_s=5 * period_s),
    )  # fmt: skip
    for family, flagged in judged(observed, value, by).items():
        found = runs(observed, until(observed, by.hold_us, None), value, flagged)
        assert len(flagged.flags) == len(value), family
        assert all(np.isfinite([run.amount, run.excess, run.low, run.high]).all() for run in found)
        assert all(run.start_us < run.end_us for run in found)


def test_the_same_instant_twice_is_not_compared() -> None:
    observed = np.array([0, 0, 10]) * SECOND
    assert rate.rate(observed, floats(1, 9, 9), 0.1).tolist() == [2, 2, 1]


def test_silences_at_the_edges_count_what_was_due() -> None:
    observed = START_US + np.array([600, 660, 1200]) * SECOND
    found = silences(
        observed, period_us=60 * SECOND, threshold_us=180 * SECOND, since_us=START_US, until_us=START_US + 1800 * SECOND
    )
    assert [((one.start_us - START_US) // SECOND, (one.end_us - START_US) // SECOND, one.missing) for one in found] == [
        (0, 600, 10), (720, 1200, 8), (1260, 1800, 9),
    ]  # fmt: skip
    assert gap(observed, 180 * SECOND).tolist() == [2, 1, 9]


def test_a_shift_is_found_where_it_is_and_neither_the_day_nor_the_weather_is_one() -> None:
    rng = np.random.default_rng(2)
    hours = np.arange(24 * 20)
    day = 20 + 4 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 0.3, len(hours))
    assert not (jump.jump(day, 3.0) == 3).any()
    weather = day + 12 / (1 + np.exp(-(hours - 200) / 24))
    assert not (jump.jump(weather, 3.0) == 3).any()
    shifted = day + np.where(hours >= 300, 25.0, 0.0)
    assert np.flatnonzero(jump.jump(shifted, 3.0) == 3).tolist() == [300]
    assert np.flatnonzero(jump.jump(shifted[:339], 3.0) == 3).tolist() == [300]
    assert np.flatnonzero(jump.jump(shifted[:338], 3.0) == 3).tolist() == []  # not over yet


def test_hours_without_readings_are_bridged_or_leave_a_shift_unknown() -> None:
    level = np.concatenate([np.full(40, 5.0), np.full(4, np.nan), np.full(60, 9.0)])
    assert np.flatnonzero(jump.jump(level, 1.0) == 3).tolist() in ([40], [41], [42], [43], [44])
    sparse = np.where(np.arange(104) % 3 == 0, level, np.nan)
    assert set(jump.jump(sparse, 1.0).tolist()) == {2}


def test_a_device_that_is_moved_has_a_new_place_and_one_that_moves_about_has_none() -> None:
    rng = np.random.default_rng(4)
    n = 24 * 8
    lat, lon = 37.5 + rng.normal(0, 2e-5, n), 127.0 + rng.normal(0, 2e-5, n)
    lat[100:] += 0.01
    flag, moved = relocation.relocation(lat, lon)
    assert np.flatnonzero(flag == 3).tolist() == [100]
    assert moved[100] == pytest.approx(1112, abs=10)
    roaming = rng.uniform(37.4, 37.6, n)
    assert set(relocation.relocation(roaming, lon)[0].tolist()) == {2}


# --- stretches -------------------------------------------------------------------------------------------------------------


def test_an_hour_full_of_spikes_is_one_stretch() -> None:
    n = 720
    observed = regular(n, 10)
    value = np.where(np.arange(n) % 3 == 1, 50.0, 1.0)
    flagged = judged(observed, value, Thresholds(hold_us=30 * SECOND, spike=(5, 9)))["spike"]
    found = runs(observed, until(observed, 30 * SECOND, None), value, flagged)
    assert [run.dense for run in found] == [True, True]
    assert sum(run.n for run in found) == n // 3
    few = runs(observed[:150], until(observed[:150], 30 * SECOND, None), value[:150], _first(flagged, 150))
    assert len(few) == 50 <= MOST_AN_HOUR


def _first(flagged: Flagged, n: int) -> Flagged:
    return Flagged(flags=flagged.flags[:n], amount=flagged.amount[:n], excess=flagged.excess[:n])


_value = st.one_of(st.sampled_from([0.0, 20.0, 20.5, 45.0, 80.0]), st.floats(-50, 100))
_step = st.sampled_from([1, 30, 59, 60, 61, 120, 180, 181, 900, 4000])


@settings(max_examples=150, deadline=None)
@given(
    series=st.lists(st.tuples(_step, _value), min_size=1, max_size=120),
    cuts=st.lists(st.integers(1, 40), max_size=6),
    counter=st.booleans(),
)
def test_stretches_of_parts_are_joined_to_those_of_the_whole(
    series: list[tuple[int, float]], cuts: list[int], counter: bool
) -> None:
    """Any cut at the hour: each part reads what it leans on, and what comes out is the same."""
    observed = START_US + np.cumsum([step for step, _ in series]).astype(np.int64) * SECOND
    value = np.array([one for _, one in series])
    by = Thresholds(
        period_s=60, hold_us=180 * SECOND, counter=counter, fail=(-20, 60), suspect=(0, 40), spike=(5, 15), rate=(0.5, 1),
        stuck=Resting(suspect_s=180, fail_s=600, tolerance=0.6),
    )  # fmt: skip
    end = START_US + 100 * HOUR_US
    edges = sorted({START_US, *(START_US + cut * HOUR_US for cut in cuts), end})
    whole = of_part(_part(observed, value, START_US, end), by)
    parts: dict[str, list[Run]] = {family: [] for family in FAMILIES}
    for low, high in pairwise(edges):
        # Two readings and the longest rest before, one after: what telemetry.quality.reading sees to.
        first = max(0, min(np.searchsorted(observed, low) - 2, np.searchsorted(observed, low - 900 * SECOND) - 1))
        last = int(np.searchsorted(observed, high)) + 1
        for family, found in of_part(_part(observed[first:last], value[first:last], low, high), by).items():
            parts[family] += found
    for family in FAMILIES:
        assert joined(parts[family]) == joined(whole[family])


def _part(observed: NDArray[np.int64], value: Floats, low: int, high: int) -> Part:
    window = Window(start=instant(low), end=instant(high))
    return Part(judged=window, observed_us=observed, value=value, before=None, after=None)


# --- by what ---------------------------------------------------------------------------------------------------------------


def test_defaults_assume_nothing_of_what_may_rest_or_leap() -> None:
    humidity = thresholds(channel(unit="%", options={"range": [0, 100]}))
    assert (humidity.stuck, humidity.spike, humidity.rate, humidity.jump) == (None, None, None, None)
    assert humidity.fail == (0.0, 100.0)
    power = thresholds(channel(unit="W", options={"range": [0, 500]}))
    assert power.stuck == Resting(suspect_s=86_400, fail_s=259_200, rests=(0.0, 0.0, 500.0))
    assert (power.spike, power.jump) == (None, None)
    assert thresholds(channel(unit="")).stuck is None


def test_defaults_of_a_restless_quantity_are_in_the_channels_unit() -> None:
    found = thresholds(channel(unit="degF"))
    assert found.spike == pytest.approx((9.0, 27.0))
    assert found.rate is not None
    assert found.rate[0] == pytest.approx(1.8)
    assert found.jump == pytest.approx(5.4)
    assert found.fail is not None
    assert found.fail[0] == pytest.approx(-459.67)
    assert found.stuck == Resting(suspect_s=21_600, fail_s=86_400)
    assert thresholds(channel(unit="mg/m^3", options={"range": [0, 1]})).spike == (0.25, 0.5)
    assert thresholds(channel(period_s=3600.0, max_hold_s=10_800.0)).stuck == Resting(suspect_s=108_000, fail_s=432_000)


def test_on_change_and_event_channels_have_no_gap_and_never_rest() -> None:
    for reporting in ("on_change", "event"):
        found = thresholds(
            channel(
                reporting=reporting, period_s=None, max_hold_s=None, options={"quality": {"stuck": "1 h", "gap": "1 h"}}
            )
        )
        assert (found.gap_s, found.stuck, found.spike, found.rate) == (None, None, None, None)
    state = thresholds(
        channel(kind="state", unit="state", reporting="on_change", period_s=None, max_hold_s=None, states=("a", "b"))
    )
    assert (state.states, state.gap_s, state.stuck) == (2, None, None)


def test_the_plan_decides_and_false_switches_off() -> None:
    said = {
        "gap": "10 min", "stuck": ["1 h", "3 h"], "range": [0, 40], "spike": "9 degF", "rate": ["3 degC/min", "6 degC/min"],
        "jump": False,
    }  # fmt: skip
    found = thresholds(channel(options={"range": [-20, 60], "quality": said}))
    assert (found.gap_s, found.stuck) == (600.0, Resting(suspect_s=3600, fail_s=10_800))
    assert (found.fail, found.suspect, found.jump) == ((-20.0, 60.0), (0.0, 40.0), None)
    assert found.spike is not None
    assert found.spike[0] == pytest.approx(5.0)
    assert found.rate == pytest.approx((0.05, 0.1))
    assert (found.origin("spike"), found.origin("clock")) == ("plan", "default")
    silent = channel(options={"quality": {"stuck": None, "jump": None}})
    assert thresholds(silent) == thresholds(channel())


@pytest.mark.parametrize("said", [{"spike": "5 kg"}, {"rate": "5 degC"}, {"rate": "5 degC/m"}, {"jump": "viel"}])
def test_a_threshold_of_something_else_is_an_error(said: dict[str, Any]) -> None:
    with pytest.raises(UnitError):
        thresholds(channel(options={"quality": said}))
