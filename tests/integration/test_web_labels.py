"""Truth labels on the pages: a file is shown row by row before it is taken, and the list of pairs stands beside the figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import httpx
import pytest

from core.database import Connection
from kpi.evaluate import evaluate
from kpi.records.labels import labels
from kpi.results import store
from tests.detecting import SAMPLE, alerted, at, cameras, detection, label, labelled, seconds
from tests.evaluated import Site
from tests.web import form_token, people, web

KPIS = f"""
recall: {{name: 낙상 재현율, measure: {detection()}, target: ">= 70 %", completeness: 1, decision: estimate}}
f1: {{name: 낙상 F1, measure: {detection("f1", truth="by: site, " + SAMPLE)}, target: ">= 0.9", completeness: 1}}
"""
HEADS = "지점,시작,종료,결과,위치,비고,속성.심각도\n"


@pytest.fixture
def site(connection: Connection) -> Site:
    made = cameras(connection, KPIS)
    people(connection)
    connection.execute("UPDATE person SET sites = '{s}' WHERE name = 'officer'")
    connection.execute("UPDATE person SET companies = '{c}' WHERE name = 'company'")
    return made


@pytest.fixture
def officer(database_url: str, site: Site) -> Iterator[httpx.Client]:
    with web(database_url) as running, running.logged_in("officer") as browser:
        yield browser


def previewed(browser: httpx.Client, content: bytes, **fields: str) -> httpx.Response:
    page = browser.get("/pilots/hall/labels/new?of=fall-truth")
    assert page.status_code == 200, page.text
    said = {"of": "fall-truth", "labeller": "김관제", "side": "site", "blind": "yes", "reader": "1"} | fields
    return browser.post(
        "/pilots/hall/labels/preview",
        data={**said, "form_token": form_token(page.text)},
        files={"document": ("라벨.csv", content, "text/csv")},
    )


def hidden(page: str, name: str) -> str:
    found = page.split(f'name="{name}" value="', 1)[1]
    return found.split('"', 1)[0]


def taken(browser: httpx.Client, page: str) -> httpx.Response:
    fields = {
        name: hidden(page, name) for name in ("of", "labeller", "side", "blind", "reader", "upload", "form_token")
    }
    return browser.post("/pilots/hall/labels", data=fields)


def test_a_file_of_korean_excel_is_shown_row_by_row_and_the_good_rows_are_taken(
    officer: httpx.Client, connection: Connection
) -> None:
    text = HEADS + (
        "a,2025-03-05 10:00:00,,발생,거실,,중\n"
        "a,2025-03-05 11:00,2025-03-05 11:10,이상 없음,,,\n"
        "b,2025-03-05 12:00,,발생,,,\n"
        "a,어제,,발생,,,\n"
        "a,2025-03-05 10:00:00,,발생,거실,,중\n"
        "a,2025. 3. 6. 10:00,,발생,,,\n"
        "a,2025-03-07 오후 1:05:30,,미발생,,\"쉼표, 따옴표\",경\n"
    )  # fmt: skip
    shown = previewed(officer, text.encode("cp949"))
    assert shown.status_code == 200, shown.text
    assert "CP949" in shown.text
    for sentence in (
        "지점 &#39;b&#39;에는 정답 기록 fall-truth이(가) 없습니다",
        "2번째 줄과 같은 기록입니다",
        "처럼 씁니다",
    ):
        assert sentence in shown.text, sentence
    assert "3건을 기록합니다" in shown.text
    answer = taken(officer, shown.text)
    assert answer.status_code == 303, answer.text
    found = labels(connection, "hall")
    assert [(one.outcome, one.place, one.file_line) for one in found] == [
        ("positive", "거실", 2), ("empty", "", 3), ("negative", "", 8),
    ]  # fmt: skip
    assert found[0].attributes == {"심각도": "중"}
    assert (found[0].side, found[0].blind, found[0].recorded_by) == ("site", True, "officer")
    listed = officer.get("/pilots/hall/labels").text
    assert "라벨.csv" in listed and "거실" in listed
    # The same file again: nothing is recorded twice.
    again = previewed(officer, text.encode("cp949"))
    assert "이미 기록되어 있습니다" in again.text and "기록할 수 있는 줄이 없습니다" in again.text


def test_an_officer_cannot_speak_for_another_side(officer: httpx.Client, connection: Connection) -> None:
    text = (
        "slot,start,outcome,side\na,2025-03-05T10:00:00+09:00,positive,outside\na,2025-03-05T11:00:00+09:00,positive,\n"
    )
    shown = previewed(officer, text.encode())
    assert "이 계정으로 올릴 수 없습니다" in shown.text
    assert taken(officer, shown.text).status_code == 303
    assert [one.side for one in labels(connection, "hall")] == ["site"]


def test_a_file_that_is_none_is_told_and_nothing_is_recorded(officer: httpx.Client, connection: Connection) -> None:
    for content, told in (
        (b"", "empty"), (b"PK\x03\x04\x00\x00\xff\xfe", "CP949"), ("지점,언제\n".encode(), "라벨에 없는 항목"),
        ("지점,시작\n".encode(), "outcome (결과) 항목이 없습니다"),
    ):  # fmt: skip
        answer = previewed(officer, content)
        assert (answer.status_code, told in answer.text) == (400, True), told
    assert labels(connection, "hall") == []


def test_one_label_is_entered_and_withdrawn(officer: httpx.Client, connection: Connection) -> None:
    page = officer.get("/pilots/hall/labels/new?of=fall-truth").text
    answer = officer.post(
        "/pilots/hall/labels/one",
        data={
            "of": "fall-truth", "labeller": "김관제", "side": "site", "blind": "yes", "reader": "1", "slot": "a",
            "start": "2025-03-05T10:00:10", "outcome": "positive", "form_token": form_token(page),
        },
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    [one] = labels(connection, "hall")
    assert one.start_at == at("2025-03-05 10:00:10")
    form = officer.get(f"/pilots/hall/labels/{one.label_id}/withdraw")
    assert "철회할까요?" in form.text
    gone = officer.post(
        f"/pilots/hall/labels/{one.label_id}/withdraw", data={"why": "다른 방", "form_token": form_token(form.text)}
    )
    assert gone.status_code == 303
    assert labels(connection, "hall") == []
    assert "다른 방" in officer.get("/pilots/hall/labels").text


def test_the_company_sees_labels_and_enters_none(database_url: str, site: Site) -> None:
    with web(database_url) as running, running.logged_in("company") as browser:
        assert browser.get("/pilots/hall/labels").status_code == 200
        assert browser.get("/pilots/hall/labels/new?of=fall-truth").status_code in (403, 404)


def test_the_windows_to_label_are_downloaded(officer: httpx.Client) -> None:
    answer = officer.get("/pilots/hall/labels/windows/f1.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0].keys() == {"slot", "start", "end", "look_from", "look_until"}
    assert rows[0]["start"].startswith("2025-03-01T") and rows[0]["start"].endswith("+09:00")
    assert officer.get("/pilots/hall/labels/windows/recall.csv").status_code == 404


def test_the_pairs_stand_beside_the_figure(officer: httpx.Client, site: Site, connection: Connection) -> None:
    labelled(site, label("a", at("2025-03-05 10:00:00")), label("a", at("2025-03-06 10:00:00")))
    alerted(site, "a", at("2025-03-05 10:00:00") + seconds(4), at("2025-03-09 10:00:00"))
    result = evaluate(connection, "hall", at=at("2025-06-01").date())
    store(connection, result, who="cli:test")
    page = officer.get("/pilots/hall/results/date/2025-06-01/recall").text
    for text in ("경보와 정답의 대조", "미탐지", "오경보", "4.00", result.document["kpis"][0]["matching"]["sha256"]):
        assert text in page, text
    english = officer.get("/pilots/hall/results/date/2025-06-01/recall?lang=en").text
    assert "Alerts against the truth" in english
