"""What series the store is measured with, how many readings they hold, and what a person reads of the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import EnvironmentProblem, PermanentError
from core.window import micros
from pilotbed.bench import store, store_series
from pilotbed.bench.store_rates import Cost
from pilotbed.bench.store_series import Shape, Written
from pilotbed.bench.store_table import table
from pilotbed.cli.bench import _sizes

WRITTEN = [Written(name=name, channel_id=place) for place, name in enumerate(store_series.KINDS)]
SHAPE = Shape(days=3, slots=1, meters=1, meter_s=2 * 86_400)


def series(name: str, day: int = 2) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Instants and values of one channel in the order of time, and their receipts."""
    columns, received_us = store_series.day(SHAPE, WRITTEN, day)
    own = np.flatnonzero(columns.channel_id == list(store_series.KINDS).index(name))
    own = own[np.argsort(columns.observed_us[own])]
    return columns.observed_us[own], columns.value[own], received_us[own]


@pytest.mark.parametrize("asked", [30_000, 50_000, 1_000_000, 10_000_000, 100_000_000])
def test_about_as_many_readings_are_made_as_are_asked_for(asked: int) -> None:
    shape = Shape.of(asked)
    assert shape.readings == pytest.approx(asked, rel=0.05)
    assert shape.days == store_series.DAYS or asked < 1_000_000
    assert 1 <= shape.meters <= shape.slots and shape.meter_s <= shape.days * 86_400


def test_gauges_have_ten_seconds_tenths_and_a_daily_cycle_and_days_join() -> None:
    for name, changed, whole_seconds in (("temp", (0.02, 0.2), True), ("temp_ms", (0.02, 0.2), False),
                                         ("temp_noisy", (0.6, 0.9), False)):  # fmt: skip
        observed, value, _ = series(name)
        assert len(observed) == pytest.approx(8_640, rel=0.003)
        assert np.median(np.diff(observed)) == pytest.approx(10e6, abs=20_000)
        assert bool((observed % 1_000_000 == 0).all()) == whole_seconds and (observed % 1_000 == 0).all()
        assert np.abs(value * 10 - np.round(value * 10)).max() < 1e-9
        assert changed[0] < (np.diff(value) != 0).mean() < changed[1], name
        assert 3 < np.ptp(value) < 12
        _, before, _ = series(name, 1)
        assert abs(before[-1] - value[0]) < 0.8


def test_a_counter_never_falls_and_a_state_is_sent_when_it_changes() -> None:
    _, before, _ = series("meter", 1)
    observed, value, _ = series("meter")
    assert (np.diff(np.concatenate([before, value])) >= 0).all() and 40 < value[-1] - value[0] < 49
    assert (np.diff(observed) >= 1_000_000).all()
    assert not len(series("meter", 0)[0]), "it reports in the last two days only"
    _, code, _ = series("mode")
    assert set(code.tolist()) == {0.0, 1.0, 2.0} and 80 < len(code) < 220


def test_one_batch_has_one_receipt_later_than_what_is_in_it() -> None:
    columns, received_us = store_series.day(SHAPE, WRITTEN, 2)
    assert (received_us > columns.observed_us).all() and (np.diff(received_us) >= 0).all()
    assert len(np.unique(received_us // 100_000)) == len(np.unique(received_us)), "one instant for each batch of 100 ms"
    keys = np.stack([columns.channel_id, columns.observed_us])
    assert len(np.unique(keys, axis=1).T) == len(received_us), "no key twice"
    again, _ = store_series.day(SHAPE, WRITTEN, 2)
    assert (again.value == columns.value).all(), "the same every time"
    assert columns.observed_us.min() >= micros(store_series.begin(2))


def test_too_little_disk_is_said_with_what_is_needed(tmp_path: Path) -> None:
    store.require_free(tmp_path, 1)
    with pytest.raises(EnvironmentProblem, match=r"needs 140005\.0 GB.*--readings"):
        store.require_free(tmp_path, store.need_bytes(10**12))


def test_sizes_may_be_written_short() -> None:
    assert _sizes("1e6, 5e7,30000", store.LEAST) == [1_000_000, 50_000_000, 30_000]
    for wrong in ("1e3", "x", "", "1e6,", "nan", "inf", "2e9"):
        with pytest.raises(PermanentError, match="--readings"):
            _sizes(wrong, store.LEAST)


def test_a_ratio_compares_time_a_reading() -> None:
    beside = Cost(readings=100, took_s=2.0, cpu_s=1.0).of(Cost(readings=200, took_s=2.0, cpu_s=0.0))
    assert (beside["per_s"], beside["limit_per_s"], beside["ratio"], beside["cpu_ratio"]) == (50, 100, 0.5, None)


def test_the_table_names_engine_machine_safety_and_load() -> None:
    beside = {"per_s": 400_000.0, "limit_per_s": 800_000.0, "ratio": 0.5, "cpu_ratio": None}
    asked = [{"span": "hour", "way": "readings", "times": 60, "rows": 360, "p50_ms": 0.71, "p95_ms": 1.49}]
    level: dict[str, Any] = {
        "readings": 1_000_123, "shape": {"days": 35, "slots": 1, "meters": 1}, "load": [1.0, 2.0], "fill": beside,
        "bytes_rows": {"total": 107.66, "heap": 62.0, "indexes": 45.6, "toast": 0.0}, "committer": beside,
        "summarised": beside, "judged": beside, "sealed_rows": beside, "latency_rows": asked,
    }  # fmt: skip
    report: dict[str, Any] = {
        "machine": {"cpu": "A CPU", "cores": 2, "memory_gb": 8.0, "system": "S", "python": "3.11", "database": "plain"},
        "server": {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "128MB"}, "target_bytes": 6.0,
        "levels": [level], "summary": {"readings": 5, "share": 1.0, **beside},
    }  # fmt: skip
    text = table(report)
    for said in (
        "plain; fsync on",
        "A CPU, 2 cores",
        "1,000,123",
        "107.7",
        "nothing is compressed",
        "0.50",
        "1.5",
        "load 1.0",
    ):
        assert said in text
    kind = {"kind": "temp", "readings": 9, "observed_at": 0.1, "received_at": 2.57, "value": 0.68, "flags": 0.05, "rest": 1.0,
            "total": 4.41}  # fmt: skip
    level["columns"] = {**beside, "bytes": {"total": 6.54, "heap": 1.0, "indexes": 1.0, "toast": 4.5}, "kinds": [kind]}
    level |= {"sealed_columns": beside, "latency_columns": asked}
    text = table(report)
    for said in ("6.54", "target for gauges 6", "4.41", "hour, readings, columns"):
        assert said in text
    assert "nothing is compressed" not in text
