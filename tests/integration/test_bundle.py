"""Bundles of whole pilots: written from the store, verified without it, to the same numbers."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.database import Connection, connected
from core.errors import PermanentError
from core.settings import settings
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from kpi.evaluate import evaluate
from kpi.results import store
from pilotbed.cli import run
from telemetry.seals import signing
from telemetry.seals.close import Sealer
from telemetry.seals.heads import Heads
from tests.audited import PILOT, made_pilot
from tests.bundled import OTHER, Made, made, since_days
from tests.conftest import _new_database
from tests.sealed import tamper

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def shared(database_server: str, template_database: str) -> Iterator[Connection]:
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        yield connection


@pytest.fixture(scope="module")
def small(shared: Connection, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(shared, tmp_path_factory.mktemp("small"))


def test_a_bundle_verifies_and_says_so_line_by_line(small: Made) -> None:
    found = verify(small.path, keys=small.keys)
    assert found.faults == []
    assert {line.about for line in found.lines if line.state == "agrees"} == {
        "archive", "seals", "key", "leaves", "lines", "plan", "readings", "result", "kpi",
    }  # fmt: skip
    assert [line.en.split(":")[0] for line in found.lines if line.about == "kpi"] == [
        f"month-2025-03-v1.json {name}" for name in ("warm", "median", "auto", "mild", "done", "up")
    ]
    readings = found.facts["readings"]
    assert found.facts["key_checked"] and readings["used"] > 1000
    assert readings["rows"] > readings["used"], "whole leaves, and those that were decoded again"
    document = json.loads(zipfile.ZipFile(small.path).read("results/month-2025-03-v1.json"))
    [temp] = [one for one in document["channels"] if (one["slot"], one["channel"]) == ("a", "temp")]
    assert [(one["number"], one["redecoded"]) for one in temp["revisions"]] == [(1, True), (2, False)]


def test_without_a_key_its_fingerprint_is_said_to_be_unchecked(small: Made, tmp_path: Path) -> None:
    found = verify(small.path)
    assert found.sound and not found.facts["key_checked"]
    (tmp_path / "paper.txt").write_text(f"열쇠값 {found.facts['key']}\n")
    assert verify(small.path, keys=tmp_path / "paper.txt").facts["key_checked"]
    (tmp_path / "paper.txt").write_text("ab" * 32)
    assert [line.about for line in verify(small.path, keys=tmp_path / "paper.txt").faults][:1] == ["seals"]


def test_nothing_of_another_pilot_is_in_it(small: Made) -> None:
    with zipfile.ZipFile(small.path) as archive:
        assert archive.testzip() is None
        texts = [archive.read(name) for name in archive.namelist()]
    import pyarrow.parquet as pq

    tables = [
        pq.read_table(_member(small.path, name)).to_pandas().to_csv().encode()
        for name in zipfile.ZipFile(small.path).namelist()
        if name.endswith(".parquet")
    ]
    for data in (*texts, *tables, small.path.read_bytes()):
        for name in (OTHER, "rival", "platform_audit\n", "cli:rival-person"):
            assert name.encode() not in data
    assert any(b"pilots" not in data for data in texts)


def _member(path: Path, name: str) -> object:
    import io

    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(name))


def test_the_same_results_and_seals_make_the_same_bytes(small: Made, tmp_path: Path) -> None:
    again = bundle(small.site.connection, "hall", tmp_path / "again.zip", month="2025-03", who="cli:test")
    assert again.path.read_bytes() == small.path.read_bytes()
    assert again.manifest_sha256 == small.done.manifest_sha256


def test_what_is_not_sealed_is_not_bundled(small: Made, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="not sealed yet: `pilotbed seal now hall`"):
        bundle(small.site.connection, "hall", tmp_path / "b.zip", month="2025-04", who="cli:test")
    with pytest.raises(PermanentError, match="one of these"):
        bundle(small.site.connection, "hall", tmp_path / "b.zip", month="2025-04", final=True, who="cli:test")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_tampered_with_makes_no_bundle(connection: Connection, tmp_path: Path) -> None:
    there = made(connection, tmp_path)
    key = there.site.channels["a", "temp"]
    tamper(connection, "UPDATE reading SET value = value + 1 WHERE channel_id = %s", key)
    with pytest.raises(PermanentError, match=r"hall/a/temp/1 .* not those that were sealed"):
        bundle(connection, "hall", tmp_path / "again.zip", month="2025-03", who="cli:test")
    assert not (tmp_path / "again.zip").exists()


def test_the_command_judges_seals_and_bundles_what_is_not_there_yet(
    connection: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    made(connection, tmp_path)
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    monkeypatch.setenv("PILOTBED_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    out = tmp_path / "april.zip"
    arguments = ["bundle", "hall", "--month", "2025-04", "-o", str(out)]
    try:
        assert run([*arguments, "--no-seal"]) == 2
        assert "`pilotbed seal now hall`" in capsys.readouterr().err
        assert run([*arguments, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["results"] == ["results/month-2025-04-v1.json"] and said["interim"]
        assert run(["bundle", "hall", "-o", str(tmp_path / "all.zip"), "--lang", "ko"]) == 0
        assert "판정 2건" in capsys.readouterr().out
        assert run(["bundle", "nobody", "-o", str(out)]) == 2
        assert (
            run(["verify", str(tmp_path / "all.zip"), "--key", str(tmp_path / "seal-keys.json"), "--lang", "en"]) == 0
        )
        assert "month-2025-04-v1.json up: " in capsys.readouterr().out
    finally:
        settings.cache_clear()
    rows = connection.execute("SELECT what FROM audit WHERE pilot = 'hall' ORDER BY audit_id DESC LIMIT 1").fetchall()
    assert [row["what"] for row in rows] == ["seal.now"]


# --- every measure kind


@pytest.fixture(scope="module")
def every(database_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("every")
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        made_pilot(connection)
        since_days(connection, 2)
        month = evaluate(connection, PILOT, month="2023-10", as_of=datetime(2023, 10, 25, 6, 13, tzinfo=UTC))
        store(connection, month, who="cli:test")
        store(connection, evaluate(connection, PILOT, at=date(2023, 11, 20)), who="cli:test")
        store(connection, evaluate(connection, PILOT, final=True), who="cli:test")
        key_file = folder / "seal.key"
        sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
        bundle(connection, PILOT, folder / "bundle.zip", sealer=sealer, who="cli:test")
    return folder


def test_every_measure_kind_comes_out_the_same_without_the_database(every: Path) -> None:
    found = verify(every / "bundle.zip", keys=every / "seal-keys.json")
    assert found.faults == []
    judged = [line.en.split(":")[0] for line in found.lines if line.about == "kpi"]
    names = [
        entry["id"]
        for entry in json.loads(zipfile.ZipFile(every / "bundle.zip").read(found.facts["results"][0]))["kpis"]
    ]
    assert len(names) > 50
    assert judged == [f"{one.removeprefix('results/')} {name}" for one in found.facts["results"] for name in names]
