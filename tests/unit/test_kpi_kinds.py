"""Integrals, increases, counts, rates, durations and times between failures on hand-made parts, and on any parts there may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.canonical import canonical_json
from core.window import Window, date_window, instant
from devices.plan.model import Kpi
from devices.plan.target import parse_bounds
from kpi.compound import compound, part_of
from kpi.entry import entry_of
from kpi.gathered import Gathered, arranged
from kpi.inputs.gather_sums import went
from kpi.intervals import clustered_mean, dispersion, poisson_mean
from kpi.judge import Asked
from kpi.measured import measured
from kpi.measurement import Measurement
from kpi.measures import count, counting, event_duration, event_rate, increase, integral, mtbf
from kpi.measures.availability import AvailabilityPart, States
from kpi.measures.capture import CapturePart
from kpi.measures.counting import CountPart, Sighting
from kpi.measures.event_duration import DurationPart, Lasted
from kpi.measures.event_ratio import EventPart, Outcome
from kpi.measures.happenings import GRACE_US, Event, Happening, missing_numbers
from kpi.measures.increase import IncreasePart, step
from kpi.measures.integral import IntegralPart
from kpi.measures.share import SharePart
from kpi.measures.statistic import StatisticPart, moments
from kpi.sampling import sampling_interval, share_form_interval
from kpi.spans import Spans, spans
from telemetry.statistics import Rules, merged, piece_of
from telemetry.sums import CounterStep, Run

SEOUL = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 1)
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000


def counted(
    certain: int, unclear: int = 0, missing: int = 0, *, days: float = 30, numbered: bool = True, **changes: Any
) -> CountPart:
    """One slot that was up for so many days, its events spread evenly."""
    kinds = [(True, True)] * certain + [(False, True)] * unclear + [(False, False)] * missing
    found = tuple(
        (FIRST + timedelta(days=int(i * days / len(kinds))), Sighting(at_us=i, certain=sure, heard=heard))
        for i, (sure, heard) in enumerate(kinds)
    )
    usual: dict[str, Any] = {
        "sightings": found, "exposure": days * DAY_US, "connected_us": 1, "required_us": 1, "numbered": numbered,
        "days": tuple((FIRST + timedelta(days=i), float(DAY_US)) for i in range(int(days))),
    }  # fmt: skip
    return CountPart(**(usual | changes))


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


# --- Counters


def climbed(values: list[float], wrap: float | None = None) -> float:
    return math.fsum(step(a, b, wrap).proven for a, b in pairwise(values))


@given(st.lists(st.integers(0, 60_000), min_size=2, max_size=50), st.integers(0, 60_000))
def test_a_counter_that_wraps_gives_what_it_counted(steps: list[int], start: int) -> None:
    wrap = 131_072  # more than twice any step: a fall by more than half of it is a wrap
    total = [start + sum(steps[:i]) for i in range(len(steps) + 1)]
    assert climbed([float(one % wrap) for one in total], wrap) == sum(steps)


@given(st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=10), min_size=1, max_size=6))
def test_a_counter_that_restarts_gives_what_its_runs_prove(runs: list[list[int]]) -> None:
    values, proven = [], 0
    for run in runs:
        start = run[0] if not values else min(run[0], int(values[-1] * 0.49))
        climb = [start + sum(run[1 : i + 1]) for i in range(len(run))]
        if values and climb[0] >= values[-1]:
            proven += climb[0] - int(values[-1])  # it looks as if it had gone on
        values += [float(one) for one in climb]
        proven += climb[-1] - climb[0]
    assert climbed(values) == proven


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=40), st.data(), st.one_of(st.none(), st.just(10_001.0)))
def test_an_increase_over_any_split_is_that_of_the_whole(
    values: list[int], data: st.DataObject, wrap: float | None
) -> None:
    """The steps between the pieces are the edges of both, each with its part of the time."""
    cuts = sorted({0, len(values), *data.draw(st.lists(st.integers(1, len(values) - 1), max_size=5))})
    pieces = [values[a:b] for a, b in pairwise(cuts)]
    share = data.draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))

    def run(piece: list[int], edges: tuple[CounterStep, ...]) -> Run:
        falls = tuple(CounterStep(before=a, after=b) for a, b in pairwise(piece) if b < a)
        lost = sum(fall.before - fall.after for fall in falls)
        return Run(n=len(piece), climbed=piece[-1] - piece[0] + lost, falls=falls, edges=edges)

    split = []
    for place, piece in enumerate(pieces):
        edges = []
        if place:
            edges.append(CounterStep(before=pieces[place - 1][-1], after=piece[0], part=1 - share))
        if place < len(pieces) - 1:
            edges.append(CounterStep(before=piece[-1], after=pieces[place + 1][0], part=share))
        split.append(went(run(piece, tuple(edges)), wrap))
    whole = went(run(values, ()), wrap)
    assert math.fsum(one.proven for one in split) == pytest.approx(whole.proven, rel=1e-12)
    assert math.fsum(one.from_zero for one in split) == pytest.approx(whole.from_zero, rel=1e-12)
    assert whole.proven == pytest.approx(climbed([float(one) for one in values], wrap))


# --- An integral


def summed(**changes: Any) -> IntegralPart:
    usual: dict[str, Any] = {
        "integral": 20 * 3600.0, "covered_s": 20 * 3600.0, "required_s": 24 * 3600.0, "n": 20, "obtained": 20, "expected": 24,
    }  # fmt: skip
    return IntegralPart(**(usual | changes))


def test_a_gap_of_an_integral_is_not_filled_and_bounds_nothing_without_a_range() -> None:
    found = integral.measure([summed(nobody_s=4 * 3600.0)], unit="(kW)*s")
    assert (found.low, found.high, found.fill_low) == (found.value, found.value, None)


def test_what_is_missing_escapes_where_the_range_is_known() -> None:
    found = integral.measure([summed(physical=(0, 1), company_s=4 * 3600.0)], unit="(kW)*s")
    assert (found.low, found.high) == (found.value, found.value)
    assert (found.fill_low, found.fill_high) == (20 * 3600, 24 * 3600)
    ours = integral.measure([summed(physical=(0, 1), platform_s=4 * 3600.0)], unit="(kW)*s")
    assert (ours.fill_low, ours.fill_high) == (20 * 3600, 20 * 3600)


# --- Any parts at all

NO_RULES = Rules(period_s=None, hold_us=None, steps=False)
NUMBER = st.one_of(st.just(0.0), st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from([1e140, -1e140]))
SECONDS = st.one_of(st.just(0.0), st.floats(0, 1e8))
MICROS = st.integers(0, 400 * DAY_US)
DAY = st.integers(0, 363).map(lambda n: FIRST + timedelta(days=n))
SIGHTING = st.tuples(DAY, st.builds(Sighting, at_us=MICROS, certain=st.booleans(), heard=st.booleans()))
LASTED = st.tuples(DAY, st.builds(Lasted, at_us=MICROS, duration_us=st.one_of(st.none(), MICROS)))
CHARGED = {"company_us": MICROS, "platform_us": MICROS, "site_us": MICROS, "nobody_us": MICROS}
CHARGED_S = {"company_s": SECONDS, "platform_s": SECONDS, "site_s": SECONDS, "nobody_s": SECONDS}
COUNT_PART = st.builds(
    CountPart,
    sightings=st.lists(SIGHTING, max_size=6).map(tuple),
    exposure=st.one_of(st.just(0.0), st.floats(0, 1e15), MICROS),
    days=st.lists(st.tuples(DAY, st.floats(0, 1e11)), max_size=5, unique_by=lambda row: row[0]).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    doubtful=st.floats(0, 1e15),
    **CHARGED,
)
DURATION_PART = st.builds(
    DurationPart,
    lasted=st.lists(LASTED, max_size=6).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    **CHARGED,
)
INTEGRAL_PART = st.builds(
    IntegralPart,
    integral=NUMBER,
    covered_s=SECONDS,
    required_s=SECONDS,
    n=st.integers(0, 1000),
    obtained=SECONDS,
    expected=SECONDS,
    physical=st.one_of(st.none(), st.tuples(NUMBER, NUMBER).map(lambda pair: (min(pair), max(pair)))),
    **CHARGED_S,
)
INCREASE_PART = st.builds(
    IncreasePart,
    proven=st.floats(0, 1e12),
    from_zero=st.floats(0, 1e12),
    restarts=st.integers(0, 9),
    wraps=st.integers(0, 9),
    n=st.integers(0, 1000),
    obtained=SECONDS,
    expected=SECONDS,
    **CHARGED_S,
)


@st.composite
def share_parts(draw: st.DrawFn) -> SharePart:
    true_us = draw(MICROS)
    return SharePart(
        true_us=true_us,
        covered_us=true_us + draw(MICROS),
        n=draw(st.integers(0, 9)),
        obtained=draw(SECONDS),
        expected=draw(SECONDS),
        **{key: draw(MICROS) for key in ("company_us", "platform_us", "site_us", "nobody_us")},
    )


@st.composite
def capture_parts(draw: st.DrawFn) -> CapturePart:
    expected = draw(st.integers(0, 1000))
    missing = draw(st.integers(0, expected))
    return CapturePart(
        missing=missing, expected=expected, unattributed=draw(st.integers(0, 1000)), n=expected - missing
    )


@st.composite
def availability_parts(draw: st.DrawFn) -> AvailabilityPart:
    edges = sorted(draw(st.lists(MICROS, min_size=5, max_size=5, unique=True)))
    spans_ = [((a, b),) if draw(st.booleans()) else () for a, b in pairwise(edges)]
    return AvailabilityPart(states=States(up=spans_[0], down=spans_[1], left_out=spans_[2], unknown=spans_[3]), n=1)


@st.composite
def statistic_parts(draw: st.DrawFn) -> StatisticPart:
    values = np.array(draw(st.lists(NUMBER, max_size=5)), dtype=np.float64)
    at_us = np.arange(len(values), dtype=np.int64) * DAY_US
    window = Window(start=instant(0), end=instant(10 * DAY_US))
    read = merged(piece_of(at_us, values, Rules(period_s=86_400, hold_us=None, steps=False)), window, NO_RULES)
    return StatisticPart(
        moments=moments([read]),
        required_s=draw(st.floats(1, 1e8)),
        obtained=draw(SECONDS),
        expected=draw(SECONDS),
        physical=draw(st.one_of(st.none(), st.just((-1e3, 1e3)))),
        values=values,
    )


OUTCOME = st.tuples(
    DAY, st.builds(Outcome, at_us=MICROS, success=st.booleans(), kind=st.sampled_from(["closed", "missing_number"]))
)
EVENT_PART = st.builds(
    EventPart,
    outcomes=st.lists(OUTCOME, max_size=6).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    **CHARGED,
)
RATIO = {"event": "e", "success": {"ok": True}}
KINDS: dict[str, tuple[dict[str, Any], str, str, st.SearchStrategy[Any]]] = {
    "integral": ({"integral": "power"}, "(kW)*s", "<= 5 kWh", INTEGRAL_PART),
    "increase": ({"increase": "odometer"}, "km", ">= 100 km", INCREASE_PART),
    "event_rate": ({"event_rate": {"event": "e", "per": "1 d"}}, "건/d", "<= 3 건/d", COUNT_PART),
    "per_device": ({"event_rate": {"event": "e", "per": "1 device-day"}}, "건/device-day", "3 건/대·일 미만", COUNT_PART),
    "per_distance": (
        {"event_rate": {"event": "e", "per": {"increase": "odometer"}, "independent": True}},
        "건/km", "<= 1 / (1000 km)", COUNT_PART,
    ),
    "count": ({"count": {"event": "e"}}, "건", "== 0", COUNT_PART),
    "mean": ({"event_duration": {"event": "e", "stat": "mean"}}, "s", "<= 24 h", DURATION_PART),
    "max": ({"event_duration": {"event": "e", "stat": "max"}}, "s", "1분 ~ 5분", DURATION_PART),
    "p95": ({"event_duration": {"event": "e", "stat": "p95"}}, "s", "<= 15 s", DURATION_PART),
    "share": ({"share": {"while": {"channel": "power", "value": "<= 1 kW"}}}, "%", "95 % 이상", share_parts()),
    "capture": ({"capture": {}}, "%", ">= 90 %", capture_parts()),
    "availability": ({"availability": {}}, "%", "> 99 %", availability_parts()),
    "ratio": ({"event_ratio": RATIO}, "%", ">= 95 %", EVENT_PART),
    "designed": ({"event_ratio": {**RATIO, "designed": True}}, "%", "< 5 %", EVENT_PART),
    "stat mean": ({"statistic": {"channel": "power", "stat": "mean"}}, "kW", "<= 1 kW", statistic_parts()),
    "stat std": ({"statistic": {"channel": "temp", "stat": "std"}}, "degC", "<= 2 degF", statistic_parts()),
    "stat p95": ({"statistic": {"channel": "delay", "stat": "p95"}}, "ms", "5초 이하", statistic_parts()),
    "stat sum": ({"statistic": {"channel": "power", "stat": "sum"}}, "kW", "1 ~ 2 MW", statistic_parts()),
    "p10": ({"event_duration": {"event": "e", "stat": "p10", "designed": True}}, "s", "> 2 s", DURATION_PART),
}  # fmt: skip


def kpi_of(measure: dict[str, Any], target: str, **row: Any) -> Kpi:
    return Kpi.model_validate({"name": "지표", "measure": measure, "target": target, **row})


def asked_of(kpi: Kpi, unit: str, *, days: int, month: bool) -> Asked:
    whole = date_window(FIRST, FIRST + timedelta(days=days), SEOUL)
    last = date_window(FIRST + timedelta(days=max(days - 30, 0)), FIRST + timedelta(days=days), SEOUL)
    return Asked(
        id="k", kpi=kpi, channel_unit=unit, alpha=0.05, zone=SEOUL, spans=spans(whole, last if month else None, SEOUL)
    )


def gathered_of(cut: Spans, draw: Callable[[], Any], slots: int) -> Gathered[Any]:
    return arranged([f"s{i}" for i in range(slots)], cut, [[draw() for _ in cut.all] for _ in range(slots)])


def sound(found: Measurement) -> None:
    for number in (found.value, found.low, found.high, found.fill_low, found.fill_high):
        assert number is None or not math.isnan(number)
    if found.value is not None and found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
    assert found.completeness is None or 0 <= found.completeness <= 1


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    kind=st.sampled_from(sorted(KINDS)),
    scope=st.sampled_from(["period", "capability"]),
    decision=st.sampled_from(["estimate", "confident"]),
    group=st.sampled_from(["pooled", "worst"]),
    days=st.sampled_from([1, 20, 90]),
    month=st.booleans(),
    slots=st.integers(1, 2),
)
def test_any_parts_give_a_result_that_json_can_hold(
    data: st.DataObject, kind: str, scope: str, decision: str, group: str, days: int, month: bool, slots: int
) -> None:
    measure, unit, target, part = KINDS[kind]
    asked = asked_of(kpi_of(measure, target, scope=scope, decision=decision, group=group), unit, days=days, month=month)
    gathered = gathered_of(asked.spans, lambda: data.draw(part), slots)
    sound(asked.measured(gathered.whole, gathered.weeks))
    entry = entry_of(asked, gathered)
    canonical_json(entry)  # refuses NaN and infinities
    assert entry["why"]["ko"] and entry["why"]["en"]
    assert (entry["value"] is None) == (entry["no_value"] is not None)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), days=st.sampled_from([1, 20, 90]), month=st.booleans(), slots=st.integers(1, 2))
def test_any_operating_time_gives_a_bound_or_a_reason(data: st.DataObject, days: int, month: bool, slots: int) -> None:
    asked = asked_of(kpi_of({"mtbf": {"event": "e"}}, ">= 2000 h"), "s", days=days, month=month)
    gathered = gathered_of(asked.spans, lambda: data.draw(COUNT_PART), slots)
    sound(asked.measured(gathered.whole))
    entry = entry_of(asked, gathered)
    canonical_json(entry)
    if entry["no_value"] == "no_failures":
        assert entry["interval"]["low"] > 0 and entry["interval"]["high"] is None


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 30_000)), max_size=30))
def test_missing_numbers_are_never_too_many(rows: list[tuple[int, int]]) -> None:
    events = [Event(start_us=at, number=number) for at, number in sorted(rows)]
    found = missing_numbers(events)
    assert len(found) <= 10_000 * max(len(events) - 1, 0)
    assert set(found) <= {event.at_us for event in events}


# --- Several promises at once


def entry(kpi: Kpi, unit: str, part: Any, *, month: bool = False) -> dict[str, Any]:
    asked = asked_of(kpi, unit, days=90, month=month)
    return entry_of(asked, arranged(["s"], asked.spans, [[part] * len(asked.spans.all)]))


ALL = Kpi.model_validate({
    "name": "안전",
    "all": [
        {"name": "충돌", "measure": {"event_rate": {"event": "e", "per": "1 d"}}, "target": "<= 1 건/d"},
        {"name": "인명사고", "measure": {"count": {"event": "e", "where": {"injured": "> 0"}}}, "target": "== 0"},
    ],
})  # fmt: skip


@pytest.mark.parametrize(
    ("collisions", "injured", "unclear", "answers", "part"),
    [
        (10, 0, 0, ["met", "met"], 0),
        (10, 1, 0, ["met", "not_met"], 1),
        (200, 0, 0, ["not_met", "met"], 0),
        (200, 1, 0, ["not_met", "not_met"], 0),
        (10, 0, 1, ["met", "inconclusive"], 1),
        (200, 0, 1, ["not_met", "inconclusive"], 0),
    ],
)
def test_all_must_hold_and_the_least_favourable_decides(
    collisions: int, injured: int, unclear: int, answers: list[str], part: int
) -> None:
    units = ["건/d", "건"]
    parts = [counted(collisions, days=90), counted(injured, unclear, days=90)]
    entries = [entry(*row) for row in zip(ALL.parts, units, parts, strict=True)]
    assert [one["verdict"] for one in entries] == answers
    found = compound(ALL, entries)
    canonical_json(found)
    assert (found["part"], found["verdict"], found["name"]) == (part, answers[part], "안전")
    assert (found["value"], found["unit"]) == (entries[part]["value"], entries[part]["unit"])
    assert [one["name"] for one in found["parts"]] == ["충돌", "인명사고"]
    assert part_of(found, 1)["value"] == entries[1]["value"]
    assert found["why"]["ko"].startswith("조건 2개를 모두 충족해야") and "① " in found["why"]["ko"]
    assert entries[part]["why"]["en"].split(" ")[-1] in found["why"]["en"]


def test_a_part_that_misses_is_taken_with_more_care() -> None:
    """Of m parts each may miss by chance: *not met* takes 5 %/m, *met* 5 %."""
    kpi = kpi_of({"event_rate": {"event": "e", "per": "1 d", "independent": True}}, "<= 1 건/d", scope="capability")
    part = next(counted(n, days=90) for n in range(90, 200) if poisson_mean(n, 0.05)[0] > 90)
    alone = asked_of(kpi, "건/d", days=90, month=False)
    parts = arranged(["s"], alone.spans, [[part] * len(alone.spans.all)])
    assert entry_of(alone, parts)["verdict"] == "not_met"
    assert entry_of(replace(alone, promises=3), parts)["verdict"] == "inconclusive"


def test_every_kind_is_measured_over_nothing() -> None:
    for measure, unit, target, _ in KINDS.values():
        found = measured(kpi_of(measure, target), unit, [])
        assert found.value is None and found.completeness is None
        sound(found)
    sound(increase.measure([], unit="km"))
