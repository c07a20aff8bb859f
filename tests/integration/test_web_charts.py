"""Charts of channels: the same specification for scripts and as an image; gaps stay gaps."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from core.database import Connection
from tests.web import Web, feed, web_of_air


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    with web_of_air(database_url, connection) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


def test_a_channel_has_a_chart_for_scripts_and_one_as_an_image(officer: httpx.Client, connection: Connection) -> None:
    empty = officer.get("/pilots/air/charts/platform-1/pm25.json").json()
    assert empty == {"empty": "이 기간에는 받은 값이 없습니다"}
    feed(connection, "air", hours=30)
    for span in ("24h", "7d", "31d", "all", "nonsense"):
        found = officer.get(f"/pilots/air/charts/platform-1/pm25.json?span={span}").json()
        assert found["options"]["ast"] is True and found["spec"]["width"] == "container"
        assert "datetime(" not in json.dumps(found["spec"])
        text = json.dumps(found["spec"], ensure_ascii=False)
        assert '"utc": true' in text and "초미세먼지 (µg/m³)" in text and "35 µg/m³ 이하" in text
    image = officer.get("/pilots/air/charts/platform-1/pm25.svg?span=7d")
    assert image.headers["content-type"] == "image/svg+xml" and image.text.startswith("<svg")
    for wrong in ("platform-1/mode", "platform-1/none", "none/pm25"):
        assert officer.get(f"/pilots/air/charts/{wrong}.json").status_code == 404


def test_a_gap_stays_a_gap(officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=20)
    connection.execute(
        "DELETE FROM reading WHERE observed_at BETWEEN now() - interval '8 h' AND now() - interval '5 h'"
    )
    found = officer.get("/pilots/air/charts/platform-1/pm25.json").json()["spec"]
    rows = next(rows for rows in found["datasets"].values() if rows and "mean" in rows[0])
    assert {row["segment"] for row in rows} == {1, 2}
