"""Changes without the database: a bundle has the baselines' files, and comes to the same numbers."""
# ruff: noqa: E501

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import numpy as np

from core.database import Connection
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.records.baselines import add_baseline
from kpi.results import store
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.bundled import rezipped, since_days
from tests.changing import METER, hourly_file, noise, sha256
from tests.evaluated import hours, made_site

START, END = date(2025, 3, 1), date(2025, 11, 1)
BEFORE = (date(2024, 3, 1), date(2025, 3, 1))
FILE = hourly_file(*BEFORE, lambda at: 10.0 + (at.hour >= 12))
KPIS = f"""
saving: {{name: S, target: "<= -10 %", measure: {{change: {{of: {{integral: power}}, baseline: {{file: m.csv, sha256: {sha256(FILE)},
    window: [2024-03-01, 2025-03-01], value: kWh, unit: kWh, zone: Asia/Seoul}}}}}}}}
road: {{name: R, target: "<= -5 %", scope: capability, measure: {{change: {{of: {{statistic: {{channel: trip, stat: mean, slots: [a]}}}},
    baseline: {{window: [2025-03-01, 2025-05-20]}}, control: [b]}}}}}}
paired: {{name: P, target: "<= -5 %", measure: {{change: {{of: {{increase: {{channel: total, slots: [a]}}}}, pair: {{weekday: true, holidays: KR}},
    baseline: {{file: m.csv, sha256: {sha256(FILE)}, window: [2024-03-01, 2025-03-01], value: kWh, unit: kWh, rows: amount,
    zone: Asia/Seoul}}}}}}}}
"""


def _made(connection: Connection, folder: Path) -> Path:
    site = made_site(connection, KPIS, slots=("a", "b"), slot=METER)
    for name in ("saving", "paired"):
        add_baseline(connection, "hall", name, "m.csv", FILE, who="cli:test")
    at_us = hours(START, END)
    for place, slot in enumerate(("a", "b")):
        site.heard(slot, "power", at_us, np.round(8 + noise(place, len(at_us), 1.0, 0.9), 2))
        site.heard(slot, "trip", at_us, np.round(500 + noise(10 + place, len(at_us), 40.0, 0.9), 1))
        site.heard(slot, "total", at_us, 9.0 * np.arange(len(at_us)))
    site.summarised()
    since_days(connection, 1)
    store(connection, evaluate(connection, "hall", final=True), who="cli:test")
    key_file = folder / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    bundle(connection, "hall", folder / "bundle.zip", final=True, sealer=sealer, who="cli:test")
    return folder


def test_a_bundle_with_baselines_verifies_without_the_database(connection: Connection, tmp_path: Path) -> None:
    folder = _made(connection, tmp_path)
    found = verify(folder / "bundle.zip", keys=folder / "seal-keys.json")
    assert found.faults == []
    assert [line.en for line in found.lines if line.about == "baseline"] == [
        "1 baseline files: as they were sealed by their hashes"
    ]
    assert len([line for line in found.lines if line.about == "kpi"]) == 3
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        assert archive.read(f"baselines/{sha256(FILE)}") == FILE


def test_another_file_in_the_baselines_place_is_found_out(connection: Connection, tmp_path: Path) -> None:
    folder, name = _made(connection, tmp_path), f"baselines/{sha256(FILE)}"
    other = tmp_path / "other.zip"
    rezipped(folder / "bundle.zip", other, lambda n, data: data.replace(b"10.0", b"90.0") if n == name else data)
    assert any(line.about == "baseline" for line in verify(other).faults)
    left = tmp_path / "left.zip"
    rezipped(folder / "bundle.zip", left, lambda n, data: None if n == name else data)
    assert any(line.about == "baseline" for line in verify(left).faults)
