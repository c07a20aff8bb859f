"""What hours say of a clock: made-up devices whose clocks and ways are known."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import theilslopes

from core.window import HOUR_US
from telemetry.pace import Hour, Judged, State, drift, judged, since_step, stretches, theil_sen
from tests.clocked import Device, buffered, constant, drifting, gathered, set_at

THRESHOLD_S = 30.0


def states(device: Device) -> list[State]:
    return [hour.state for hour in judged(device.hours(), THRESHOLD_S)]


def beyond(device: Device) -> list[tuple[str, int, float]]:
    """The stretches: side, hours, median offset."""
    return [
        (
            "fast" if one.fast else "slow",
            (one.end_us - one.start_us) // HOUR_US,
            round(float(np.median([hour.offset_s or 0.0 for hour in one.hours]))),
        )
        for one in stretches(judged(device.hours(), THRESHOLD_S))
    ]


def test_a_good_clock_is_fine_and_known_to_the_least_time_on_the_way() -> None:
    found = judged(Device().hours(), THRESHOLD_S)
    assert {hour.state for hour in found} == {"fine"}
    assert all(hour.offset_s is not None and 0.1 <= hour.offset_s < 0.2 for hour in found)


@pytest.mark.parametrize(
    ("ahead_s", "side", "offset_s"),
    [(90, "fast", -90), (-300, "slow", 300), (31, "fast", -31), (-31, "slow", 31), (-32_400, "slow", 32_400)],
)
def test_a_clock_that_is_off_is_so_in_every_hour(ahead_s: float, side: str, offset_s: float) -> None:
    ((found, hours, value),) = beyond(Device(ahead_s=constant(ahead_s)))
    assert (found, value) == (side, offset_s)
    assert 48 <= hours <= 49  # a clock that is off begins and ends within an hour


@pytest.mark.parametrize("ahead_s", [29, -29])
def test_a_clock_within_the_threshold_is_fine(ahead_s: float) -> None:
    assert beyond(Device(ahead_s=constant(ahead_s))) == []
    assert set(states(Device(ahead_s=constant(ahead_s)))) == {"fine"}


@pytest.mark.parametrize(
    ("times_as_fast", "known"),
    [(360.0, 42), (10.0, 41), (2.0, 36), (1.5, 30), (1.1, 1)],
)
def test_what_was_buffered_is_late_and_not_slow(times_as_fast: float, known: int) -> None:
    """Six hours without a link, then the backlog: at once, or little faster than it arose."""
    found = Counter(states(Device(arrives_s=buffered(10, 16, times_as_fast=times_as_fast))))
    assert set(found) <= {"fine", "late"}
    assert found["fine"] >= known - 1


def test_a_slow_clock_is_found_around_what_was_buffered() -> None:
    assert beyond(Device(ahead_s=constant(-300), arrives_s=buffered(10, 16))) == [("slow", 49, 300)]


def test_an_hour_of_which_a_part_came_live_tells_the_offset() -> None:
    """The database was away for forty minutes."""
    found = judged(Device(hours=24, arrives_s=buffered(10.1, 10.77)).hours(), THRESHOLD_S)
    assert {hour.state for hour in found} == {"fine"}


def test_one_reading_an_hour_that_was_buffered_is_late() -> None:
    """Nothing within such an hour tells that it came late: its neighbours do."""
    device = Device(period_s=3600, arrives_s=buffered(10, 20))
    assert Counter(states(device))["late"] == 10
    assert beyond(device) == []
    assert beyond(Device(period_s=3600, ahead_s=constant(-300), arrives_s=buffered(10, 20))) == [("slow", 48, 300)]


@pytest.mark.parametrize(
    ("every_s", "lag_s", "ahead_s", "wanted"),
    [
        (600, 1, 0, {"fine"}),
        (600, 120, 0, {"gathered"}),  # 120 s slow, or always 120 s late?
        (600, 1, 90, {"fast"}),
        (600, 1, -400, {"gathered"}),
        (600, 1, -1_000, {"slow"}),
        (3_600, 60, 0, {"late"}),  # each hour as a whole
        (3_600, 60, 150, {"fast"}),
        (7_200, 1, 0, {"late"}),
    ],
)
def test_a_device_that_gathers_its_readings(every_s: float, lag_s: float, ahead_s: float, wanted: set[State]) -> None:
    device = Device(arrives_s=gathered(every_s, lag_s), ahead_s=constant(ahead_s))
    assert set(states(device)[1:-1]) == wanted


@pytest.mark.parametrize("period_s", [20, 60, 150, 300])
@pytest.mark.parametrize("seed", range(5))
def test_a_good_clock_is_not_slow_however_few_readings_are_gathered(period_s: float, seed: int) -> None:
    """The last of a batch waits up to a period, and all of them the lag."""
    device = Device(period_s=period_s, arrives_s=gathered(600, 60), seed=seed)
    assert beyond(device) == []


def test_one_reading_stamped_ahead_is_no_fast_clock() -> None:
    device = Device()
    device.observed_us[3000] += 240_000_000
    assert beyond(device) == []


def test_what_was_sent_again_days_later_hides_no_slow_clock() -> None:
    """A fifth of each hour was lost and came the day after."""
    device = Device(ahead_s=constant(-300))
    device.received_us[::5] += 86_400_000_000
    ((side, hours, value),) = beyond(device)
    assert (side, value) == ("slow", 300) and hours >= 48


def test_a_clock_that_is_set_ends_the_stretch_and_begins_the_drift_anew() -> None:
    device = Device(hours=96, ahead_s=set_at(40.5, constant(-300), drifting(20)))
    assert beyond(device) == [("slow", 41, 300)]
    segment = since_step(judged(device.hours(), THRESHOLD_S))
    assert 55 <= len(segment) <= 56
    assert drift(segment) == pytest.approx(-20e-6 * 86_400, abs=0.05)


def test_another_error_on_the_same_side_is_another_stretch() -> None:
    device = Device(ahead_s=set_at(24, constant(-300), constant(-3_000)))
    assert beyond(device) == [("slow", 25, 300), ("slow", 24, 3_000)]


@pytest.mark.parametrize("ppm", [20.0, -20.0, 1.0, 0.0, 5_000.0])
def test_the_drift_is_found_to_the_resolution(ppm: float) -> None:
    device = Device(hours=14 * 24, period_s=60, ahead_s=drifting(ppm))
    segment = since_step(judged(device.hours(), THRESHOLD_S))
    found = drift(segment)
    assert found is not None
    # By the device's own days, which a clock that gains makes shorter.
    assert found == pytest.approx(-ppm * 0.0864 / (1 + ppm * 1e-6), abs=0.01)
    assert len(segment) >= 14 * 24 - 1


def test_a_clock_set_every_other_day_by_a_few_seconds() -> None:
    """20 ppm are 3.5 s in two days: each time the clock is set, the drift begins anew."""
    device = Device(hours=130, ahead_s=lambda at: (at % (48 * 3600)) * 20e-6)
    segment = since_step(judged(device.hours(), THRESHOLD_S))
    assert 33 <= len(segment) <= 35
    assert drift(segment) == pytest.approx(-1.728, abs=0.1)


def test_no_drift_without_a_day_of_hours() -> None:
    assert drift(judged(Device(hours=20).hours(), THRESHOLD_S)) is None


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(-1e4, 1e4)), min_size=2, max_size=40))
def test_the_slope_is_that_of_scipy(points: list[tuple[int, float]]) -> None:
    x = np.array([float(at) for at, _ in points])
    y = np.array([value for _, value in points])
    if len(set(x)) < 2:
        assert np.isnan(theil_sen(x, y))
        return
    with np.errstate(invalid="ignore"):  # of its interval, where there are few points
        expected = float(theilslopes(y, x).slope)
    assert theil_sen(x, y) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(
    st.floats(-THRESHOLD_S, THRESHOLD_S),
    st.lists(st.floats(0, 20_000), min_size=1, max_size=200),
    st.integers(60, 4_000),
)
def test_no_delay_makes_a_good_clock_fast(ahead_s: float, waits: list[float], period_s: int) -> None:
    device = Device(hours=len(waits) * period_s / 3600, period_s=period_s, ahead_s=constant(ahead_s))
    device.received_us[: len(waits)] += np.array(waits[: len(device.received_us)]).astype(np.int64) * 1_000_000
    found = judged(device.hours(), THRESHOLD_S)
    assert "fast" not in {hour.state for hour in found}
    for hour in device.hours():
        assert hour.least_s is not None and hour.least_s >= -ahead_s, "slow by no more than the least delay"


def test_refused_readings_tell_of_a_clock_far_ahead() -> None:
    good = {h: Hour(hour_us=h * HOUR_US, least_s=0.2, median_s=0.3, span_s=3500, taken=360) for h in range(24)}
    refused = {h: Hour(hour_us=h * HOUR_US, taken=0, refused=200, refused_s=-600.0 - h) for h in range(24, 30)}
    some = Hour(hour_us=30 * HOUR_US, least_s=0.2, median_s=0.3, span_s=3500, taken=360, refused=3, refused_s=-1e9)
    found = judged([*good.values(), *refused.values(), some], THRESHOLD_S)
    assert [hour.state for hour in found] == ["fine"] * 24 + ["fast"] * 6 + ["fine"]
    (stretch,) = stretches(found)
    assert stretch.refused and (stretch.start_us, stretch.end_us) == (24 * HOUR_US, 30 * HOUR_US)


@pytest.mark.parametrize(("silent_h", "pieces"), [(1, 1), (24, 1), (25, 2)])
def test_a_day_of_silence_ends_a_stretch(silent_h: int, pieces: int) -> None:
    def hour(place: int) -> Judged:
        return Judged(hour_us=place * HOUR_US, state="slow", offset_s=300.0)

    found = [hour(0), hour(1), hour(2 + silent_h), hour(3 + silent_h)]
    assert len(stretches(found)) == pieces


def test_hours_of_which_nothing_is_known_say_nothing() -> None:
    found = judged([Hour(hour_us=0), Hour(hour_us=HOUR_US, refused=3)], THRESHOLD_S)
    assert [hour.state for hour in found] == ["none", "none"]
    assert stretches(found) == [] and since_step(found) == [] and drift(found) is None
