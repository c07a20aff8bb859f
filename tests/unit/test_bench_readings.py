"""False passes at the target, of frames lost in spells, of delays, of shares of a distance: a smaller run of each."""

from __future__ import annotations

import pytest

from pilotbed.bench.verdicts import LIMIT, bench_verdicts

SEEDS = 200


@pytest.mark.parametrize(
    ("only", "naive_at_least"),
    [
        ("frames, 24 a day × 90 days, bad spells of 24 h, 95 %", 0.20),
        ("p95 of the delay, 53 weeks, φ 0.95, 4 % lost", 0.20),
        ("share of a distance, 13 weeks, φ 0.9, 95 %", 0.20),
    ],
)
def test_a_product_at_its_target_passes_falsely_no_more_often_than_it_may(only: str, naive_at_least: float) -> None:
    [one] = bench_verdicts(SEEDS, only=only)
    error = 2 * (LIMIT[one.kind] * (1 - LIMIT[one.kind]) / SEEDS) ** 0.5
    assert one.judged <= LIMIT[one.kind] + error, one
    assert one.naive >= naive_at_least, one
