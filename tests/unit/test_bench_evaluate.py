"""How much of a year is made, and what a person reads of it."""

from __future__ import annotations

from typing import Any

import pytest

from pilotbed.bench import evaluate
from pilotbed.bench.year import ALL_CHANNELS, Size


def test_a_share_makes_the_period_longer_and_leaves_the_days() -> None:
    whole, tenth = Size.of(1.0), Size.of(0.1)
    assert (whole.readings, whole.period_us) == (365 * 86_400 * ALL_CHANNELS, 1e6)
    assert (tenth.readings * 10, tenth.period_us, tenth.days) == (whole.readings, 1e7, 365)
    assert (whole.end.isoformat(), whole.month) == ("2026-01-01", "2025-12")
    assert Size.of(0.00001).steps_a_day == 10


@pytest.mark.parametrize(
    ("asked", "disk_gb", "by_column", "least", "most"),
    [(1.0, 20, False, 0.15, 0.35), (1.0, 20, True, 1.0, 1.0), (0.1, 20, False, 0.1, 0.1), (1.0, 11, True, 0.1, 0.6)],
)
def test_what_the_disk_holds_is_made_and_said(
    asked: float, disk_gb: float, by_column: bool, least: float, most: float
) -> None:
    said: list[str] = []
    size = evaluate.fitting(Size.of(asked), disk_gb, by_column=by_column, say=said.append)
    assert least <= size.share <= most
    assert bool(said) == (size.share < asked)
    if said:
        assert f"{disk_gb:g} GB" in said[0] and f"{size.readings:,} readings" in said[0]


def test_the_table_names_the_machine_the_share_and_the_rows() -> None:
    one = {"plan": "summaries", "kind": "final", "first_s": 1.5, "median_s": 0.9, "cpu_s": 0.7,
           "readings": 9_720, "summaries": 175_200,
           "shares": 70_080}  # fmt: skip
    run: dict[str, Any] = {
        "share": 0.2, "period_s": 5.0, "readings": 138_758_400, "hours": 192_720, "fill_per_s": 5e5, "summarise_per_s": 2e6,
        "bytes_a_reading": 110.0, "evaluations": [one],
    }  # fmt: skip
    report = {
        "machine": {"cpu": "A CPU", "cores": 2, "memory_gb": 8.0, "system": "S", "python": "3.11", "database": "plain"},
        "asked_share": 1.0, "disk_gb": 20.0, "runs": [run, run | {"share": 0.02}], "ratio_of_readings": 10.0,
        "ratio_of_final": 1.02,
    }  # fmt: skip
    text = evaluate.table(report)
    assert text.startswith("A CPU, 2 cores")
    for said in (
        "0.200 of 1 Hz was made instead of 1",
        "20 GB",
        "138,758,400",
        "2,000,000/s",
        "175,200",
        "1.02 times as long",
    ):
        assert said in text
