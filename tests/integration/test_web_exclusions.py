"""Exclusions asked for and agreed on the pages: three people, three acts, what it changes before, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.audit import entries
from core.database import Connection, connected
from kpi.records.exclusions import exclusions
from tests.web import Web, apply, feed, form_token, judge_month, people, plan_text, web

HOURS = {"start": 30, "end": 26}


@pytest.fixture
def running(database_url: str) -> Iterator[tuple[Web, Connection]]:
    with connected(database_url) as connection:
        apply(connection, plan_text("air"))
        apply(connection, plan_text("harbour-air", site="harbour", company="rival"))
        people(connection)
        feed(connection, "air", value=40.0)
        judge_month(connection, "air")
        with web(database_url) as running:
            yield running, connection


def _local(hours_ago: float) -> str:
    """As a form's own field for dates writes it, in Seoul."""
    return (datetime.now(UTC) + timedelta(hours=9 - hours_ago)).strftime("%Y-%m-%dT%H:%M")


def _given(**changed: str) -> dict[str, str]:
    usual = {
        "slot": "platform-1", "start": _local(HOURS["start"]), "end": _local(HOURS["end"]), "reason": "construction",
        "note": "역사 공사, 공문 12호",
    }  # fmt: skip
    return usual | changed


def _send(browser: httpx.Client, address: str, page: str, **data: str) -> httpx.Response:
    return browser.post(address, data={"form_token": form_token(browser.get(page).text), **data})


def _asked(browser: httpx.Client, **changed: str) -> httpx.Response:
    return _send(browser, "/pilots/air/exclusions", "/pilots/air/exclusions/ask", **_given(**changed))


def test_three_people_make_an_exclusion_and_it_counts_from_the_second_consent(running: tuple[Web, Connection]) -> None:
    site, connection = running
    with site.logged_in("company") as browser:
        shown = _send(browser, "/pilots/air/exclusions/preview", "/pilots/air/exclusions/ask", **_given())
        assert shown.status_code == 200, shown.text
        assert (
            "초미세먼지 기준 유지율" in shown.text and "제외하면" in shown.text and "되돌릴 수 없습니다" in shown.text
        )
        assert exclusions(connection, "air") == [], "a preview records nothing"
        made = _asked(browser)
        assert (made.status_code, made.headers["location"]) == (303, "/pilots/air/exclusions/1")
        assert "답을 기다림" in browser.get("/pilots/air/exclusions/1").text
    with site.logged_in("officer") as browser:
        home = browser.get("/").text
        assert "평가 제외 요청 1건" in home and "/pilots/air/exclusions/1" in home
        page = browser.get("/pilots/air/exclusions/1").text
        assert "수요처 담당자(으)로서 동의합니다" in page and "동의는 되돌릴 수 없습니다" in page
        assert _send(browser, "/pilots/air/exclusions/1/agree", "/pilots/air/exclusions/1").status_code == 303
        assert exclusions(connection, "air") == [], "one consent is none"
        assert "평가 제외 요청 1건" not in browser.get("/").text
        again = _send(browser, "/pilots/air/exclusions/1/agree", "/pilots/air/exclusions/1")
        assert again.status_code == 400 and "이미 동의했습니다" in again.text
    with site.logged_in("admin") as browser:
        assert "평가 제외 요청 1건" in browser.get("/").text
        before = datetime.now(UTC)
        assert _send(browser, "/pilots/air/exclusions/1/agree", "/pilots/air/exclusions/1").status_code == 303
        late = _send(browser, "/pilots/air/exclusions/1/refuse", "/pilots/air/exclusions/1", why="늦게")
        assert late.status_code == 400 and "이미 합의되었습니다" in late.text
    [one] = exclusions(connection, "air")
    assert (one.asked_by, one.agreed_site, one.agreed_team) == ("company", "officer", "admin")
    assert one.recorded_at >= before and one.window.seconds == 4 * 3600
    assert exclusions(connection, "air", as_of=before) == []
    acts = [
        (row["what"], row["who"]) for row in entries(connection, pilot="air") if row["what"].startswith("exclusion")
    ]
    assert sorted(acts) == [
        ("exclusion.add", "admin"), ("exclusion.agree", "admin"), ("exclusion.agree", "officer"),
        ("exclusion.ask", "company"),
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["officer", "admin"])
def test_either_side_refuses_with_a_reason_and_then_nobody_agrees(running: tuple[Web, Connection], who: str) -> None:
    site, connection = running
    with site.logged_in("company") as browser:
        _asked(browser)
    with site.logged_in(who) as browser:
        empty = _send(browser, "/pilots/air/exclusions/1/refuse", "/pilots/air/exclusions/1", why="  ")
        assert empty.status_code == 400 and "비워 둔 칸" in empty.text
        said = _send(browser, "/pilots/air/exclusions/1/refuse", "/pilots/air/exclusions/1", why="공사가 없었음")
        assert said.status_code == 303
        assert "공사가 없었음" in browser.get("/pilots/air/exclusions").text
    with site.logged_in({"officer": "admin", "admin": "officer"}[who]) as browser:
        page = browser.get("/pilots/air/exclusions/1")
        assert "동의합니다" not in page.text
        token = form_token(browser.get("/pilots/air/exclusions/1").text)
        after = browser.post("/pilots/air/exclusions/1/agree", data={"form_token": token})
        assert after.status_code == 400 and "이미 거절되었습니다" in after.text
    assert exclusions(connection, "air") == []


