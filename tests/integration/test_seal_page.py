"""The seals' page, the seal as a file, and the public keys for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.database import Connection
from telemetry.seals.close import Sealer, seal_days, seal_now
from telemetry.seals.heads import Heads
from telemetry.seals.signing import is_signed, make_key
from tests.web import Web, apply, feed, people, plan_text, web


@pytest.fixture
def site(connection: Connection, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr("dashboards.routes.seals._MOST", 5)
    apply(connection, plan_text("air"))
    people(connection)
    feed(connection, "air", hours=1)
    connection.execute("UPDATE pilot SET created_at = created_at - interval '8 days'")
    sealer = Sealer(key=make_key(connection, tmp_path / "seal.key"), heads=Heads(tmp_path / "seal.key"))
    seal_days(connection, "air", sealer, closed=datetime.now(UTC) - timedelta(days=3))
    seal_now(connection, "air", sealer)
    with web(database_url) as running:
        yield running


def test_the_keys_are_there_for_everybody(site: Web, connection: Connection) -> None:
    with site.visitor() as stranger:
        answer = stranger.get("/.well-known/pilotbed-seal-keys.json")
        assert stranger.get("/pilots/air/seals").status_code == 303
    [key] = answer.json()["keys"]
    row = connection.execute("SELECT fingerprint, encode(public_key, 'hex') AS public_key FROM seal_key").fetchone()
    assert row is not None and (key["fingerprint"], key["public_key"]) == (row["fingerprint"], row["public_key"])


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_shows_the_newest_and_leads_to_the_others(site: Web, language: str) -> None:
    with site.logged_in("company") as browser:
        first = browser.get(f"/pilots/air/seals?lang={language}")
        second = browser.get("/pilots/air/seals?before=5")
    assert first.status_code == second.status_code == 200
    assert ("중간 봉인" if language == "ko" else "interim") in first.text
    assert first.text.count("seals.json?number=") == 5 and "/pilots/air/seals?before=5" in first.text
    assert second.text.count("seals.json?number=") == 4 and 'seals?before=1"' not in second.text


def test_a_seal_as_a_file_verifies(site: Web) -> None:
    with site.logged_in("company") as browser:
        said = browser.get("/pilots/air/seals.json?number=1").json()
        newest = browser.get("/pilots/air/seals.json").json()
        assert browser.get("/pilots/air/seals.json?number=999").status_code == 404
    assert (said["number"], newest["number"], newest["interim"]) == (1, 9, True)
    assert is_signed(said["record"].encode(), bytes.fromhex(said["signature"]), bytes.fromhex(said["public_key"]))
    assert json.loads(newest["record"])["rows"]["reading"] == 60


def test_others_see_nothing(site: Web) -> None:
    with site.logged_in("company-elsewhere") as browser:
        for path in ("seals", "seals.json"):
            assert browser.get(f"/pilots/air/{path}").status_code == 404
