"""The measures on hand-made records, against what is worked out apart from them."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.window import Window, instant
from devices.plan.target import parse_bounds
from kpi.charges import PlatformRecord
from kpi.measures import availability, capture, event_ratio, share, statistic
from kpi.measures.attributes import holds
from kpi.measures.availability import AvailabilityPart, LinkChange, States
from kpi.measures.capture import CapturePart
from kpi.measures.event_ratio import EventPart, Happening, Outcome, Rules
from kpi.measures.share import SharePart
from kpi.measures.statistic import Moments, StatisticPart
from kpi.stretches import joined, total_us, union
from telemetry.statistics import Rules as ReadRules
from telemetry.statistics import merged, piece_of

S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
WEEK = 7 * DAY


# --- Share


def part(**changes: int) -> SharePart:
    usual: dict[str, Any] = {
        "true_us": 0, "covered_us": 0, "company_us": 0, "platform_us": 0, "nobody_us": 0, "n": 1,
        "obtained": 1.0, "expected": 1.0,
    }  # fmt: skip
    return SharePart(**(usual | changes))


def test_silence_charged_to_the_company_is_not_fulfilled() -> None:
    found = share.measure([part(true_us=90, covered_us=90, company_us=10)])
    assert (found.value, found.low, found.high) == (90.0, 90.0, 90.0)


def test_platform_outages_are_left_out_of_the_required_time() -> None:
    assert share.measure([part(true_us=90, covered_us=95, platform_us=5)]).value == 100 * 90 / 95


def test_silence_charged_to_nobody_gives_both_bounds() -> None:
    found = share.measure([part(true_us=72 * S, covered_us=80 * S, nobody_us=20 * S)])
    assert (found.value, found.low, found.high) == (90.0, 72.0, 92.0)


def test_a_pooled_share_weighs_by_time_and_not_by_readings() -> None:
    good = part(true_us=100, covered_us=100, n=1_000_000)
    bad = part(true_us=0, covered_us=100, n=10)
    assert share.measure([good, bad]).value == 50.0


@pytest.mark.parametrize("found", [share.measure([part()]), share.measure([]), share.measure([part(platform_us=5)])])
def test_no_known_time_is_no_share(found: Any) -> None:
    assert found.value is None


def test_only_unknown_time_is_no_share_but_has_bounds() -> None:
    found = share.measure([part(nobody_us=10 * S)])
    assert (found.value, found.low, found.high) == (None, 0.0, 100.0)


# --- Capture


def test_capture_pools_by_what_is_expected() -> None:
    fast = CapturePart(missing=0, expected=9_000, unattributed=0, n=9_000)
    slow = CapturePart(missing=1_000, expected=1_000, unattributed=0, n=0)
    assert capture.measure([fast, slow]).value == 90.0


def test_capture_without_a_platform_record_has_both_bounds() -> None:
    found = capture.measure([CapturePart(missing=242, expected=720, unattributed=242, n=478)])
    assert (found.value, found.low, found.high) == (100 * 478 / 720, 100 * 478 / 720, 100.0)
    assert found.completeness == pytest.approx(478 / 720)


def test_nothing_expected_is_no_capture() -> None:
    assert capture.measure([CapturePart(missing=0, expected=0, unattributed=0, n=0)]).value is None


# --- Availability

ALWAYS = PlatformRecord(alive=((0, 10 * WEEK),), since_us=0, until_us=10 * WEEK)
NO_RECORD = PlatformRecord(alive=(), since_us=None, until_us=10 * WEEK)


def one(states: States) -> Any:
    return availability.measure([AvailabilityPart(states=states, n=0)])


def test_a_week_at_99_95_percent_leaves_302_seconds_of_down_time() -> None:
    states = availability.states(((0, WEEK),), ((0, WEEK - 302_400_000),), [], ALWAYS)
    assert total_us(states.down) == 302_400_000
    assert one(states).value == 99.95


def test_two_weeks_at_95_percent_in_minute_slices() -> None:
    """16 h 48 min of down time, spread over single minutes."""
    minutes = 14 * 1440
    down = {int(i) for i in np.linspace(0, minutes - 1, 1008).round()}
    assert len(down) == 16 * 60 + 48
    standing = tuple((i * 60 * S, (i + 1) * 60 * S) for i in range(minutes) if i not in down)
    states = availability.states(((0, 2 * WEEK),), standing, [], ALWAYS)
    assert one(states).value == 95.0


def test_down_from_a_will_until_the_next_reading() -> None:
    link = [LinkChange(at_us=0, online=True), LinkChange(at_us=50, online=False, next_reading_us=70)]
    states = availability.states(((0, 100),), ((0, 55), (70, 90)), link, ALWAYS)
    assert states.up == ((0, 50), (70, 90))
    assert states.down == ((50, 70), (90, 100))


def test_a_proven_link_is_up_without_readings() -> None:
    link = [LinkChange(at_us=10, online=True), LinkChange(at_us=60, online=False), LinkChange(at_us=80, online=True)]
    states = availability.states(((0, 100),), (), link, ALWAYS)
    assert states.up == ((10, 60), (80, 100))
    assert states.down == ((0, 10), (60, 80))


def test_a_second_will_prolongs_the_first() -> None:
    link = [LinkChange(at_us=10, online=False), LinkChange(at_us=20, online=False, next_reading_us=40)]
    states = availability.states(((0, 50),), ((0, 15), (40, 50)), link, NO_RECORD)
    assert states.down == ((10, 40),)


def test_the_unknown_is_charged() -> None:
    record = PlatformRecord(alive=((20 * S, 40 * S), (60 * S, 100 * S)), since_us=20 * S, until_us=100 * S)
    states = availability.states(((0, 100 * S),), ((70 * S, 100 * S),), [], record)
    assert (states.unknown, states.left_out) == (((0, 20 * S),), ((40 * S, 60 * S),))
    assert states.down == ((20 * S, 40 * S), (60 * S, 70 * S))
    found = one(states)
    assert found.value == 100 * 30 / 60
    assert (found.low, found.high) == (100 * 30 / 80, 100 * 50 / 80)
    assert found.completeness == 60 / 80


def test_less_than_a_second_charged_to_nobody_is_no_silence() -> None:
    states = States(up=((0, 90 * S),), down=((90 * S, 100 * S),), left_out=(), unknown=((100 * S, 101 * S - 1),))
    found = one(states)
    assert (found.value, found.low, found.high, found.completeness) == (90.0, 90.0, 90.0, 1.0)
    found = share.measure([part(true_us=9 * S, covered_us=10 * S, nobody_us=S - 1)])
    assert (found.value, found.low, found.high) == (90.0, 90.0, 90.0)


def test_while_the_platform_was_down_an_online_from_before_proves_nothing() -> None:
    record = PlatformRecord(alive=((0, 40), (60, 100)), since_us=0, until_us=100)
    states = availability.states(((0, 100),), (), [LinkChange(at_us=0, online=True)], record)
    assert states.left_out == ((40, 60),)
    assert states.up == ((0, 40), (60, 100))


def test_readings_kept_through_a_platform_outage_count_as_up() -> None:
    record = PlatformRecord(alive=((0, 40), (60, 100)), since_us=0, until_us=100)
    assert one(availability.states(((0, 100),), ((0, 100),), [], record)).value == 100.0


def test_a_swap_counts_as_down_even_without_a_record() -> None:
    states = availability.states(((0, 100),), ((0, 40), (60, 100)), [], NO_RECORD, not_installed=((40, 60),))
    assert states.down == ((40, 60),)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5),
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=5, unique_by=lambda change: change[0]),
    st.one_of(st.none(), st.integers(0, 40)),
)
def test_the_four_states_are_the_required_time(
    standing: list[tuple[int, int]], link: list[tuple[int, bool]], since: int | None
) -> None:
    record = PlatformRecord(alive=() if since is None else ((since, 40),), since_us=since, until_us=40)
    changes = [LinkChange(at_us=at, online=online) for at, online in sorted(link)]
    states = availability.states(((0, 40),), joined(standing), changes, record)
    assert union(states.up, states.down, states.left_out, states.unknown) == ((0, 40),)
    assert sum(map(total_us, (states.up, states.down, states.left_out, states.unknown))) == 40


# --- Events


def happened(number: int | None, phase: str, at_us: int, name: str | None = None, **attributes: Any) -> Happening:
    return Happening(id=name or f"m{number}", phase=phase, number=number, at_us=at_us, attributes=attributes)


RULES = Rules(numbered=True, phased=True, where={}, success={"result": "done"})


def missions(numbers: list[int], result: str = "done") -> list[Happening]:
    found = []
    for number in numbers:
        found += [
            happened(number, "start", number * HOUR),
            happened(number, "end", number * HOUR + 60 * S, result=result),
        ]
    return found


def test_losing_the_quarter_that_failed_does_not_show_100_percent() -> None:
    numbers = [n for n in range(1, 101) if n % 4 or n == 100]
    found = event_ratio.outcomes(missions(numbers), RULES, until_us=200 * HOUR)
    assert (sum(o.success for o in found), len(found)) == (76, 100)
    unnumbered = Rules(numbered=False, phased=True, where={}, success={"result": "done"})
    blind = event_ratio.outcomes(missions(numbers), unnumbered, until_us=200 * HOUR)
    assert all(o.success for o in blind)


def test_a_mission_that_never_ends_fails_a_day_later() -> None:
    log = [*missions([1]), happened(2, "start", 2 * HOUR)]
    assert [o.kind for o in event_ratio.outcomes(log, RULES, until_us=2 * HOUR + DAY - 1)] == ["closed"]
    assert [o.kind for o in event_ratio.outcomes(log, RULES, until_us=2 * HOUR + DAY)] == ["closed", "never_closed"]


def test_an_end_whose_start_was_lost_still_counts() -> None:
    log = [happened(1, "end", HOUR, result="done")]
    assert [o.success for o in event_ratio.outcomes(log, RULES, until_us=DAY)] == [True]


def test_the_end_overrules_the_start() -> None:
    log = [happened(1, "start", 0, result="planned"), happened(1, "end", 1, result="done")]
    assert event_ratio.outcomes(log, RULES, until_us=DAY)[0].success


def test_numbers_out_of_order_are_not_missing() -> None:
    log = [
        Happening(id=f"m{n}", phase="", number=n, at_us=at, attributes={"result": "done"})
        for at, n in enumerate([1, 3, 2, 5, 4, 6])
    ]
    rules = Rules(numbered=True, phased=False, where={}, success={"result": "done"})
    assert len(event_ratio.outcomes(log, rules, until_us=DAY)) == 6


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([1, 2, 3, 1, 2, 3], 0),  # a reset
        ([40, 41, 42, 1, 2], 0),  # a reset to a number not seen before
        ([7, 8, 10], 1),
        ([1, 2, 2, 3], 0),  # one number twice
        ([1, 2, 9_000_000_000], 0),  # a counter set anew, not nine billion failures
        ([5], 0),
        ([], 0),
    ],
)
def test_missing_numbers(numbers: list[int], missing: int) -> None:
    log = [happened(n, "", at, name=f"e{at}", result="done") for at, n in enumerate(numbers)]
    rules = Rules(numbered=True, phased=False, where={}, success={"result": "done"})
    found = event_ratio.outcomes(log, rules, until_us=DAY)
    assert sum(o.kind == "missing_number" for o in found) == missing


def test_where_leaves_out_what_is_known_to_be_something_else() -> None:
    rules = Rules(numbered=False, phased=False, where={"type": "delivery"}, success={"result": "done"})
    log = [
        happened(1, "", 1, type="delivery", result="done"),
        happened(2, "", 2, type="test", result="failed"),
        happened(3, "", 3, result="failed"),
    ]
    assert [o.success for o in event_ratio.outcomes(log, rules, until_us=DAY)] == [True, False]


@pytest.mark.parametrize(
    ("conditions", "attributes", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": True}, {"a": True}, True),
        ({"a": "== 0"}, {"a": 0}, True),
        ({"a": "> 0"}, {"a": 0}, False),
        ({"a": "<= 0.3 mm"}, {"a": 0.2}, True),
        ({"a": "1..3"}, {"a": 3}, True),
        ({"a": "> 0"}, {"a": "many"}, False),
        ({"a": ["x", "> 5"]}, {"a": 6}, True),
        ({"a": ["x", "> 5"]}, {"a": "x"}, True),
        ({"a": "x", "b": 1}, {"a": "y"}, False),
        ({"a": "x", "b": 1}, {"a": "x"}, None),
        ({"a": "x"}, {"a": None}, None),
        ({"a": "x"}, {"a": {"deep": 1}}, False),
        ({}, {}, True),
    ],
)
def test_conditions_on_attributes(
    conditions: dict[str, Any], attributes: dict[str, Any], expected: bool | None
) -> None:
    assert holds(conditions, attributes) is expected


def test_no_events_is_no_ratio() -> None:
    found = event_ratio.measure([EventPart(outcomes=(), connected_us=1, required_us=2, numbered=True)])
    assert (found.value, found.n, found.completeness) == (None, 0, 0.5)


def test_the_days_of_two_slots_are_clusters_of_their_own() -> None:
    day = date(2026, 3, 1)
    outcomes = tuple((day, Outcome(at_us=i, success=True)) for i in range(3))
    slot = EventPart(outcomes=outcomes, connected_us=1, required_us=1, numbered=True)
    found = event_ratio.measure([slot, slot])
    assert found.trials is not None
    assert found.trials.days == ((3, 3), (3, 3))


# --- Statistics


def readings(values: NDArray[np.float64], required_s: float = 3600.0, **changes: Any) -> StatisticPart:
    n = len(values)
    found = Moments(
        n=n,
        mean=float(values.mean()) if n else 0.0,
        m2=float(((values - values.mean()) ** 2).sum()) if n else 0.0,
        min=float(values.min()) if n else 0.0,
        max=float(values.max()) if n else 0.0,
        last_us=n,
        last=float(values[-1]) if n else 0.0,
    )
    usual = {"obtained": float(n), "expected": float(n)}
    return StatisticPart(moments=found, required_s=required_s, values=values, **(usual | changes))


RNG = np.random.default_rng(11)
SERIES = RNG.gamma(2.0, 10.0, 997)


@pytest.mark.parametrize("stat", ["mean", "min", "max", "sum", "last", "std", "p1", "p50", "p95", "p99.9"])
def test_one_slot_is_numpy(stat: str) -> None:
    expected = {
        "mean": SERIES.mean(), "min": SERIES.min(), "max": SERIES.max(), "sum": SERIES.sum(), "last": SERIES[-1],
        "std": SERIES.std(ddof=1), "p1": np.percentile(SERIES, 1), "p50": np.median(SERIES),
        "p95": np.percentile(SERIES, 95), "p99.9": np.percentile(SERIES, 99.9),
    }[stat]  # fmt: skip
    assert statistic.measure([readings(SERIES)], stat=stat, unit="s").value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("stat", ["mean", "std", "p50", "p95"])
def test_equal_slots_are_as_one(stat: str) -> None:
    """With as many readings in each, the mixture is that of all readings."""
    halves = [readings(SERIES[:498]), readings(SERIES[498:996])]
    whole = statistic.measure([readings(SERIES[:996])], stat=stat, unit="s").value
    assert statistic.measure(halves, stat=stat, unit="s").value == pytest.approx(whole, rel=1e-12)


def test_a_slot_that_samples_faster_does_not_win() -> None:
    fast, slow = readings(np.full(1000, 30.0)), readings(np.full(10, 20.0))
    assert statistic.measure([fast, slow], stat="mean", unit="degC").value == 25.0
    median = statistic.measure([fast, slow], stat="p50", unit="degC").value
    assert median is not None and 20 <= median <= 30


@pytest.mark.parametrize("stat", ["mean", "min", "max", "sum", "last", "std", "p95"])
def test_no_reading_is_no_statistic(stat: str) -> None:
    found = statistic.measure(
        [readings(np.array([]), expected=10.0)], stat=stat, unit="s", target=parse_bounds("<= 5 s")
    )
    assert (found.value, found.n, found.completeness) == (None, 0, 0.0)


def test_one_reading_has_no_deviation() -> None:
    assert statistic.measure([readings(np.array([3.0]))], stat="std", unit="s").value is None
    assert statistic.measure([readings(np.array([3.0]))], stat="p95", unit="s").value == 3.0


def test_what_is_beyond_a_float_is_no_value() -> None:
    found = Moments(n=2, mean=1e308, m2=0.0, min=1e308, max=1e308, last_us=0, last=1e308)
    huge = StatisticPart(moments=found, required_s=1.0, obtained=2, expected=2)
    assert statistic.measure([huge], stat="sum", unit="s").value is None


def test_a_filled_mean_lies_between_what_is_physically_possible() -> None:
    there = readings(np.full(70, 22.0), expected=100.0, physical=(-40.0, 60.0))
    found = statistic.measure([there], stat="mean", unit="degC")
    assert found.fill_low == pytest.approx((70 * 22 - 30 * 40) / 100)
    assert found.fill_high == pytest.approx((70 * 22 + 30 * 60) / 100)
    unbounded = statistic.measure([readings(np.full(70, 22.0), expected=100.0)], stat="mean", unit="degC")
    assert unbounded.fill_low is None


def test_weekly_means_average_to_the_mean() -> None:
    weeks = [(float(i), [readings(part)]) for i, part in enumerate(np.array_split(SERIES, 9))]
    found = statistic.measure([readings(SERIES)], weeks, stat="mean", unit="s")
    mean = sum(b.weight * b.value for b in found.blocks) / sum(b.weight for b in found.blocks)
    assert found.value == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(
    ("stat", "target", "needed", "share_held"),
    [("p95", "<= 40 s", 0.95, (SERIES <= 40).mean()), ("p10", ">= 5 s", 0.90, (SERIES >= 5).mean())],
)
def test_a_percentile_is_a_promise_about_a_share(stat: str, target: str, needed: float, share_held: float) -> None:
    found = statistic.measure([readings(SERIES)], stat=stat, unit="s", target=parse_bounds(target))
    assert found.as_share is not None
    assert found.as_share.share == pytest.approx(share_held)
    assert found.as_share.at_least == pytest.approx(needed)


def test_moments_of_stretches_are_those_of_the_whole() -> None:
    rules = ReadRules(period_s=1.0, hold_us=3 * S, steps=False)
    at_us = np.arange(len(SERIES), dtype=np.int64) * S
    cuts = [0, 100, 101, 500, len(SERIES)]
    stretches = []
    for start, end in pairwise(cuts):
        window = Window(start=instant(start * S), end=instant(end * S))
        stretches.append(merged(piece_of(at_us[start:end], SERIES[start:end], rules), window, rules))
    found = statistic.moments(stretches)
    assert found.n == len(SERIES)
    assert found.mean == pytest.approx(SERIES.mean(), rel=1e-13)
    assert math.sqrt(found.m2 / (found.n - 1)) == pytest.approx(SERIES.std(ddof=1), rel=1e-12)
    assert found.last == SERIES[-1]
