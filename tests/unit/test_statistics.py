"""Merging: any split of a series, merged, equals the whole."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import Window, micros
from telemetry.statistics import Rules, concatenated, merged, piece_of

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(start=START, end=START + timedelta(days=1))
RULES = Rules(period_s=60.0, hold_us=180_000_000, steps=False)


@given(
    st.lists(
        st.tuples(st.integers(0, 86_399_999_999), st.floats(-1e6, 1e6)),
        min_size=1,
        max_size=60,
        unique_by=lambda r: r[0],
    ),
    st.lists(st.integers(1, 59), max_size=6),
    st.booleans(),
)
def test_any_split_merges_to_the_whole(rows: list[tuple[int, float]], cuts: list[int], steps: bool) -> None:
    rows = sorted(rows)
    rules = Rules(period_s=60.0, hold_us=180_000_000, steps=steps)
    at = np.array([micros(START) + us for us, _ in rows])
    value = np.array([v for _, v in rows])
    whole = merged(piece_of(at, value, rules), WINDOW, rules)
    bounds = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    parts = [piece_of(at[a:b], value[a:b], rules) for a, b in itertools.pairwise(bounds)]
    split = merged(concatenated(parts[::-1]), WINDOW, rules)
    assert (split.n, split.missing, split.min, split.max) == (whole.n, whole.missing, whole.min, whole.max)
    scale = float(np.abs(value).max())
    assert split.mean == pytest.approx(whole.mean, rel=1e-12, abs=1e-12 * scale)
    assert split.m2 == pytest.approx(whole.m2, rel=1e-9, abs=1e-9 * scale**2)
    assert split.integral == pytest.approx(whole.integral, rel=1e-12, abs=1e-9 * scale)
    assert split.covered_s == pytest.approx(whole.covered_s, rel=1e-12)


def test_numacc3_of_nist() -> None:
    """NIST StRD NumAcc3: standard deviation exactly 0.1, where a naive sum of squares fails."""
    value = np.array([1000000.2] + [1000000.1, 1000000.3] * 500)
    at = micros(START) + np.arange(1001) * 60_000_000
    found = merged(piece_of(at, value, RULES), WINDOW, RULES)
    assert found.mean == pytest.approx(1000000.2, rel=1e-15)
    # The digits of the data itself leave 1e-9 of uncertainty at this magnitude.
    assert found.std == pytest.approx(0.1, rel=1e-8)
    halves = concatenated([piece_of(at[:500], value[:500], RULES), piece_of(at[500:], value[500:], RULES)])
    assert merged(halves, WINDOW, RULES).std == pytest.approx(0.1, rel=1e-8)


def test_nothing_there() -> None:
    empty = merged(concatenated([]), WINDOW, RULES)
    assert (empty.n, empty.expected, empty.missing, empty.completeness) == (0, 1440, 1440, 0.0)
    assert math.isnan(empty.mean)


def test_expected_readings_of_a_short_edge() -> None:
    """A reading at the start of each period and nine missing at the end: 8 of 16."""
    at = micros(START) + np.arange(8) * 3_600_000_000
    rules = Rules(period_s=3600.0, hold_us=3 * 3_600_000_000, steps=False)
    window = Window(start=START, end=START + timedelta(hours=16))
    found = merged(piece_of(at, np.ones(8), rules), window, rules)
    assert (found.n, found.missing, found.expected, found.completeness) == (8, 8, 16, 0.5)