def test_the_company_takes_back_what_waits(running: tuple[Web, Connection]) -> None:
    site, _ = running
    with site.logged_in("company") as browser:
        _asked(browser)
        gone = _send(browser, "/pilots/air/exclusions/1/take-back", "/pilots/air/exclusions/1", why="다시 요청")
        assert gone.status_code == 303 and "거둠" in browser.get("/pilots/air/exclusions/1").text
        assert _asked(browser).headers["location"] == "/pilots/air/exclusions/2"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"start": "2026-01-05T00:00", "end": "2026-01-05T04:00"}, "판정하는 기간"),
        ({"reason": "weather"}, "사유가 아닙니다"),
        ({"reason": ""}, "사유가 아닙니다"),
        ({"note": " "}, "비워 둔 칸"),
        ({"start": "soon"}, "날짜(2026-05-01)도 시각"),
        ({"start": ""}, "기간의 시작일과 종료일"),
        ({"end": _local(40)}, "종료일"),
        ({"end": _local(-200)}, "한도를 넘습니다"),
        ({"slot": "elsewhere"}, "no slot"),
        ({"slot": "\0"}, "no slot"),
    ],
    ids=["before the pilot", "no reason of the list", "no reason", "no note", "no date", "no start", "backwards", "too much",
         "no slot", "a slot of zero bytes"],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_one_sentence_and_nothing_is_recorded(
    running: tuple[Web, Connection], changed: dict[str, str], said: str
) -> None:
    site, connection = running
    with site.logged_in("company") as browser:
        for address in ("/pilots/air/exclusions/preview", "/pilots/air/exclusions"):
            answer = _send(browser, address, "/pilots/air/exclusions/ask", **_given(**changed))
            assert answer.status_code == 400 and said in answer.text, answer.text
    count = connection.execute("SELECT count(*) AS n FROM exclusion_request").fetchone()
    assert count is not None and count["n"] == 0


def test_a_second_request_of_the_same_time_waits_for_the_first(running: tuple[Web, Connection]) -> None:
    site, _ = running
    with site.logged_in("company") as browser:
        _asked(browser)
        twice = _asked(browser)
        assert twice.status_code == 400 and "요청 1호와 시간이 겹칩니다" in twice.text


def test_the_wrong_people_can_neither_see_nor_say_anything(running: tuple[Web, Connection]) -> None:
    site, connection = running
    with site.logged_in("company") as browser:
        _asked(browser)
        assert _send(browser, "/pilots/air/exclusions/1/agree", "/pilots/air/exclusions/1").status_code == 403
    for name, asking, agreeing in (
        ("officer", 403, 303), ("committee", 403, 403), ("officer-elsewhere", 403, 404), ("company-elsewhere", 404, 403),
    ):  # fmt: skip
        with site.logged_in(name) as browser:
            token = form_token(browser.get("/").text)
            asked = browser.post("/pilots/air/exclusions", data={"form_token": token, **_given()})
            agreed = browser.post("/pilots/air/exclusions/1/agree", data={"form_token": token})
            assert (asked.status_code, agreed.status_code) == (asking, agreeing), name
            if name.endswith("elsewhere"):
                assert browser.get("/pilots/air/exclusions/1").status_code == 404
                own = "harbour-air"
                assert browser.get(f"/pilots/{own}/exclusions/1").status_code == 404, "a number of another pilot"
    with site.logged_in("officer") as browser:
        assert browser.post("/pilots/air/exclusions/1/agree", data={"form_token": "forged"}).status_code == 403
        assert browser.get(f"/pilots/air/exclusions/{2**70}").status_code == 404
    assert exclusions(connection, "air") == []
