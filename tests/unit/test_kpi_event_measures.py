"""Counts, rates, times between failures and durations, from hand-made parts."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from devices.plan.target import parse_bounds
from kpi.intervals import clustered_mean, dispersion, poisson_mean
from kpi.measures import count, counting, event_duration, event_rate, mtbf
from kpi.measures.event_duration import DurationPart, Lasted
from kpi.measures.happenings import GRACE_US, Happening
from kpi.sampling import sampling_interval, share_form_interval
from tests.handmade import DAY_US, FIRST, counted

# --- Counts and rates


def test_what_nobody_knows_makes_the_upper_end() -> None:
    found = count.measure([counted(2, unclear=1, missing=3)])
    assert (found.value, found.low, found.high) == (2, 2, 6)
    assert (found.facts["unclear"], found.facts["missing_numbers"]) == (1, 3)


def test_a_missing_number_counts_where_every_event_does() -> None:
    log = [Happening(id=f"e{n}", phase="", number=n, at_us=n, attributes={}) for n in (1, 2, 5)]
    assert [one.certain for one in counting.sightings(log, numbered=True, where={})] == [True] * 5
    assert [one.certain for one in counting.sightings(log, numbered=False, where={})] == [True] * 3


def test_events_without_numbers_may_be_any_number_more() -> None:
    found = count.measure([counted(2, numbered=False)])
    assert (found.fill_low, found.fill_high) == (2, math.inf)


def test_silence_does_not_thin_out_events() -> None:
    """Fifteen days of silence are not exposure; nor are those that nobody is charged with, but for the lower end."""
    found = event_rate.measure([counted(30, days=15, doubtful=15 * DAY_US)], unit="건/d", one=DAY_US)
    assert (found.value, found.low, found.high) == (2.0, 1.0, 2.0)


def test_no_exposure_is_no_rate() -> None:
    found = event_rate.measure([counted(3, days=0)], unit="건/d", one=DAY_US)
    assert found.value is None
    assert sampling_interval(found, 0.05, window_s=1) is None


def test_a_rate_exactly_on_its_target_is_on_it() -> None:
    found = event_rate.measure([counted(93, days=31)] * 3, unit="건/d", one=DAY_US)
    assert found.value == 3.0
    assert found.value in parse_bounds("<= 3 건/d")


def test_slots_together_are_exposed_once() -> None:
    part = counted(31, days=31)
    alone = event_rate.measure([part], unit="건/d", one=DAY_US, together=True, independent=True)
    three = event_rate.measure([part] * 3, unit="건/d", one=DAY_US, together=True, independent=True)
    assert (alone.value, three.value) == (1.0, 3.0)
    bounds = sampling_interval(three, 0.05, window_s=1)
    assert bounds is not None
    assert (bounds.low, bounds.high) == pytest.approx([end / 31 for end in poisson_mean(93, 0.05)])


def test_exact_bounds_are_those_of_scipy() -> None:
    found = event_rate.measure([counted(7, days=100)], unit="건/d", one=DAY_US, independent=True)
    bounds = sampling_interval(found, 0.05, window_s=1)
    assert bounds is not None
    assert bounds.low == pytest.approx(stats.chi2.ppf(0.05, 14) / 200, rel=1e-12)
    assert bounds.high == pytest.approx(stats.chi2.ppf(0.95, 16) / 200, rel=1e-12)
    assert bounds.method == "poisson"


# --- Dispersion


def daily_counts(rng: np.random.Generator, mean: float, factor: float, days: int) -> list[tuple[int, float]]:
    if factor == 1:
        return [(int(n), 1.0) for n in rng.poisson(mean, days)]
    return [(int(n), 1.0) for n in rng.negative_binomial(mean / (factor - 1), 1 / factor, days)]


@pytest.mark.parametrize(("mean", "factor", "days"), [(1, 2, 90), (0.2, 3, 300), (3, 3, 90), (0.2, 1, 90), (3, 2, 30)])
def test_clustered_counts_pass_falsely_at_most_seven_percent(mean: float, factor: float, days: int) -> None:
    """A rate exactly at its target, judged by the upper bound of 1,000 seeds."""
    passed = exact = 0
    for seed in range(1000):
        found = daily_counts(np.random.default_rng(seed), mean, factor, days)
        total = sum(n for n, _ in found)
        passed += clustered_mean(total, found, 0.05)[1] <= mean * days
        exact += poisson_mean(total, 0.05)[1] <= mean * days
    assert passed / 1000 <= 0.07 + 2 * math.sqrt(0.07 * 0.93 / 1000)
    if factor > 1:
        assert exact > passed


def test_dispersion_takes_unequal_days_for_what_they_are() -> None:
    """Twice the distance, twice the collisions: that is no cluster."""
    fair = [(2, 200.0), (1, 100.0)] * 50
    assert dispersion(fair, 0.05).factor == 1.0
    assert dispersion([(n, 100.0) for n, _ in fair], 0.05).factor == 1.0
    bursts = [(30, 100.0)] * 3 + [(0, 100.0)] * 97
    assert dispersion(bursts, 0.05).factor > 10


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1e6)), max_size=30), st.floats(0.001, 0.2))
def test_any_days_have_a_dispersion(days: list[tuple[int, float]], alpha: float) -> None:
    found = dispersion(days, alpha)
    assert 1 <= found.factor < math.inf and 0 < found.price <= 1
    total = sum(n for n, _ in days)
    low, high = clustered_mean(total, days, alpha)
    assert 0 <= low <= total <= high < math.inf


# --- Mean time between failures


def test_a_bound_without_failures_and_none_without_time() -> None:
    found = mtbf.measure([counted(0, days=250)])
    assert found.value is None
    bounds = sampling_interval(found, 0.05, window_s=1)
    assert bounds is not None
    assert bounds.low / 3600 == pytest.approx(6000 / 2.995732, rel=1e-6)
    assert bounds.high == math.inf
    assert sampling_interval(mtbf.measure([counted(0, days=0)]), 0.05, window_s=1) is None


def test_bounds_with_failures_are_those_of_chi_square() -> None:
    found = mtbf.measure([counted(4, days=250)])
    assert found.value is not None
    bounds = sampling_interval(found, 0.05, window_s=1)
    assert bounds is not None
    assert found.value / 3600 == pytest.approx(1500)
    assert bounds.low / 3600 == pytest.approx(2 * 6000 / stats.chi2.ppf(0.95, 10), rel=1e-12)
    assert bounds.high / 3600 == pytest.approx(2 * 6000 / stats.chi2.ppf(0.05, 8), rel=1e-12)


# --- Durations


def durations(seconds: list[float | None], a_day: int = 20, numbered: bool = True) -> DurationPart:
    lasted = tuple(
        (
            FIRST + timedelta(days=i // a_day),
            Lasted(at_us=i, duration_us=None if one is None else round(one * 1e6), ending="closed"),
        )
        for i, one in enumerate(seconds)
    )
    return DurationPart(lasted=lasted, connected_us=1, required_us=1, numbered=numbered)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 99), st.floats(0, 1e6))
def test_a_percentile_and_its_share_say_the_same(seconds: list[float], percent: int, limit: float) -> None:
    part = durations([round(one, 6) for one in seconds])
    target = parse_bounds(f"<= {round(limit, 6)} s")
    found = event_duration.measure([part], stat=f"p{percent}", target=target)
    form = found.as_share
    assert form is not None and form.trials is not None and found.value is not None
    # In whole numbers: as floats 0.07 is a little more than seven of a hundred.
    assert (found.value in target) == (100 * form.trials.successes >= percent * form.trials.trials)


def test_percentiles_are_those_of_numpy() -> None:
    seconds = [round(float(one), 3) for one in np.random.default_rng(5).exponential(60, 137)]
    for percent in (1, 10, 50, 90, 95, 99):
        found = event_duration.measure([durations(list(seconds))], stat=f"p{percent}")
        assert found.value == pytest.approx(np.percentile(seconds, percent, method="inverted_cdf"))
    assert event_duration.measure([durations(list(seconds))], stat="mean").value == pytest.approx(np.mean(seconds))
    assert event_duration.measure([durations(list(seconds))], stat="max").value == max(seconds)


def test_what_lasts_for_ever_is_infinite_and_never_left_out() -> None:
    seconds: list[float | None] = [2.0] * 18 + [None, None]
    assert event_duration.measure([durations(seconds)], stat="p90").value == 2.0
    for stat in ("p91", "mean", "max"):
        assert event_duration.measure([durations(seconds)], stat=stat).value == math.inf
    assert event_duration.measure([], stat="mean").value is None


def test_a_share_of_events_needs_no_weeks() -> None:
    found = event_duration.measure([durations([1.0] * 59)], stat="p95", target=parse_bounds("<= 5 s"), designed=True)
    bounds = share_form_interval(found, 0.05, window_s=86_400)
    assert bounds is not None
    assert (bounds.method, round(bounds.low, 4)) == ("clopper_pearson", 0.9505)


def test_an_event_that_may_still_end_is_left_for_later() -> None:
    log = [Happening(id="a", phase="start", number=None, at_us=0, attributes={})]
    given_: dict[str, Any] = {"numbered": False, "where": {}}
    assert event_duration.durations(log, until_us=GRACE_US - 1, **given_) == []
    assert event_duration.durations(log, until_us=GRACE_US, **given_)[0].duration_us is None


def test_an_end_alone_has_no_duration() -> None:
    log = [Happening(id="a", phase="end", number=None, at_us=5, attributes={})]
    [found] = event_duration.durations(log, numbered=False, where={}, until_us=10)
    assert (found.duration_us, found.ending) == (None, "never_begun")
