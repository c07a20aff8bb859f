"""Frame numbers, delays, forecasts and shares of an exposure, from hand-made parts."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped,unused-ignore]
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plan.target import parse_bounds
from kpi.measures import delay, exposure_share, forecast, sequence
from kpi.measures.delay import DelayPart
from kpi.measures.exposure_share import ExposurePart
from kpi.measures.forecast import ForecastPart, discharges, lags, line_of
from kpi.measures.sequence import Frames, Rules, SequencePart

HOUR = 3_600_000_000
SECONDS = parse_bounds("<= 5 s")


def heard(numbers: list[float], *, wrap: int | None = None, period: float | None = None, **rules: object) -> Frames:
    """Frames that came an hour apart."""
    given = {"wrap": wrap, "first": 0, "period_us": period, "by_fall": True} | rules
    at = np.arange(len(numbers), dtype=np.int64) * HOUR
    end = len(numbers) * HOUR
    return sequence.frames(at, np.array(numbers, dtype=np.float64), Rules(**given), since_us=0, until_us=end)  # type: ignore[arg-type]


# --- frame numbers


@given(st.lists(st.integers(1, 100), min_size=1, max_size=60), st.integers(0, 999))
def test_steps_over_the_wrap_lose_what_they_leave_out(steps: list[int], start: int) -> None:
    total = [start + sum(steps[:i]) for i in range(len(steps) + 1)]
    found = heard([float(one % 1000) for one in total], wrap=1000)
    assert len(found.heard_us) == len(total)
    assert len(found.lost_us) == sum(steps) - len(steps)
    assert len(found.rejoined_us) == len(found.jumped_us) == 0


@given(
    st.lists(st.floats(allow_nan=False), max_size=40),
    st.sampled_from([None, 64, 65_536]),
    st.sampled_from([None, float(HOUR)]),
)
def test_whatever_comes_adds_up(numbers: list[float], wrap: int | None, period: float | None) -> None:
    found = heard(numbers, wrap=wrap, period=period)
    assert len(found.heard_us) + len(found.repeated_us) + len(found.unclear_us) == len(numbers)
    assert all(0 <= us <= max(len(numbers), 1) * HOUR for us in found.lost_us.tolist())


@given(st.permutations(range(8)))
def test_frames_that_overtake_each_other_are_not_lost(order: list[int]) -> None:
    found = heard([float(one) for one in order])
    assert len(found.heard_us) == 8
    # The first that was heard is where counting begins: what comes from before it is late, and fills nothing.
    assert len(found.lost_us) == 0


def test_the_same_number_again_is_one_frame() -> None:
    found = heard([5, 6, 6, 6, 7])
    assert (len(found.heard_us), len(found.repeated_us), len(found.lost_us)) == (3, 2, 0)


def test_a_number_repeated_without_end_is_no_repetition() -> None:
    found = heard([5.0] * 100)
    assert (len(found.heard_us), len(found.lost_us)) == (1, 85)


def test_a_rejoin_begins_at_the_first_number() -> None:
    found = heard([500, 501, 2, 3], wrap=65_536)
    assert (len(found.rejoined_us), len(found.lost_us)) == (1, 2)
    assert len(heard([500, 501, 2, 3], wrap=65_536, first=2).lost_us) == 0


def test_a_fall_to_more_than_half_is_no_rejoin() -> None:
    found = heard([500, 501, 400, 401])
    assert (len(found.rejoined_us), len(found.jumped_us), len(found.lost_us)) == (0, 1, 0)


def test_a_number_far_above_begins_anew_and_loses_nothing() -> None:
    found = heard([1, 2, 60_000, 60_001])
    assert (len(found.jumped_us), len(found.lost_us)) == (1, 0)


def test_a_step_that_the_period_has_no_room_for_is_none() -> None:
    """From 60,000 to 5 within an hour of an hourly channel: not 5,540 lost over the wrap, but a rejoin."""
    found = heard([60_000, 5, 6], wrap=65_536, period=float(HOUR))
    assert (len(found.rejoined_us), len(found.lost_us)) == (1, 5)
    assert len(heard([60_000, 5, 6], wrap=65_536).lost_us) == 5_540


def test_silence_for_good_is_lost_by_the_period() -> None:
    rules = Rules(wrap=None, first=0, period_us=float(HOUR), by_fall=True)
    at = np.arange(10, dtype=np.int64) * HOUR
    found = sequence.frames(at, np.arange(10.0), rules, since_us=0, until_us=100 * HOUR)
    assert found.lost_us.tolist() == [us * HOUR for us in range(10, 100)]
    nothing = sequence.frames(at[:0], np.empty(0), rules, since_us=0, until_us=100 * HOUR)
    assert len(nothing.lost_us) == 100


def _frames(**given: int) -> SequencePart:
    others = dict.fromkeys(("doubtful", "left_out", "repeated", "late", "unclear", "rejoined", "jumped"), 0)
    counts = {"heard": 90, "lost": 10} | others | given
    days = ((date(2026, 3, 1), 90, 10),)
    return SequencePart(**counts, days=days, periodic=True, connected_us=1, required_us=1)  # type: ignore[arg-type]


def test_frames_of_nobodys_time_make_both_ends() -> None:
    found = sequence.measure([_frames(doubtful=100)])
    assert (found.value, found.low, found.high, found.completeness) == (90.0, 45.0, 90.0, 0.5)


def test_without_any_frame_there_is_no_value() -> None:
    found = sequence.measure([_frames(heard=0, lost=0)])
    assert (found.value, found.low, found.completeness) == (None, None, None)


# --- delays


def part(delays_ms: list[int], *, lost: int = 0, required_s: float = 3600.0, **given: int) -> DelayPart:
    values, n = np.unique(np.array(delays_ms, dtype=np.int64), return_counts=True)
    size = len(delays_ms) + lost
    return DelayPart(
        delay_ms=values, n=n.astype(np.int64), lost=lost, doubtful=given.pop("doubtful", 0), required_s=required_s,
        obtained=len(delays_ms), expected=size, **given,
    )  # fmt: skip


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=200),
    st.integers(0, 20),
    st.sampled_from(["p5", "p50", "p95", "p99.9"]),
)
def test_a_percentile_is_that_of_numpy_with_what_was_lost(delays_ms: list[int], lost: int, stat: str) -> None:
    found = delay.measure([part(delays_ms, lost=lost)], stat=stat, target=SECONDS)
    every = np.concatenate([np.array(delays_ms) / 1000, np.full(lost, np.inf)])
    assert found.value == np.quantile(every, float(stat[1:]) / 100, method="inverted_cdf")
    assert found.as_share is not None
    assert found.as_share.share == pytest.approx(float((every <= 5).mean()))
    # The percentile keeps the target exactly where the share does.
    assert (found.value <= 5) == (found.as_share.share >= float(stat[1:]) / 100 - 1e-12)


def test_slots_weigh_by_time_whatever_they_send() -> None:
    quick, slow = part([100] * 900), part([9000] * 100)
    assert delay.measure([quick, slow], stat="p50", target=SECONDS).value == 0.1
    assert delay.measure([quick, slow], stat="p51", target=SECONDS).value == 9.0


def test_what_tells_nothing_may_be_anything() -> None:
    found = delay.measure([part([100] * 50, no_clock=50)], stat="p95", target=SECONDS)
    assert found.as_share is not None
    assert (found.as_share.fill_low, found.as_share.fill_high, found.completeness) == (0.5, 1.0, 0.5)


def test_the_longest_delay_of_a_slot_that_lost_one_is_infinite() -> None:
    assert delay.measure([part([100, 200])], stat="max", target=SECONDS).value == 0.2
    assert delay.measure([part([100, 200], lost=1)], stat="max", target=SECONDS).value == math.inf
    assert delay.measure([part([])], stat="max", target=SECONDS).value is None


# --- forecasts


def days(level: list[float], **given: float) -> ForecastPart:
    at = tuple(20_000.5 + i for i in range(len(level)))
    return ForecastPart(
        at_d=at, level=tuple(level), until=given.get("until", 20.0), recharge=given.get("recharge"), end_d=at[-1] if at else 0.0,
        n=len(level), obtained=len(level), expected=len(level),
    )  # fmt: skip


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(10, 120))
def test_line_and_covariance_are_those_of_statsmodels(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    level = (100 - 0.3 * np.arange(n) + rng.normal(0, 1, n)).tolist()
    line = line_of(days(level, recharge=1000.0), "life")
    assert line is not None
    at = np.arange(n) - (n - 1) / 2
    fit = sm.OLS(np.array(level), sm.add_constant(at)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags(n), "use_correction": True}
    )
    assert (line.mean, line.slope) == pytest.approx(tuple(fit.params))
    wanted = fit.cov_params()
    assert (line.mean_variance, line.covariance, line.slope_variance) == pytest.approx(
        (wanted[0, 0], wanted[0, 1], wanted[1, 1]), abs=1e-12
    )
    assert line.residual == pytest.approx(fit.mse_resid)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.3, 1.0]))
def test_the_bounds_are_where_the_band_crosses(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    line = line_of(days((100 - slope * np.arange(60) + rng.normal(0, 2, 60)).tolist(), recharge=1000.0), "life")
    assert line is not None
    found = line.interval(line.crossing(), 0.05, window_s=0)
    assert found is not None and found.low <= line.crossing() <= found.high
    from scipy import stats

    q = stats.t.isf(0.05, line.days - 2)
    for end, sign in ((found.low, -1), (found.high, 1)):
        if 0 < end < math.inf:
            x = end + line.from_d - line.middle_d
            variance = line.mean_variance + 2 * x * line.covariance + x * x * line.slope_variance + line.residual
            assert line.mean + line.slope * x + sign * q * math.sqrt(variance) == pytest.approx(line.until, abs=1e-6)


def test_every_recharge_begins_a_discharge() -> None:
    level = [100.0 - i for i in range(30)] + [95.0 - i for i in range(30)] + [90.0 - 2 * i for i in range(20)]
    assert discharges(days(level)) == [0, 30, 60]
    line = line_of(days(level), "life")
    assert line is not None and line.slope == pytest.approx(-2.0)


@pytest.mark.parametrize("level", [[80.0] * 30, [50.0 + i for i in range(30)]])
def test_what_does_not_go_down_is_never_empty(level: list[float]) -> None:
    assert forecast.measure([days(level)], stat="life").value == math.inf


def test_below_the_level_from_the_beginning_nothing_is_left() -> None:
    assert forecast.measure([days([10.0 - 0.1 * i for i in range(20)])], stat="life").value == 0.0


@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_whatever_the_days_were_there_is_a_forecast_or_none(level: list[float]) -> None:
    value = forecast.measure([days(level)], stat="life").value
    assert value is None or value >= 0


def test_of_several_slots_the_first_to_be_empty_counts() -> None:
    quick, slow = ([100.0 - slope * i for i in range(30)] for slope in (2.0, 1.0))
    assert forecast.measure([days(slow), days(quick)], stat="life").value == pytest.approx(40.0)
    assert forecast.measure([days(slow), days(quick[:3])], stat="life").value is None


# --- shares of an exposure


def gone(**given: float) -> ExposurePart:
    parts = {"true": 0.0, "false": 0.0, "company": 0.0, "left_out": 0.0, "nobody": 0.0} | given
    return ExposurePart(**parts, restarts=0, n=10, obtained=10, expected=10)


def test_what_is_left_out_is_in_neither() -> None:
    found = exposure_share.measure([gone(true=9.0, false=1.0, left_out=1000.0)])
    assert (found.value, found.low, found.high) == (90.0, 90.0, 90.0)


def test_nothing_gone_is_no_share() -> None:
    assert exposure_share.measure([gone()]).value is None
    assert exposure_share.measure([gone(true=-1.0, false=3.0)]).value is None


def test_a_robot_that_goes_further_counts_more() -> None:
    assert exposure_share.measure([gone(true=90.0, false=10.0), gone(false=100.0)]).value == 45.0
