"""The intake's measurement, with few messages: that it runs, and says what it promises."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import pytest

from pilotbed.cli import run


def _report(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[dict[str, Any], str]:
    if shutil.which("mosquitto_sub") is None:
        reason = "mosquitto_sub is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    assert run(["bench", "ingest", "--json", *options]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def test_bench_ingest_says_the_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    report, progress = _report(capsys, "--readings", "10", "--messages", "160")
    assert report["machine"]["cores"] >= 1 and report["method"]
    found = report["results"]["10"]
    ours, subscriber, copied = found["collector"], found["mosquitto_sub"], found["copy"]
    assert ours["messages"] == 160
    assert ours["readings_per_s"] == pytest.approx(ours["messages_per_s"] * 10, abs=10)
    for key, expected in (
        ("ratio_to_mosquitto_sub_10", ours["messages_per_s"] / subscriber["messages_per_s"]),
        ("ratio_to_copy_10", ours["readings_per_s"] / copied["readings_per_s"]),
        ("ratio_to_copy_10_2_collectors", found["2_collectors"]["readings_per_s"] / copied["readings_per_s"]),
    ):
        assert report[key] == pytest.approx(expected, abs=0.01)
    assert set(found["2_collectors"]["cpu_us_per_message"]) >= {"collector-1", "collector-2"}
    assert "latency_p99_ms" not in report, "it is measured with one reading a message"
    assert "readings a message: collector" in progress


def test_bench_ingest_measures_the_way_to_a_query_beside_the_naive_loop(capsys: pytest.CaptureFixture[str]) -> None:
    report, progress = _report(
        capsys, "--readings", "1", "--messages", "800", "--collectors", "1", "--probes", "20"
    )  # fmt: skip
    found = report["results"]["1"]
    naive = found["naive_loop"]["messages_per_s"]
    assert report["ratio_to_naive_1"] == pytest.approx(found["collector"]["messages_per_s"] / naive, rel=0.01)
    assert "2_collectors" not in found
    assert report["latency_probes"] == 20
    assert 0 < report["latency_p50_ms"] <= report["latency_p95_ms"] <= report["latency_p99_ms"] < 10_000
    # The publishers keep to half of what was just measured, however little the machine has left.
    assert 0 < report["latency_load_messages_per_s"] <= found["collector"]["messages_per_s"] * 0.75
    assert "publish → visible, 20 probes" in progress


@pytest.mark.parametrize("readings", ["1,7", "0", "x", "2000"])
def test_a_number_of_readings_that_cannot_be_is_refused(readings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "ingest", "--readings", readings]) == 2
    assert repr(readings.split(",")[-1]) in capsys.readouterr().err


@pytest.mark.parametrize("collectors", ["0", "1,5", "two"])
def test_a_number_of_collectors_that_cannot_be_is_refused(collectors: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "ingest", "--collectors", collectors]) == 2
    assert repr(collectors.split(",")[-1]) in capsys.readouterr().err
