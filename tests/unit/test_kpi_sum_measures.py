"""Counters and integrals, from hand-made parts."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.inputs.gather_sums import went
from kpi.measures import integral
from kpi.measures.increase import step
from kpi.measures.integral import IntegralPart
from telemetry.sums import CounterStep, Run


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
