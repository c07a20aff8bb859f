"""Worked numbers from outside that touch measures: published, or recomputed from their definition."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from core.window import Window, instant
from devices.plan.target import parse_bounds
from kpi.charges import PlatformRecord
from kpi.decision import Chance, Ends, Evidence, Terms, verdict
from kpi.intervals import clopper_pearson, poisson_mean, wilson
from kpi.measures import availability, integral, statistic
from kpi.measures.availability import AvailabilityPart
from kpi.measures.integral import IntegralPart
from kpi.measures.statistic import StatisticPart, moments
from kpi.quantity import converted
from telemetry.statistics import Neighbour, Pieces, Rules, Statistics, concatenated, merged, piece_of

S = 1_000_000
HOUR = 3600 * S
DAY = 24 * HOUR
START = 1_750_000_000 * S // HOUR * HOUR

_LEW = """
-213 -564 -35 -15 141 115 -420 -360 203 -338 -431 194 -220 -513 154 -125 -559 92 -21 -579 -52 99 -543 -175 162 -457
-346 204 -300 -474 164 -107 -572 -8 83 -541 -224 180 -420 -374 201 -236 -531 83 27 -564 -112 131 -507 -254 199 -311
-495 143 -46 -579 -90 136 -472 -338 202 -287 -477 169 -124 -568 17 48 -568 -135 162 -430 -422 172 -74 -577 -13 92
-534 -243 194 -355 -465 156 -81 -578 -64 139 -449 -384 193 -198 -538 110 -44 -577 -6 66 -552 -164 161 -460 -344 205
-281 -504 134 -28 -576 -118 156 -437 -381 200 -220 -540 83 11 -568 -160 172 -414 -408 188 -125 -572 -32 139 -492
-321 205 -262 -504 142 -83 -574 0 48 -571 -106 137 -501 -266 190 -391 -406 194 -186 -553 83 -13 -577 -49 103 -515
-280 201 300 -506 131 -45 -578 -80 138 -462 -361 201 -211 -554 32 74 -533 -235 187 -372 -442 182 -147 -566 25 68
-535 -244 194 -351 -463 174 -125 -570 15 72 -550 -190 172 -424 -385 198 -218 -536 96
"""
"""NIST StRD, univariate, *Lew*: the deflection of a steel-concrete beam."""

LEW = list(map(float, _LEW.split()))
NUMACC3 = [1000000.2] + [1000000.1, 1000000.3] * 500


def hourly(values: list[float]) -> tuple[NDArray[np.int64], NDArray[np.float64], Window]:
    at_us = START + np.arange(len(values), dtype=np.int64) * HOUR
    return at_us, np.array(values), Window(start=instant(START), end=instant(int(at_us[-1]) + HOUR))


def measured(values: list[float], stat: str, *, split: int) -> tuple[float, Statistics]:
    """The statistic of readings that were summarised in pieces and brought together."""
    at_us, found, window = hourly(values)
    rules = Rules(period_s=3600, hold_us=3 * HOUR, steps=False)
    pieces = [piece_of(at_us[i : i + split], found[i : i + split], rules) for i in range(0, len(values), split)]
    whole = merged(concatenated(pieces), window, rules)
    part = StatisticPart(moments=moments([whole]), required_s=window.seconds, obtained=1, expected=1)
    value = statistic.measure([part], stat=stat, unit="1").value
    assert value is not None
    return value, whole


def lag_1(values: list[float], found: Statistics) -> float:
    """The autocorrelation at lag 1, by the mean and the sum of squares that were found."""
    rest = np.array(values) - found.mean
    return math.fsum(rest[:-1] * rest[1:]) / found.m2


@pytest.mark.parametrize("split", [1, 24, 200])
def test_oracle_1_lew_of_nist(split: int) -> None:
    mean, found = measured(LEW, "mean", split=split)
    assert len(LEW) == found.n == 200
    assert mean == pytest.approx(-177.435, rel=1e-14)
    assert measured(LEW, "std", split=split)[0] == pytest.approx(277.332168044316, rel=1e-14)
    assert lag_1(LEW, found) == pytest.approx(-0.307304800605679, rel=1e-13)


@pytest.mark.parametrize("split", [1, 24, 1001])
def test_oracle_2_numacc3_of_nist(split: int) -> None:
    """A naive sum of squares fails it; the readings themselves hold eleven digits of the deviation."""
    deviation, found = measured(NUMACC3, "std", split=split)
    assert found.n == 1001
    assert deviation == pytest.approx(0.1, rel=1e-9)
    assert lag_1(NUMACC3, found) == pytest.approx(-0.999, rel=1e-9)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_oracle_3_wilson_of_newcombe(successes: int, trials: int, low: float, high: float) -> None:
    assert [round(end, 4) for end in wilson(successes, trials, 0.025)] == [low, high]


@pytest.mark.parametrize(("target", "trials"), [(0.90, 29), (0.95, 59), (0.99, 299), (0.999, 2995)])
def test_oracle_4_the_smallest_faultless_sample(target: float, trials: int) -> None:
    assert clopper_pearson(trials, trials, 0.05)[0] >= target > clopper_pearson(trials - 1, trials - 1, 0.05)[0]


@pytest.mark.parametrize(
    ("target", "successes", "trials"),
    [
        (90, 29, 29),
        (95, 59, 59), (95, 99, 100), (95, 484, 500), (95, 962, 1000),
        (99, 299, 299), (99, 499, 500), (99, 996, 1000), (99.9, 2995, 2995),
    ],
)  # fmt: skip
def test_oracle_4_the_least_that_is_met_with_confidence(target: float, successes: int, trials: int) -> None:
    """Down to the verdict: this many are *met*; one success less, or one faultless trial less, leaves it open."""
    terms = Terms(target=parse_bounds(f">= {target} %"), scope="capability", rule="confident", completeness=0.75)

    def judged(right: int, of: int) -> str:
        low, high = (100 * end for end in clopper_pearson(right, of, 0.05))
        value = 100 * right / of
        chance = Chance(below=value - low, above=high - value, below_missed=value - low, above_missed=high - value)
        ends = Ends(low=value, high=value)
        return verdict(
            Evidence(value=value, gaps=ends, filled=None, chance=chance, completeness=1.0), terms
        ).answer.value

    assert judged(successes, trials) == "met"
    assert judged(successes - 1, trials - 1 if successes == trials else trials) == "inconclusive"
    theirs = proportion_confint(successes, trials, alpha=0.1, method="beta")  # two-sided, so at twice 5 %
    assert clopper_pearson(successes, trials, 0.05) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("hours", [100.0, 599.2, 6000.0])
def test_without_failures_the_bound_is_hours_by_2_996(hours: float) -> None:
    assert hours / poisson_mean(0, 0.05)[1] == pytest.approx(hours / 2.996, rel=1e-4)
    assert 2 * hours / stats.chi2.ppf(0.95, 2) == pytest.approx(hours / poisson_mean(0, 0.05)[1], rel=1e-12)


ALWAYS = PlatformRecord(alive=((0, 100 * DAY),), since_us=0, until_us=100 * DAY)


def test_oracle_10_a_week_at_99_95_percent_leaves_302_4_seconds() -> None:
    down_us = 302_400_000
    states = availability.states(((0, 7 * DAY),), ((0, 7 * DAY - down_us),), [], ALWAYS)
    assert availability.measure([AvailabilityPart(states=states, n=0)]).value == 99.95


def test_oracle_10_two_weeks_at_95_percent_in_one_minute_slices_leave_16_h_48_min() -> None:
    minute = 60 * S
    down = set(range(0, 14 * 1440, 20))
    assert len(down) == 16 * 60 + 48
    standing = tuple((i * minute, (i + 1) * minute) for i in range(14 * 1440) if i not in down)
    states = availability.states(((0, 14 * DAY),), standing, [], ALWAYS)
    assert availability.measure([AvailabilityPart(states=states, n=0)]).value == 95.0


@settings(deadline=None, max_examples=80)
@given(
    data=st.data(),
    rows=st.lists(
        st.tuples(st.integers(1, 400), st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=60
    ),
    steps=st.booleans(),
)  # fmt: skip
def test_oracle_11_any_split_merged_in_any_order_is_the_whole(
    data: st.DataObject, rows: list[tuple[int, float]], steps: bool
) -> None:
    at_us = START + np.cumsum([gap for gap, _ in rows]).astype(np.int64) * 7 * S
    value = np.array([one for _, one in rows])
    rules = Rules(period_s=60, hold_us=180 * S, steps=steps)
    cuts = sorted({0, len(rows), *data.draw(st.lists(st.integers(0, len(rows)), max_size=8))})
    pieces = [piece_of(at_us[a:b], value[a:b], rules) for a, b in pairwise(cuts)]
    shuffled: list[Pieces] = data.draw(st.permutations(pieces))
    lead = data.draw(st.integers(0, 300))
    window = Window(start=instant(int(at_us[0]) - lead * S), end=instant(int(at_us[-1]) + 1 + lead * S))
    before = Neighbour(us=int(at_us[0]) - (lead + 5) * S, value=3.0)
    after = Neighbour(us=int(at_us[-1]) + (lead + 5) * S, value=-2.0)
    one = merged(piece_of(at_us, value, rules), window, rules, before=before, after=after)
    other = merged(concatenated(list(shuffled)), window, rules, before=before, after=after)
    scale = max(1.0, float(np.abs(value).max()))
    assert other.mean == pytest.approx(one.mean, rel=1e-12, abs=1e-12 * scale)
    assert other.m2 == pytest.approx(one.m2, rel=1e-12, abs=1e-12 * scale**2 * len(rows))
    assert (other.min, other.max, other.n, other.missing) == (one.min, one.max, one.n, one.missing)
    assert other.integral == pytest.approx(one.integral, rel=1e-12, abs=1e-12 * scale * window.seconds)
    assert other.covered_s == pytest.approx(one.covered_s, rel=1e-12)


@pytest.mark.parametrize("period_s", [1, 7, 60, 600, 3600, 7200])
@pytest.mark.parametrize("unit", ["kW", "W"])
def test_oracle_12_a_kilowatt_held_for_a_day_is_24_kilowatt_hours(period_s: int, unit: str) -> None:
    rng = np.random.default_rng(period_s)
    at_us = np.arange(START, START + DAY + 1, period_s * S, dtype=np.int64)
    if at_us[-1] < START + DAY:
        at_us = np.append(at_us, START + DAY)
    # Missing here and there, but never two in a row: no gap beyond what a reading stands.
    lost = (rng.random(len(at_us)) < 0.3) & (np.arange(len(at_us)) % 2 == 1)
    lost[[0, -1]] = False
    at_us = at_us[~lost]
    held = np.full(len(at_us), converted(1.0, "kW", unit))
    rules = Rules(period_s=period_s, hold_us=3 * period_s * S, steps=False)
    hours = at_us // HOUR
    pieces = [piece_of(at_us[hours == hour], held[hours == hour], rules) for hour in np.unique(hours)]
    window = Window(start=instant(START), end=instant(START + DAY))
    inside = [piece for piece in pieces if piece.first_us[0] < START + DAY]
    edge = Neighbour(us=START + DAY, value=float(held[0]))
    read = merged(concatenated(inside), window, rules, after=edge)
    part = IntegralPart(
        integral=read.integral, covered_s=read.covered_s, required_s=86_400, n=read.n, obtained=1, expected=1
    )
    found = integral.measure([part], unit=f"({unit})*s")
    assert found.value is not None
    assert converted(found.value, found.unit, "kWh") == pytest.approx(24, rel=1e-12)
    assert part.missing_s == pytest.approx(0, abs=1e-6)


def test_the_start_is_a_whole_hour() -> None:
    found: Any = datetime.fromtimestamp(START / S, UTC)
    assert (found.minute, found.second) == (0, 0)
