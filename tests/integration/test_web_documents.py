"""Documents to take away: the same numbers on the page, in the file and over the interface, and their code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import httpx
import pytest
import rfc8785
from pypdf import PdfReader

from core.canonical import check_code
from core.database import Connection
from kpi.results import newest
from tests.web import Web, apply, feed, judge_month, plan_text, web_of_air


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    with web_of_air(database_url, connection) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


def test_the_opinion_is_made_once_and_carries_its_numbers(officer: httpx.Client, connection: Connection) -> None:
    assert officer.get("/pilots/air/opinion/2026-01.pdf").status_code == 404
    feed(connection, "air")
    month = judge_month(connection, "air")
    assert f"/pilots/air/opinion/{month}.pdf" in officer.get("/pilots/air/documents").text
    first = officer.get(f"/pilots/air/opinion/{month}.pdf")
    assert first.headers["content-type"] == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(first.content)).pages)
    assert "모니터링 의견서" in text and "초미세먼지" in text
    assert officer.get(f"/pilots/air/opinion/{month}.pdf").content == first.content
    english = officer.get(f"/pilots/air/opinion/{month}.pdf?lang=en")
    assert "Monitoring opinion" in PdfReader(BytesIO(english.content)).pages[0].extract_text()


def test_past_retention_what_was_stored_stays_and_nothing_is_made_of_nothing(
    officer: httpx.Client, connection: Connection
) -> None:
    feed(connection, "air")
    month = judge_month(connection, "air")
    connection.execute("INSERT INTO retired SELECT pilot_id, now(), now(), now() FROM pilot")
    gone = officer.get(f"/pilots/air/opinion/{month}.pdf")
    assert gone.status_code == 410 and "보존기간이 끝나 측정값을 삭제했습니다" in gone.text
    assert officer.get("/pilots/air/documents").status_code == 200
    assert officer.get(f"/api/v1/pilots/air/evaluation?month={month}").status_code == 200


def test_the_page_the_file_and_the_interface_give_the_same_result(
    officer: httpx.Client, connection: Connection
) -> None:
    assert officer.get("/api/v1/pilots/air/evaluation").status_code == 404
    feed(connection, "air")
    month = judge_month(connection, "air")
    result = newest(connection, "air", "month", month)
    assert result is not None
    document = officer.get(f"/api/v1/pilots/air/evaluation?month={month}").json()
    assert document["sha256"] == result.sha256 and document["kpis"] == result.document["kpis"]
    assert officer.get(f"/pilots/air/evaluation.json?kind=month&label={month}").json() == document
    assert officer.get("/api/v1/pilots/air/evaluation").json() == document
    assert check_code(result.sha256) in officer.get("/pilots/air/documents").text


def test_the_plan_comes_back_byte_by_byte(officer: httpx.Client, connection: Connection) -> None:
    row = connection.execute("SELECT sha256 FROM plan_version").fetchone()
    assert row is not None
    assert hashlib.sha256(officer.get("/pilots/air/plan.yaml").content).hexdigest() == row["sha256"]


def test_the_page_shows_the_code_that_the_pdf_prints_and_anybody_can_compute_it(
    officer: httpx.Client, connection: Connection
) -> None:
    feed(connection, "air")
    month = judge_month(connection, "air")
    page = officer.get("/pilots/air/documents").text
    given = officer.get(f"/pilots/air/opinion/{month}.json").json()
    computed = hashlib.sha256(rfc8785.dumps(given["opinion"])).hexdigest()
    code = "-".join(re.findall("....", computed[:16])).upper()
    assert (computed, code) == (given["sha256"], given["check_code"])
    assert f"<code>{code}</code>" in page and f"opinion/{month}.json" in page
    for language in ("en", "ko"):
        pdf = PdfReader(BytesIO(officer.get(f"/pilots/air/opinion/{month}.pdf?lang={language}").content))
        text = "".join(page.extract_text() for page in pdf.pages)
        assert code in text and computed in re.sub(r"\s", "", text)


def test_an_opinion_waits_until_an_officer_has_opened_it(site: Web, connection: Connection) -> None:
    apply(connection, plan_text("old", days=70))
    last = datetime.now(ZoneInfo("Asia/Seoul")).date().replace(day=1) - timedelta(days=1)
    task = "/pilots/old/documents"
    judge_month(connection, "old", last)
    with site.logged_in("officer") as officer, site.logged_in("admin") as admin:
        assert task not in officer.get("/").text, "nothing was received: nothing to look at"
        feed(connection, "old", hours=1)
        assert task in officer.get("/").text
        assert admin.get(f"/pilots/old/opinion/{last:%Y-%m}.pdf").status_code == 200
        assert task in officer.get("/").text, "the team has read it, the site has not"
        assert officer.get(f"/pilots/old/opinion/{last:%Y-%m}.pdf").status_code == 200
        assert task not in officer.get("/").text
    rows = connection.execute("SELECT who, pilot, object FROM audit WHERE what = 'opinion.open'").fetchall()
    assert rows == [{"who": "officer", "pilot": "old", "object": f"opinion {last:%Y-%m}"}]
