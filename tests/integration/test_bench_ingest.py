"""The intake's measurement, with few messages: that it runs, and says what it promises."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from pilotbed.cli import run


def test_bench_ingest_says_the_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("mosquitto_sub") is None:
        reason = "mosquitto_sub is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    assert run(["bench", "ingest", "--readings", "10", "--messages", "160", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["machine"]["cores"] >= 1 and report["method"]
    found = report["results"]["10"]
    ours, subscriber, copied = found["collector"], found["mosquitto_sub"], found["copy"]
    assert ours["messages"] == 160
    assert ours["readings_per_s"] == pytest.approx(ours["messages_per_s"] * 10, abs=10)
    for key, expected in (
        ("ratio_to_mosquitto_sub_10", ours["messages_per_s"] / subscriber["messages_per_s"]),
        ("ratio_to_copy_10", ours["readings_per_s"] / copied["readings_per_s"]),
    ):
        assert report[key] == pytest.approx(expected, abs=0.01)
    assert "readings a message: collector" in said.err


@pytest.mark.parametrize("readings", ["1,7", "0", "x", "2000"])
def test_a_number_of_readings_that_cannot_be_is_refused(readings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "ingest", "--readings", readings]) == 2
    assert repr(readings.split(",")[-1]) in capsys.readouterr().err
