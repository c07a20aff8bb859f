"""A recorded office temperature, replayed through the broker, comes to the values that pandas gave apart from us.

The recording is the Numenta Anomaly Benchmark's ``ambient_temperature_system_failure.csv``; it lies beside the repository
where it is at hand (or where ``PILOTBED_RECORDINGS`` says).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

import pilotbed
from core.database import Connection
from core.window import month_window
from devices.registry import plan_of
from kpi.evaluate import evaluate
from pilotbed.stack.mosquitto import Mosquitto
from telemetry import windows
from telemetry.channels import channel

ROOT = Path(pilotbed.__file__).parent.parent
PLAN = ROOT / "examples/plans/office-temperature.yaml"
RECORDINGS = Path(os.environ.get("PILOTBED_RECORDINGS", ROOT.parent / "shared" / "data"))
RECORDING = RECORDINGS / "ambient_temperature_system_failure.csv"

# month: n, mean °C, min, max, readings there and expected; computed by pandas, published with the recording.
EXPECTED = {
    "2013-07": (640, 21.272141, 16.313598, 24.661122, 640, 672),
    "2013-08": (697, 20.716548, 17.072960, 24.760834, 697, 744),
    "2013-09": (478, 21.591005, 18.166322, 25.200828, 478, 720),
    "2013-10": (662, 23.317884, 19.773449, 26.103014, 662, 744),
    "2013-11": (720, 23.761377, 20.736051, 26.242408, 720, 720),
    "2013-12": (744, 24.634945, 22.306862, 30.124007, 744, 744),
    "2014-01": (744, 23.468552, 20.185068, 27.431216, 744, 744),
    "2014-02": (672, 22.024219, 17.439861, 24.608286, 672, 672),
    "2014-03": (699, 19.797310, 16.118695, 22.654559, 699, 744),
    "2014-04": (547, 18.969130, 14.143559, 22.381568, 547, 720),
    "2014-05": (664, 19.138518, 14.367725, 23.747744, 664, 672),
}

pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="the recorded office series is not at hand")


def command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run ``pilotbed …`` to its end and return its stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "pilotbed", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_office_series(connection: Connection, database_url: str, own_broker: Mosquitto, tmp_path: Path) -> None:
    registry = {
        "PILOTBED_DATA_DIR": str(tmp_path),
        "PILOTBED_DATABASE_URL": database_url,
        "PILOTBED_MQTT_URL": own_broker.admin_url,
    }
    credentials = tmp_path / "office.json"
    command(registry, "plan", "apply", str(PLAN), "--credentials", str(credentials))
    collecting = {**os.environ, **registry, "PILOTBED_MQTT_URL": own_broker.collector_url()}
    collector = subprocess.Popen([sys.executable, "-m", "pilotbed", "collect"], env=collecting)
    try:
        _wait_until_heard(connection)
        replay = (
            "simulate", "replay", str(RECORDING), "--plan", str(PLAN), "--slot", "office", "--channel", "temperature",
            "--credentials", str(credentials), "--json",
        )  # fmt: skip
        sent = json.loads(command(registry, *replay))
        assert (sent["sent"], sent["acknowledged"]) == (7267, 7267)
        _wait_until_stored(connection, 7267)
        again = json.loads(command(registry, *replay))
        assert again["sent"] == 7267
        _wait_until_counted(connection, 2 * 7267)
    finally:
        collector.terminate()
        collector.wait(20)
    counts = connection.execute("SELECT sum(stored) AS s, sum(duplicate) AS d, sum(rejected) AS r FROM intake_slot")
    assert counts.fetchone() == {"s": 7267, "d": 7267, "r": 0}
    _check_months(connection)
    shown = json.loads(command(registry, "evaluate", "office-temperature", "--month", "2013-09", "--json"))
    assert {kpi["id"]: kpi["status"] for kpi in shown["kpis"]}["comfort"] == "insufficient"


def _check_months(connection: Connection) -> None:
    plan, _, _ = plan_of(connection, "office-temperature")
    info = channel(connection, "office-temperature", "office", "temperature")
    for month, (n, mean, low, high, there, expected) in EXPECTED.items():
        window = month_window(month, plan.zone).intersection(plan.window)
        [found] = windows.statistics(connection, info, [window])
        assert found.n == n, month
        assert (found.mean, found.min, found.max) == pytest.approx((mean, low, high), abs=5e-7), month
        assert (found.expected - found.missing, found.expected) == (there, expected), month
        document = evaluate(connection, "office-temperature", month=month).document
        comfort = next(kpi for kpi in document["kpis"] if kpi["id"] == "comfort")
        assert comfort["month"]["n"] == n
        assert comfort["month"]["value"] == pytest.approx(mean, abs=5e-7)
        assert comfort["month"]["completeness"] == pytest.approx(there / expected, abs=1e-12)
        assert (comfort["status"] == "insufficient") == (month == "2013-09"), (month, comfort)


def _wait_until_heard(connection: Connection) -> None:
    """Until the collector has recorded that it hears."""
    _wait(connection, "SELECT count(*) AS n FROM heartbeat WHERE process LIKE 'collector%%'", 1)


def _wait_until_stored(connection: Connection, n: int) -> None:
    _wait(connection, "SELECT count(*) AS n FROM reading", n)


def _wait_until_counted(connection: Connection, n: int) -> None:
    _wait(connection, "SELECT coalesce(sum(decoded), 0) AS n FROM intake_slot", n)


def _wait(connection: Connection, statement: str, n: int) -> None:
    deadline = time.monotonic() + 40
    while True:
        row = connection.execute(statement).fetchone()  # type: ignore[arg-type]
        assert row is not None
        if row["n"] >= n:
            return
        assert time.monotonic() < deadline, f"{row['n']} of {n} after 40 s: {statement}"
        time.sleep(0.2)
