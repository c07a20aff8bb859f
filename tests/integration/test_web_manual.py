"""What people enter on the pages: form, preview, document, list, withdrawal; and who may not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.database import Connection, connected
from kpi.records.documents import MOST_BYTES
from kpi.records.manual import manual_entries
from tests.web import Web, apply, form_token, people, plan_text, web

MANUAL = """
manual:
  complaints: {name: 민원 건수, kind: count, unit: 건, exposure: {id: resident-days, name: 주민 수×일수, unit: resident-day}}
  satisfaction: {name: 이용자 만족도, kind: sample, unit: 점, range: [1, 5], source: 현장 설문}
  meter: {name: 검침값, kind: value, unit: kWh, slots: [platform-1]}
"""
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40


@pytest.fixture
def running(database_url: str) -> Iterator[tuple[Web, Connection]]:
    with connected(database_url) as connection:
        apply(connection, plan_text("air", days=60) + MANUAL)
        apply(connection, plan_text("harbour-air", site="harbour", company="rival") + MANUAL)
        people(connection)
        with web(database_url) as running:
            yield running, connection


def _days(pilot_days_ago: int) -> str:
    from datetime import UTC, datetime

    return ((datetime.now(UTC) + timedelta(hours=9)).date() - timedelta(days=pilot_days_ago)).isoformat()


def _given(**changed: str) -> dict[str, str]:
    usual = {
        "of": "complaints", "start": _days(40), "end": _days(11), "value": "12", "exposure": "24,000",
        "measured_by": "구청 민원과 김주무관", "note": "",
    }  # fmt: skip
    return usual | changed


def _preview(
    browser: httpx.Client, file: tuple[str, bytes] | None = ("민원 5월.pdf", PDF), **changed: str
) -> httpx.Response:
    given = _given(**changed)
    token = form_token(browser.get(f"/pilots/air/manual/new?of={given['of']}").text)
    files = None if file is None else {"document": (*file, "text/html")}
    return browser.post("/pilots/air/manual/preview", data={"form_token": token, **given}, files=files)


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def _recorded(browser: httpx.Client, **changed: Any) -> httpx.Response:
    return browser.post("/pilots/air/manual", data=_hidden(_preview(browser, **changed).text))


def test_an_officer_enters_sees_it_before_and_everybody_sees_it_unaltered(running: tuple[Web, Connection]) -> None:
    site, connection = running
    sha256 = hashlib.sha256(PDF).hexdigest()
    with site.logged_in("officer") as browser:
        assert "수기 관측값" in browser.get("/pilots/air").text
        shown = _preview(browser)
        assert shown.status_code == 200 and sha256 in shown.text and "되돌릴 수 없습니다" in shown.text
        assert "12건" in shown.text and "24,000주민·일" in shown.text
        assert manual_entries(connection, "air") == []
        assert browser.post("/pilots/air/manual", data=_hidden(shown.text)).status_code == 303
    [one] = manual_entries(connection, "air")
    assert (one.value, one.exposure, one.exposure_unit, one.recorded_by) == (12, 24000, "resident-day", "officer")
    assert (one.sha256, one.document, one.bytes, one.media_type) == (
        sha256,
        "민원 5월.pdf",
        len(PDF),
        "application/pdf",
    )
    for name in ("company", "committee", "officer", "admin"):
        with site.logged_in(name) as browser:
            page = browser.get("/pilots/air/manual").text
            assert "구청 민원과 김주무관" in page and "officer" in page and sha256[:12] in page
            assert ("입력하기" in page) == (name in ("officer", "admin"))
            got = browser.get(f"/pilots/air/manual/documents/{sha256}")
            assert got.content == PDF and got.headers["x-content-type-options"] == "nosniff"
            assert got.headers["content-disposition"].startswith("attachment; filename=")
            assert "%EB%AF%BC%EC%9B%90" in got.headers["content-disposition"]
    for name in ("officer-elsewhere", "company-elsewhere", "committee-elsewhere"):
        with site.logged_in(name) as browser:
            assert browser.get(f"/pilots/air/manual/documents/{sha256}").status_code == 404
            assert browser.get(f"/pilots/harbour-air/manual/documents/{sha256}").status_code == 404, "by another pilot"
    with site.visitor() as browser:
        assert browser.get(f"/pilots/air/manual/documents/{sha256}").status_code == 303


def test_a_wrong_entry_is_withdrawn_with_why_and_another_takes_its_time(running: tuple[Web, Connection]) -> None:
    site, connection = running
    with site.logged_in("officer") as browser:
        other = _hidden(_preview(browser, value="13").text)
        assert _recorded(browser).status_code == 303
        for twice in (_preview(browser, value="13"), browser.post("/pilots/air/manual", data=other)):
            assert twice.status_code == 400 and "같은 기간의 입력이 이미 있습니다" in twice.text
        page = browser.get("/pilots/air/manual/1/withdraw").text
        assert "철회할까요" in page
        empty = browser.post("/pilots/air/manual/1/withdraw", data={"form_token": form_token(page), "why": " "})
        assert empty.status_code == 400
        gone = browser.post("/pilots/air/manual/1/withdraw", data={"form_token": form_token(page), "why": "잘못 셈"})
        assert gone.status_code == 303
        again = browser.post("/pilots/air/manual/1/withdraw", data={"form_token": form_token(page), "why": "또"})
        assert again.status_code == 400 and "이미 철회했습니다" in again.text
        assert _recorded(browser, value="13").status_code == 303
        assert "잘못 셈" in browser.get("/pilots/air/manual").text
    assert [(one.manual_id, one.value) for one in manual_entries(connection, "air")] == [(2, 13)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": "-1"}, "0 이상의 정수가 아닙니다"),
        ({"value": "2.5"}, "0 이상의 정수가 아닙니다"),
        ({"value": "12 kg"}, "단위"),
        ({"value": "열둘"}, "숫자가 아닙니다"),
        ({"value": "nan"}, "너무 큰 숫자"),
        ({"exposure": ""}, "나눔 기준(주민 수×일수)이 없습니다"),
        ({"exposure": "0"}, "0보다 커야"),
        ({"exposure": "100 device-day"}, "단위"),
        ({"start": "", "end": ""}, "기간의 시작일과 종료일"),
        ({"start": "2026-13-01"}, "날짜(2026-05-01)도 시각"),
        ({"end": "2999-01-01"}, "아직 끝나지 않은 기간"),
        ({"of": "satisfaction", "value": "4.2", "exposure": "", "n": "0", "sd": "1"}, "표본수"),
        ({"of": "satisfaction", "value": "4.2", "exposure": "", "n": "12.5", "sd": "1"}, "정수가 아닙니다"),
        ({"of": "satisfaction", "value": "4.2", "exposure": "", "n": "100", "sd": ""}, "표준편차를"),
        ({"of": "satisfaction", "value": "4.2", "exposure": "", "n": "100", "sd": "3"}, "나올 수 없는 값"),
        ({"of": "satisfaction", "value": "6", "exposure": "", "n": "100", "sd": "1"}, "범위(1~5)를 벗어납니다"),
        ({"of": "meter", "value": "6", "exposure": ""}, "설치 지점마다"),
        ({"of": "meter", "value": "6", "exposure": "", "slot": "elsewhere"}, "설치 지점마다"),
        ({"measured_by": "김" * 300}, "200자"),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(
    running: tuple[Web, Connection], changed: dict[str, str], said: str
) -> None:
    site, connection = running
    with site.logged_in("officer") as browser:
        answer = _preview(browser, ("민원 5월.pdf", PDF), **changed)
    assert answer.status_code == 400 and said in answer.text
    assert manual_entries(connection, "air") == []


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (None, 400, "비어 있습니다"),
        (("a.pdf", b""), 400, "비어 있습니다"),
        (("a.pdf", b"x" * (MOST_BYTES + 1)), 400, "너무 큽니다(10 MiB까지)"),
        (("a.pdf", b"x" * (MOST_BYTES + (3 << 20))), 413, "파일이 너무 큽니다"),
    ],
    ids=["no file", "zero bytes", "one byte too large", "far too large"],
)
def test_a_document_that_cannot_be_kept_is_one_clear_error(
    running: tuple[Web, Connection], file: tuple[str, bytes] | None, status: int, said: str
) -> None:
    site, connection = running
    with site.logged_in("officer") as browser:
        answer = _preview(browser, file)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text[:2000]
    kept = connection.execute("SELECT (SELECT count(*) FROM document) + (SELECT count(*) FROM document_upload) AS n")
    row = kept.fetchone()
    assert row is not None and row["n"] == 0


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "x\u202efdp.exe", ".", "<i>.html"]
)
def test_tricks_in_a_file_name_leave_a_plain_name(running: tuple[Web, Connection], name: str) -> None:
    site, connection = running
    with site.logged_in("officer") as browser:
        assert _recorded(browser, file=(name, b"<script>alert(1)</script>")).status_code == 303
        [one] = manual_entries(connection, "air")
        assert not set(one.document) & set("/\\\u202e") and one.document.strip(".")
        got = browser.get(f"/pilots/air/manual/documents/{one.sha256}")
        assert got.headers["content-type"] == "application/octet-stream" or one.document.endswith(".ini")
        assert "\r" not in got.headers["content-disposition"] and 'filename="' in got.headers["content-disposition"]
        assert "<i>" not in browser.get("/pilots/air/manual").text


def test_only_those_who_may_enter_do(running: tuple[Web, Connection]) -> None:
    site, connection = running
    with site.logged_in("officer") as browser:
        waiting = _hidden(_preview(browser).text)
    with site.logged_in("admin") as browser:
        own = _hidden(_preview(browser).text)
        stolen = browser.post("/pilots/air/manual", data=own | {"upload": waiting["upload"]})
        assert stolen.status_code == 400 and "올린 문서가 없어졌습니다" in stolen.text, "another's file"
        assert browser.get("/pilots/air/manual/new?of=nothing").status_code == 404
        assert browser.get("/pilots/air/manual/99/withdraw").status_code == 404
        wrong = browser.post("/pilots/harbour-air/manual", data=own)
        assert wrong.status_code == 400, "the file waits for the other pilot's form"
    for name, status in (("company", 403), ("committee", 403), ("officer-elsewhere", 404)):
        with site.logged_in(name) as browser:
            token = form_token(browser.get("/").text)
            answer = browser.post("/pilots/air/manual", data={**waiting, "form_token": token})
            assert answer.status_code == status, name
    assert manual_entries(connection, "air") == []
