"""A bundle is written and verified in the same memory, however many readings it has."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.database import Connection, connected
from core.window import micros
from telemetry.load import load_readings
from telemetry.rows import Columns
from telemetry.seals import signing
from telemetry.summarise import summarise_all
from tests.bundled import since_days
from tests.conftest import _new_database
from tests.evaluated import made_site
from tests.sealed import unprotected

pytestmark = pytest.mark.timeout(900)

KPIS = """
warm: {name: w, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 30 degC"}
mild: {name: b, measure: {share: {while: {channel: temp, value: "<= 21 degC"}}}, target: ">= 10 %"}
got: {name: c, measure: {capture: {}}, target: ">= 50 %"}
up: {name: u, measure: {availability: {}}, target: ">= 50 %"}
"""
SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels: {{temp: {{unit: degC, period: 1 s, range: [-40, 60]}}}}
"""
START = datetime(2025, 2, 28, 15, tzinfo=UTC)
RUN = """
import json, resource, sys, time
from pathlib import Path
begun = time.monotonic()
what, url, path, key = sys.argv[1:]
if what == "bundle":
    from core.database import connected
    from kpi.bundle.write import bundle
    from telemetry.seals.close import Sealer
    from telemetry.seals.heads import Heads
    from telemetry.seals.signing import read_key
    with connected(url) as connection:
        sealer = Sealer(key=read_key(Path(key)), heads=Heads(Path(key)))
        rows = bundle(connection, "hall", Path(path), month="2025-03", sealer=sealer, who="cli:test").rows
else:
    from kpi.bundle.verify import verify
    found = verify(Path(path))
    assert found.sound, found.faults
    rows = found.facts["readings"]["rows"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": rows, "peak_mb": peak, "took_s": time.monotonic() - begun, "bytes": Path(path).stat().st_size}))
"""


def fill(connection: Connection, n: int, channel: int, from_s: int) -> None:
    for start in range(from_s, from_s + n, 200_000):
        count = min(200_000, from_s + n - start)
        at = micros(START) + (start + np.arange(count, dtype=np.int64)) * 1_000_000
        columns = Columns(
            channel_id=np.full(count, channel, dtype=np.int32),
            observed_us=at,
            value=np.round(20 + np.random.default_rng(start).normal(0, 2, count), 1),
            flags=np.zeros(count, dtype=np.int16),
        )
        load_readings(connection, "hall", columns, at + 300_000)


def measured(what: str, url: str, path: Path, key: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, what, url, str(path), str(key)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def made_of(connection: Connection, url: str, n: int, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    site = made_site(connection, KPIS, slot=SLOT)
    with unprotected(connection):
        connection.execute("UPDATE pilot SET simulated = true")
        connection.execute("UPDATE installation SET recorded_at = '2025-01-01T00:00Z'")
    fill(connection, n, site.channels["a", "temp"], 0)
    site.alive(START, START + timedelta(seconds=n))
    summarise_all(connection)
    since_days(connection, 1)
    key = folder / "seal.key"
    signing.make_key(connection, key)
    path = folder / "bundle.zip"
    return measured("bundle", url, path, key), measured("verify", url, path, key)


N = (300_000, 1_200_000)


def test_memory_is_the_same_at_four_times_the_readings(
    database_server: str, template_database: str, tmp_path: Path
) -> None:
    found = []
    for n in N:
        folder = tmp_path / str(n)
        folder.mkdir()
        name = f"pilotbed_test_{secrets.token_hex(6)}"
        with _new_database(database_server, name, template_database) as url, connected(url) as connection:
            found.append(made_of(connection, url, n, folder))
    print(found)
    for few, many in zip(*found, strict=True):
        assert many["rows"] == 4 * few["rows"]
        assert many["peak_mb"] - few["peak_mb"] < 60
