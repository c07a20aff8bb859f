"""The measures of agreement, against certified numbers and other people's code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from devices.plan.agreement_measures import Agreement
from devices.plan.target import parse_bounds
from kpi.inputs.nearest import nearest
from kpi.measurement import Measurement
from kpi.measures import agreement
from kpi.measures.pairs import made_part

# NIST StRD, linear regression, Norris: https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml (y, x)
NORRIS = (
    (0.1, 0.2), (338.8, 337.4), (118.1, 118.2), (888.0, 884.6), (9.2, 10.1), (228.1, 226.5), (668.5, 666.3), (998.5, 996.3),
    (449.1, 448.6), (778.9, 777.0), (559.2, 558.2), (0.3, 0.4), (0.1, 0.6), (778.1, 775.5), (668.8, 666.9), (339.3, 338.0),
    (448.9, 447.5), (10.8, 11.6), (557.7, 556.0), (228.3, 228.1), (998.0, 995.8), (888.8, 887.6), (119.6, 120.2), (0.3, 0.3),
    (0.6, 0.3), (557.6, 556.8), (339.3, 339.1), (888.0, 887.2), (998.5, 999.0), (778.9, 779.0), (10.2, 11.1), (117.6, 118.3),
    (228.9, 229.2), (668.4, 669.1), (449.2, 448.9), (0.2, 0.5),
)  # fmt: skip


def by(stat: str, **more: Any) -> Agreement:
    return Agreement.model_validate(
        {"channel": "x", "reference": {"slot": "r", "channel": "x"}, "average": "1 h", "stat": stat, **more}
    )


def measured(stat: str, x: Any, r: Any, target: str | None = None, **more: Any) -> Measurement:
    bounds = None if target is None else parse_bounds(target)
    return agreement.measure([made_part(list(x), list(r))], of=by(stat, **more), unit="W", target=bounds)


def test_the_line_is_nists_certified_one() -> None:
    y, x = (list(column) for column in zip(*NORRIS, strict=True))
    found = measured("r2", y, x)
    assert found.value == pytest.approx(0.999993745883712, rel=1e-12)
    assert found.beside["slope"] == pytest.approx(1.00211681802045, rel=1e-12)
    assert found.beside["intercept"] == pytest.approx(-0.262323073774029, rel=1e-10)


@pytest.mark.parametrize("stat", ["mape", "mae", "rmse", "bias", "p95", "r2"])
@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(1, 900), st.integers(-50, 50)), min_size=3, max_size=60))
def test_every_statistic_is_what_numpy_makes_of_it(stat: str, pairs: list[tuple[int, int]]) -> None:
    r = np.array([value / 4 for value, _ in pairs])
    x = r + np.array([off / 8 for _, off in pairs])
    found = measured(stat, x, r).value
    if stat == "r2":
        if np.ptp(r) == 0 or np.ptp(x) == 0:
            assert found is None
            return
        rho = stats.pearsonr(x, r).statistic
        assert found == pytest.approx(max(rho, 0) ** 2, abs=1e-9)
        return
    expected = {
        "mape": 100 * np.mean(np.abs(x - r) / r),
        "mae": np.mean(np.abs(x - r)),
        "rmse": math.sqrt(np.mean((x - r) ** 2)),
        "bias": np.mean(x - r),
        "p95": np.percentile(np.abs(x - r), 95),
    }[stat]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_what_falls_as_the_reference_rises_does_not_agree() -> None:
    assert measured("r2", [3, 2, 1], [1, 2, 3]).value == 0


def test_staged_trials_have_the_intervals_of_their_kind() -> None:
    rng = np.random.default_rng(4)
    r = rng.normal(90, 3, 40)
    x = r + rng.normal(0.5, 1, 40)
    off = x - r
    bias = measured("bias", x, r, designed=True)
    assert bias.own is not None
    told = bias.own.interval(bias.value or 0.0, 0.05, window_s=0)
    expected = stats.ttest_1samp(off, 0).confidence_interval(0.90)
    assert told is not None and (told.low, told.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    r2 = measured("r2", x, r, designed=True)
    assert r2.own is not None and r2.value is not None
    told = r2.own.interval(r2.value, 0.05, window_s=0)
    ends = stats.pearsonr(r, x).confidence_interval(0.90)
    assert told is not None and (told.low, told.high) == pytest.approx((ends.low**2, ends.high**2), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    reference=st.lists(st.integers(0, 400), unique=True, max_size=40).map(sorted),
    channel=st.lists(st.integers(0, 400), unique=True, max_size=40).map(sorted),
    within=st.integers(1, 20),
)
def test_pairs_are_one_to_one_near_and_the_same_in_reverse(
    reference: list[int], channel: list[int], within: int
) -> None:
    ours, theirs = np.array(channel, dtype=np.int64), np.array(reference, dtype=np.int64)
    found = nearest(theirs, ours, within)
    assert len(set(found.reference.tolist())) == len(found.reference) == len(set(found.channel.tolist()))
    assert (np.abs(theirs[found.reference] - ours[found.channel]) <= within).all()
    # No reading left over has one left over that is nearer to it than to anything else.
    for i in set(range(len(theirs))) - set(found.reference.tolist()):
        for j in set(range(len(ours))) - set(found.channel.tolist()):
            gap = abs(int(theirs[i]) - int(ours[j]))
            nearer = (np.abs(theirs - ours[j]) < gap).any() or (np.abs(ours - theirs[i]) < gap).any()
            tied = (np.abs(theirs - ours[j]) == gap).sum() > 1 or (np.abs(ours - theirs[i]) == gap).sum() > 1
            assert gap > within or nearer or tied
