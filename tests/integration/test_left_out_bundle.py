"""Without the database the same readings are left out, by the findings that were held true then: by a bundle, and anew."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from core.database import Connection
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.results import store
from telemetry.export import Ask, export
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.bundled import rezipped, since_days
from tests.recomputation.compare import differences
from tests.recomputation.folder import Folder
from tests.spoilt_site import faulted, made

pytestmark = pytest.mark.timeout(600)


def judged(connection: Connection) -> None:
    """As it was first, and by findings that came later."""
    site = made(connection)
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    faulted(site)
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    store(connection, evaluate(connection, "hall", month="2025-04"), "cli:test")
    store(connection, evaluate(connection, "hall", at=date(2025, 6, 1)), "cli:test")


def test_what_is_left_out_is_the_same_without_the_database(connection: Connection, tmp_path: Path) -> None:
    judged(connection)
    since_days(connection, 2)
    key_file = tmp_path / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    bundle(connection, "hall", tmp_path / "bundle.zip", sealer=sealer, who="cli:test")
    found = verify(tmp_path / "bundle.zip", keys=tmp_path / "seal-keys.json")
    assert found.faults == []
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        documents = [json.loads(archive.read(name)) for name in found.facts["results"]]
        lines = archive.read("lines/finding.jsonl").decode().splitlines()
    left = [{entry["id"]: entry.get("left_out") for entry in one["kpis"]} for one in documents]
    assert all(one["mean"]["readings"] > 10 for one in left)
    assert all(one["used"]["readings"] and one["energy"]["readings"] and one["auto"]["readings"] for one in left)
    assert len(lines) > 50

    def without_one(name: str, data: bytes) -> bytes:
        return b"".join(data.splitlines(keepends=True)[1:]) if name == "lines/finding.jsonl" else data

    less = rezipped(tmp_path / "bundle.zip", tmp_path / "less.zip", without_one)
    changed = verify(less, keys=tmp_path / "seal-keys.json")
    assert any("finding" in line.en for line in changed.faults)


def test_whoever_computes_it_anew_from_the_exported_files_finds_the_same(
    connection: Connection, tmp_path: Path
) -> None:
    judged(connection)
    export(connection, Ask(pilot="hall", format="parquet"), tmp_path / "hall")
    folder = Folder(tmp_path / "hall")
    results = folder.results()
    assert len(results) == 4
    assert {key: differences(folder, *key) for key in results} == {key: [] for key in results}
    left = folder.results()["month", "2025-03", 2]["kpis"]
    values = {entry["id"]: entry["value"] for entry in left}
    assert values["mean"] != values["plain"]
    # Were a finding not there, it would be noticed.
    folder = Folder(tmp_path / "hall")
    kind = (folder.findings["kind"] == "spike") & (folder.findings["channel"] == "power")
    folder.findings = folder.findings[~kind]
    assert differences(folder, "month", "2025-04", 1)
