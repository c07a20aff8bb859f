"""The measures of how readings come and where they lead, and conditions on time: recomputed from an export, and from a bundle.

By pandas, numpy, scipy and statsmodels, by code that knows no other; and by the product from the evidence alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection, connected
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.results import store
from telemetry.export import Ask, export
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.bundled import since_days
from tests.coming import PILOT, made_pilot
from tests.conftest import _new_database
from tests.recomputation.compare import differences
from tests.recomputation.folder import Folder

pytestmark = pytest.mark.timeout(600)

RESULTS: dict[tuple[str, str, int], dict[str, Any]] = {
    ("month", "2023-10", 1): {"month": "2023-10", "as_of": datetime(2023, 10, 25, 6, 13, tzinfo=UTC)},
    ("date", "2023-11-20", 1): {"at": date(2023, 11, 20)},
    ("month", "2024-07", 1): {"month": "2024-07"},
    ("final", "2024-08-20", 1): {"final": True},
}


@pytest.fixture(scope="module")
def judged(database_server: str, template_database: str) -> Iterator[Connection]:
    """The pilot, judged early and late."""
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        made_pilot(connection)
        for asked in RESULTS.values():
            store(connection, evaluate(connection, PILOT, **asked), who="cli:test")
        yield connection


@pytest.fixture(scope="module")
def folder(judged: Connection, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    path = tmp_path_factory.mktemp("export") / PILOT
    export(judged, Ask(pilot=PILOT, format="parquet"), path)
    return Folder(path)


@pytest.mark.parametrize("key", RESULTS, ids=lambda key: "-".join(map(str, key)))
def test_it_comes_out_the_same(folder: Folder, key: tuple[str, str, int]) -> None:
    assert differences(folder, *key) == []


def test_the_pilot_has_something_of_everything(folder: Folder) -> None:
    final = folder.results()["final", "2024-08-20", 1]
    by_id = {kpi["id"]: kpi for kpi in final["kpis"]}
    radio, latency = by_id["radio"]["facts"], by_id["latency"]["facts"]
    assert all(
        radio[name] for name in ("missing", "doubtful", "left_out_frames", "repeated", "late", "no_number", "jumps")
    )
    assert by_id["radio-worst"]["facts"]["rejoins"] >= 2
    assert all(
        latency[name] for name in ("lost", "doubtful", "ours", "no_clock", "retained", "replayed", "clock_ahead")
    )
    assert by_id["life"]["reason"] == "forecast" and by_id["life"]["facts"]["recharges"] > 3
    assert by_id["unmanned"]["facts"]["exposure_company"] > 0
    assert by_id["missions"]["conditions_s"] > 0 and by_id["run-mean"]["where"]["unknown_s"] > 0
    assert {kpi["verdict"] for kpi in final["kpis"]} >= {"met", "not_met", "inconclusive"}


def test_the_evidence_alone_says_the_same(judged: Connection, tmp_path: Path) -> None:
    since_days(judged, 2)
    key_file = tmp_path / "seal.key"
    sealer = Sealer(key=signing.make_key(judged, key_file), heads=Heads(key_file))
    bundle(judged, PILOT, tmp_path / "bundle.zip", sealer=sealer, who="cli:test")
    found = verify(tmp_path / "bundle.zip", keys=tmp_path / "seal-keys.json")
    assert found.faults == []
    assert len([line for line in found.lines if line.about == "kpi"]) > 3 * 20
