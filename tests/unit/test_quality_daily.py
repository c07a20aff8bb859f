"""The quick count of many windows says what each window's statistics say."""

from __future__ import annotations

import numpy as np
import pytest

from core.window import HOUR_US, Window, instant
from telemetry.quality.daily import _from_summaries
from telemetry.statistics import Rules, merged, pieces_of
from telemetry.summaries import Summaries


@pytest.mark.parametrize("period_s", [60.0, 7.0, 1800.0, 5400.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_quick_count_is_that_of_the_statistics(period_s: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    days = 6
    at = np.unique(chance.integers(0, days * 24 * HOUR_US, size=int(days * 86_400 / period_s * 0.8)))
    at = at[(at // HOUR_US % 24 != 5) & (at // (24 * HOUR_US) != 3)]  # an hour of each day, and a whole day, are empty
    rules = Rules(period_s=period_s, hold_us=round(3e6 * period_s), steps=False)
    hours = at // HOUR_US
    starts = np.flatnonzero(np.diff(hours, prepend=-1)).astype(np.int64)
    pieces = pieces_of(at, np.ones(len(at)), starts, rules)
    n = len(pieces)
    summaries = Summaries(
        hour_us=hours[starts] * HOUR_US, channel_id=np.ones(n, dtype=np.int64), pieces=pieces,
        last_received_us=np.zeros(n, dtype=np.int64), whole=np.ones(n, dtype=np.bool_), falls=np.zeros(n, dtype=np.int64),
        true_s=np.zeros(n), covered_s=np.zeros(n), dirty_us=np.zeros(0, dtype=np.int64),
    )  # fmt: skip
    edges = [(24 * day, 24 * day + length) for day in range(days) for length in (24, 7, 1)] + [(5, 6), (0, 24 * days)]
    windows = [Window(start=instant(a * HOUR_US), end=instant(b * HOUR_US)) for a, b in edges]
    expected, missing = _from_summaries(
        summaries, np.array([w.start_us for w in windows]), np.array([w.end_us for w in windows]), period_s
    )
    for place, window in enumerate(windows):
        inside = np.flatnonzero((summaries.hour_us >= window.start_us) & (summaries.hour_us < window.end_us))
        slow = merged(summaries.take(inside), window, rules)
        assert (expected[place], missing[place]) == (slow.expected, slow.missing), window
