"""Pages of a change: its picture and what it rests on; and the page on which a baseline is handed in."""
# ruff: noqa: E501

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.database import Connection
from kpi.evaluate import evaluate
from kpi.records.baselines import baselines
from kpi.results import newest, store
from tests.changing import METER, hourly_file, noise, sha256
from tests.evaluated import hours, made_site
from tests.web import Page, Web, form_token, people, web

BEFORE = (date(2024, 3, 1), date(2025, 3, 1))
FILE = hourly_file(*BEFORE, lambda at: round(10.0 + 3 * (8 <= at.hour < 19) + (at.toordinal() % 17) / 10, 2))
KPI = (
    'k: {name: 조명 전력량, target: "<= -10 %", measure: {change: {of: {integral: power}, pair: {weekday: true, holidays: KR},'
    f" baseline: {{file: m.csv, sha256: {sha256(FILE)}, window: [2024-03-01, 2025-03-01], value: kWh, unit: kWh, zone: Asia/Seoul}}}}}}}}"
)


@pytest.fixture
def running(database_url: str, connection: Connection) -> Iterator[Web]:
    site = made_site(connection, KPI, slot=METER)
    at_us = hours(date(2025, 3, 1), date(2025, 11, 1))
    day = (at_us // 3_600_000_000 + 9) % 24
    site.heard("a", "power", at_us, np.round(8 + 2.4 * ((day >= 8) & (day < 19)) + noise(1, len(at_us), 0.8, 0.9), 2))
    people(connection)
    connection.execute("UPDATE person SET sites = '{s}', companies = '{c}' WHERE role IN ('officer', 'company')")
    with web(database_url) as found:
        yield found


def test_a_baseline_is_handed_in_on_its_page_and_its_picture_is_drawn(running: Web, connection: Connection) -> None:
    with running.logged_in("admin") as team:
        page = team.get("/pilots/hall/baselines")
        assert sha256(FILE) in page.text and not Page(page.text).inline
        asked = {"kpi": "k", "form_token": form_token(page.text)}
        wrong = team.post("/pilots/hall/baselines", data=asked, files={"file": ("m.csv", FILE + b"\n")})
        assert wrong.status_code == 400 and "SHA-256" in wrong.text, wrong.text[1500:5500]
        right = team.post("/pilots/hall/baselines", data=asked, files={"file": ("C:\\docs\\m.csv", FILE)})
        assert right.status_code == 303
        assert [one.file_name for one in baselines(connection, "hall")] == ["m.csv"]
        assert team.get("/pilots/hall/baselines/1").content == FILE
        store(connection, evaluate(connection, "hall", final=True), who="cli:test")
        shown = team.get("/pilots/hall/results/final/2025-11-01/k")
        assert shown.status_code == 200, shown.text[:400]
        assert "효과의 입증 아님" in shown.text and "같은 주·같은 요일" in shown.text and "kWh/d" in shown.text
        english = team.get("/pilots/hall/results/final/2025-11-01/k?lang=en").text
        assert "no proof of an effect" in english and "paired by week and weekday" in english
        spec = team.get("/pilots/hall/results/final/2025-11-01/k/change.json?lang=ko").json()["spec"]
        series = {row["series"] for rows in spec["datasets"].values() for row in rows if "series" in row}
        assert series == {"실증 중", "기준값"}
        image = team.get("/pilots/hall/results/final/2025-11-01/k/change.svg")
        assert image.status_code == 200 and b"<svg" in image.content
        assert team.get("/pilots/hall/results/final/2025-11-01/none/change.json").status_code == 404


def test_a_company_reads_and_does_not_hand_in(running: Web) -> None:
    with running.logged_in("company") as company:
        page = company.get("/pilots/hall/baselines")
        assert page.status_code == 200 and 'type="file"' not in page.text
        asked = {"kpi": "k", "form_token": form_token(company.get("/pilots/hall").text) or "x"}
        refused = company.post("/pilots/hall/baselines", data=asked, files={"file": ("m.csv", FILE)})
        assert refused.status_code in (403, 404)


def test_the_opinion_shows_before_and_after(running: Web, connection: Connection) -> None:
    from kpi.records.baselines import add_baseline
    from kpi.reports.gather import opinion_data
    from kpi.reports.opinion import opinion_pdf

    add_baseline(connection, "hall", "k", "m.csv", FILE, who="cli:test")
    store(connection, evaluate(connection, "hall", month="2025-08"), who="cli:test")
    found = newest(connection, "hall", "month", "2025-08")
    assert found is not None
    data = opinion_data(connection, found)
    assert data.kpis[0].compared is not None
    assert "효과의 입증 아님" in str(data.kpis[0].compared["ko"][0]["description"])
    made = opinion_pdf(data)
    if folder := os.environ.get("PILOTBED_TEST_PICTURES"):
        (Path(folder) / "change-opinion.pdf").write_bytes(made)
    assert made.startswith(b"%PDF") and opinion_pdf(data, "en").startswith(b"%PDF")
