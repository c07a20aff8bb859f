"""What people entered and agreed, under the seals: in the bundle with its documents, and judged again from there."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.database import Connection
from kpi.bundle.verify import verify
from kpi.bundle.write import Bundled, bundle
from kpi.records.documents import paper
from kpi.records.exclusions import add_exclusion
from kpi.records.manual import add_manual, withdraw_manual
from telemetry.seals import signing
from telemetry.seals.check import check
from telemetry.seals.close import Sealer, seal_now
from telemetry.seals.heads import Heads
from tests.bundled import rezipped, since_days
from tests.evaluated import made_site
from tests.integration.test_manual import DOC, KPIS, MORE, at, complaint, entered, survey
from tests.sealed import tamper


@pytest.fixture
def sealer(connection: Connection, tmp_path: Path) -> Sealer:
    made = made_site(connection, KPIS, slots=("a", "b"), more=MORE)
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    entered(connection, complaint(3, 12), complaint(4, 9), survey(4.3, 120, 0.7))
    entered(connection, complaint(5, 15), doc=paper("다른 문서.hwp", b"other proof"))
    [gone] = entered(connection, survey(1.0, 10, 0.1, 4))
    withdraw_manual(connection, gone.manual_id, why="다른 과제의 것", who="cli:test")
    add_manual(
        connection, "hall", [survey(4.8, 3, None, 3).__class__(
            quantity="satisfaction", start=at(3), end=at(3, 8), value=4.6666666666666670, n=3, sd=0.5773502691896257,
            scores=(5.0, 5.0, 4.0), measured_by="조사팀",
        )], paper("scores.csv", b"score\n5\n5\n4\n"), who="cli:test",
    )  # fmt: skip
    add_exclusion(
        connection, "hall", slot="b", start=at(5, 7), end=at(5, 8), reason="construction", asked_on=date(2025, 5, 8),
        asked_by="C", agreed_site="S", agreed_team="T", note="n", who="cli:test", paper=paper("합의서.pdf", b"signed"),
    )  # fmt: skip
    since_days(connection, 1)
    key_file = tmp_path / "seal.key"
    return Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))


def bundled(connection: Connection, sealer: Sealer, folder: Path) -> Bundled:
    return bundle(connection, "hall", folder / "b.zip", at=date(2025, 6, 1), sealer=sealer, who="cli:test")


def test_a_bundle_has_every_document_and_verifies(connection: Connection, sealer: Sealer, tmp_path: Path) -> None:
    done = bundled(connection, sealer, tmp_path)
    found = verify(done.path, keys=tmp_path / "seal-keys.json")
    assert found.faults == [], [line.en for line in found.faults]
    assert [line.en for line in found.lines if line.about == "document"] == [
        "4 documents: as they were sealed by their hashes"
    ]
    with zipfile.ZipFile(done.path) as archive:
        proofs = {archive.read(name) for name in archive.namelist() if name.startswith("documents/")}
        assert proofs == {DOC.content, b"other proof", b"score\n5\n5\n4\n", b"signed"}
        lines = archive.read("lines/manual.jsonl").decode()
        assert lines.count("\n") == 6 and DOC.sha256 in lines and "구청 김" in lines
        assert "다른 과제의 것" in archive.read("lines/manual_end.jsonl").decode()
        assert paper("x", b"signed").sha256 in archive.read("lines/exclusion_paper.jsonl").decode()


def test_a_changed_or_missing_document_shows(connection: Connection, sealer: Sealer, tmp_path: Path) -> None:
    done = bundled(connection, sealer, tmp_path)
    name = f"documents/{DOC.sha256}"
    changed = rezipped(done.path, tmp_path / "c.zip", lambda one, data: b"forged" if one == name else data)
    missing = rezipped(done.path, tmp_path / "m.zip", lambda one, data: None if one == name else data)
    value = rezipped(
        done.path, tmp_path / "v.zip",
        lambda one, data: data.replace(b'"value":12', b'"value":11', 1) if one == "lines/manual.jsonl" else data,
    )  # fmt: skip
    for path in (changed, missing):
        assert [line.en for line in verify(path).faults] == [f"민원 대장.pdf ({DOC.sha256[:16]}…): changed, or missing"]
    assert any("lines are not those that were sealed" in line.en for line in verify(value).faults)


@pytest.mark.parametrize(
    ("statement", "leaf"),
    [
        ("UPDATE manual_value SET value = value + 1 WHERE manual_id = 1", "hall:manual"),
        ("UPDATE manual_value SET superseded_why = 'x' WHERE superseded_at IS NOT NULL", "hall:manual_end"),
        ("UPDATE document SET content = 'other', bytes = 5 WHERE document_id = 1", "hall:document"),
        ("UPDATE exclusion SET document_id = 1", "hall:exclusion_paper"),
    ],
)
def test_the_seals_find_what_was_changed_in_the_store(
    connection: Connection, sealer: Sealer, statement: str, leaf: str
) -> None:
    seal_now(connection, "hall", sealer)
    assert not check(connection, "hall").faults
    tamper(connection, statement)
    assert [fault.leaf for fault in check(connection, "hall").faults if fault.about == "leaf"] == [leaf]
