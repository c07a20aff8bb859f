"""The page of data quality: how complete each day is, what was found, and where it is told besides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from core.database import Connection
from core.window import instant, micros
from telemetry.quality.judge import judge_all
from telemetry.summarise import summarise_all
from tests.web import Page, Web, apply, feed, people, plan_text, web

STUCK = {
    "rule": "flat_line", "suspect_above_s": 21600.0, "fail_above_s": 86400.0, "tolerance": 0.0, "by": "default",
    "suspect": 450, "fail": 0,
}  # fmt: skip
NOW = datetime.now(UTC)
SEOUL = timedelta(hours=9)


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    apply(connection, plan_text("air"))
    apply(connection, plan_text("harbour-air", site="harbour", company="rival"))
    people(connection)
    with web(database_url) as running:
        yield running


def find(
    connection: Connection,
    kind: str = "stuck",
    *,
    pilot: str = "air",
    hours_ago: float = 9,
    hours: float = 8,
    value: float | None = 12.3,
    unit: str = "ug/m^3",
    flag: int = 3,
    detail: dict[str, Any] | None = None,
    channel: str | None = "pm25",
    superseded: bool = False,
) -> int:
    start = NOW - timedelta(hours=hours_ago)
    row = connection.execute(
        "INSERT INTO finding (slot_id, channel_id, kind, start_at, end_at, value, unit, flag, detail, recorded_at, superseded_at)"
        " SELECT s.slot_id, c.channel_id, %(kind)s, %(start)s, %(end)s, %(value)s, %(unit)s, %(flag)s, %(detail)s,"
        " %(end)s, CASE WHEN %(superseded)s THEN %(end)s::timestamptz + interval '1 hour' END"
        " FROM pilot p JOIN slot s USING (pilot_id)"
        " LEFT JOIN channel c ON c.slot_id = s.slot_id AND c.name = %(channel)s WHERE p.name = %(pilot)s"
        " RETURNING finding_id",
        {
            "kind": kind, "start": start, "end": start + timedelta(hours=hours), "value": value, "unit": unit,
            "flag": flag, "detail": json.dumps(STUCK if detail is None else detail), "superseded": superseded,
            "channel": channel, "pilot": pilot,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row["finding_id"])


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])).split())


def test_a_pilot_without_any_data_says_what_will_appear(site: Web) -> None:
    with site.logged_in("company") as browser:
        said = text_of(browser.get("/pilots/air/quality"))
    assert "아직 점검한 자료가 없습니다" in said and "한 시간이 끝나면 몇 분 안에" in said
    assert "발견 없음" not in said


def test_nothing_found_is_said_with_until_when_it_was_checked(site: Web, connection: Connection) -> None:
    feed(connection, "air", hours=5)
    summarise_all(connection)
    judge_all(connection)
    connection.execute("UPDATE finding SET superseded_at = recorded_at WHERE superseded_at IS NULL")
    with site.logged_in("company") as browser:
        said = text_of(browser.get("/pilots/air/quality"))
        found = browser.get("/api/v1/pilots/air/findings").json()
    until = datetime.fromisoformat(found["checked_until"])
    assert NOW - timedelta(hours=2) <= until <= NOW + timedelta(hours=1)
    assert found["findings"] == [] and found["next"] is None
    assert re.search(rf"점검한 자료 {until + SEOUL:%Y. %-m. %-d.}\(.\) {until + SEOUL:%H:%M}까지, 발견 없음", said)


def test_the_calendar_shows_each_day_in_figures_and_marks_today(site: Web, connection: Connection) -> None:
    feed(connection, "air", hours=30)
    summarise_all(connection)
    with site.logged_in("officer") as browser:
        answer = browser.get("/pilots/air/quality")
        document = browser.get("/api/v1/pilots/air/completeness").json()
    page = Page(answer.text)
    assert not page.inline
    today = (NOW + SEOUL).date()
    assert document["days"][-1] == today.isoformat()
    share = document["share"][-1]
    assert share == pytest.approx(document["slots"][0]["share"][-1])
    links = [one for one in page.all("a") if f"day={today}" in (one.get("href") or "") and one.get("aria-label")]
    assert any("오늘" in (one["aria-label"] or "") and "자료획득률" in (one["aria-label"] or "") for one in links)
    assert {"intake", "findings"} <= {
        word
        for one in page.all("a")
        for word in ("intake", "findings")
        if str(today) in (one.get("href") or "") and word in str(one)
    }
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    assert len(page.all("caption")) >= len(page.all("table"))
    assert f"{int(share * 100 + 1e-9)}" in text_of(answer)


def test_a_day_that_was_agreed_is_told_by_a_word(site: Web, connection: Connection) -> None:
    feed(connection, "air", hours=3)
    summarise_all(connection)
    yesterday = (NOW + SEOUL).date() - timedelta(days=1)
    with site.logged_in("officer") as browser:
        before = browser.get(f"/pilots/air/quality?day={yesterday}")
        assert "제외한 시간" in text_of(before) and 'heat heat-out"><a' not in before.text
        connection.execute(
            "INSERT INTO outage (pilot_id, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by)"
            " SELECT pilot_id, %s, %s, 'site-power', 'site', 'both', 'n', clock_timestamp(), 'x' FROM pilot WHERE name = 'air'",
            [f"{yesterday}T00:00+09:00", f"{yesterday + timedelta(days=1)}T00:00+09:00"],
        )
        answer = browser.get(f"/pilots/air/quality?day={yesterday}")
    assert 'heat heat-out"><a' in answer.text, "at once, though the calendar is kept"
    assert "평가 제외·합의한 장애·플랫폼 중단" in text_of(answer) and "1일" in text_of(answer)


def test_a_finding_is_told_in_a_sentence_with_its_threshold(site: Web, connection: Connection) -> None:
    find(connection)
    fail = {"rule": "gross_range", "fail_span": [0, 1000], "suspect_span": None, "by": "plan", "suspect": 0, "fail": 12}
    find(connection, "range", hours_ago=20, hours=1, value=1203.0, flag=4, detail=fail)
    with site.logged_in("company") as browser:
        said = text_of(browser.get("/pilots/air/quality"))
        english = text_of(browser.get("/pilots/air/quality?lang=en"))
    assert "고정값 ▲ 의심" in said and "8시간 동안 같은 값 12.3 µg/m³(기준 6시간)." in said
    assert "범위 이탈 ✕ 오류" in said and "값 1,203 µg/m³: 있을 수 있는 범위(0 ~ 1,000 µg/m³) 밖." in said
    assert "실증계획의 기준" in said and "측정값 12건" in said
    assert "1,203 µg/m³, outside of what is possible (0 ~ 1,000 µg/m³)." in english


def test_superseded_findings_stand_behind_a_link_with_when(site: Web, connection: Connection) -> None:
    find(connection, hours=5, superseded=True)
    find(connection)
    with site.logged_in("company") as browser:
        assert "바뀜" not in text_of(browser.get("/pilots/air/quality"))
        answer = browser.get("/pilots/air/quality?old=1")
        assert len(browser.get("/api/v1/pilots/air/findings").json()["findings"]) == 1
        both = browser.get("/api/v1/pilots/air/findings?superseded=true").json()["findings"]
    assert "– 바뀜" in text_of(answer) and "지금의 것만 보기" in text_of(answer)
    assert len(both) == 2 and sum(one["superseded_at"] is not None for one in both) == 1


def test_findings_are_chosen_by_kind_slot_and_day(site: Web, connection: Connection) -> None:
    find(connection)
    old = find(
        connection, "jump", hours_ago=60, hours=1, detail={"rule": "level_shift", "cause": "unexplained", "least": 20}
    )
    with site.logged_in("company") as browser:

        def ids(query: str) -> list[int]:
            answer = browser.get(f"/api/v1/pilots/air/findings?{query}")
            assert answer.status_code == 200, answer.text
            return [one["id"] for one in answer.json()["findings"]]

        day = (NOW - timedelta(hours=59.5) + SEOUL).date()
        assert ids("kind=jump") == [old] == ids(f"from={day}&to={day}")
        assert ids("kind=spike") == [] == ids("slot=elsewhere") == ids("channel=mode")
        assert len(ids("kind=jump&kind=stuck&slot=platform-1&channel=pm25")) == 2
        said = text_of(browser.get("/pilots/air/quality?kind=spike"))
        assert "고른 조건에 맞는 점검 결과가 없습니다" in said or "아직 점검한 자료가 없습니다" in said
        wrong = browser.get("/api/v1/pilots/air/findings?kind=nonsense")
        assert wrong.status_code == 400 and wrong.headers["content-type"] == "application/problem+json"
        for cursor in ("x", "1.x", "99999999999999999999.1", "1", "1.99999999999999999999"):
            wrong = browser.get(f"/api/v1/pilots/air/findings?after={cursor}")
            assert wrong.status_code == 400 and wrong.headers["content-type"] == "application/problem+json", cursor
        assert browser.get("/api/v1/pilots/air/findings?slot=%00").status_code == 400
        for query in ("month=0000-13", "month=9999-12", "day=0001-01-01", "from=9999-12-31&to=x", "kind=x&slot=%00y"):
            assert browser.get(f"/pilots/air/quality?{query}").status_code == 200, query


def test_the_cursor_gives_every_finding_once(site: Web, connection: Connection) -> None:
    made = [find(connection, hours_ago=30 + n // 3, hours=1) for n in range(45)]
    with site.logged_in("company") as browser:
        seen: list[int] = []
        after = ""
        while True:
            found = browser.get("/api/v1/pilots/air/findings", params={"limit": 7, "after": after}).json()
            seen += [one["id"] for one in found["findings"]]
            if found["next"] is None:
                break
            after = found["next"]
        first = browser.get("/pilots/air/quality").text
        links = [one["href"] for one in Page(first).all("a") if "after=" in (one.get("href") or "")]
        second = browser.get(f"/pilots/air/quality{links[0]}")
    assert sorted(seen) == sorted(made) and len(set(seen)) == 45
    assert first.count("고정값") - second.text.count("고정값") == 0 and "처음으로" in second.text
    starts = [one["start"] for one in found["findings"]]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    "path", ["/pilots/air/quality", "/api/v1/pilots/air/findings", "/api/v1/pilots/air/completeness"]
)
def test_others_do_not_see_it(site: Web, connection: Connection, path: str) -> None:
    find(connection)
    for name in ("company-elsewhere", "officer-elsewhere", "committee-elsewhere"):
        with site.logged_in(name) as browser:
            assert browser.get(path).status_code == 404, name
    with site.visitor() as browser:
        assert browser.get(path, headers={"accept": "application/json"}).status_code == 401
    with site.logged_in("committee") as browser:
        assert browser.get(path).status_code == 200


def test_what_lasts_is_told_on_the_first_page_and_the_pilots(site: Web, connection: Connection) -> None:
    feed(connection, "air", hours=3)
    find(connection, hours_ago=9, hours=8.5)
    find(connection, "range", hours_ago=40, hours=1, detail={"rule": "gross_range", "fail_span": [0, 1000]})
    with site.logged_in("company") as browser:
        home, pilot = text_of(browser.get("/")), text_of(browser.get("/pilots/air"))
        chart = browser.get("/pilots/air/charts/platform-1/pm25.json?span=24h").json()
    with site.logged_in("company-elsewhere") as browser:
        elsewhere = text_of(browser.get("/"))
    assert "값이 이상한 측정 항목: 고정값 1건" in home and "범위 이탈" not in home
    assert "값이 이상한" not in elsewhere
    assert "지금 이어지는 점검 결과: 고정값 1건" in pilot and "자료획득률" in pilot
    bands = [row for rows in chart["spec"]["datasets"].values() for row in rows if row.get("kind") == "품질 점검"]
    assert {row["label"] for row in bands} == {"고정값"}


def test_the_schema_tells_of_both(site: Web) -> None:
    with site.logged_in("company") as browser:
        paths = browser.get("/api/v1/openapi.json").json()["paths"]
    names = {one["name"] for one in paths["/api/v1/pilots/{pilot}/findings"]["get"]["parameters"]}
    assert {"kind", "slot", "channel", "from", "to", "superseded", "after", "limit"} <= names
    assert "/api/v1/pilots/{pilot}/completeness" in paths


def test_the_plans_own_thresholds_change_what_is_found(site: Web, connection: Connection) -> None:
    """A value that rests for two hours: by default no finding, by the plan of the harbour one."""
    text = plan_text("tight", company="rival").replace(
        "range: [0, 1000]", "range: [0, 1000], quality: {stuck: [1 h, 90 min], range: [0, 11], gap: false}"
    )
    apply(connection, text)
    for name in ("air", "tight"):
        at = micros(NOW) // 3_600_000_000 * 3_600_000_000 - 60_000_000
        row = connection.execute(
            "SELECT c.channel_id FROM pilot p JOIN slot USING (pilot_id) JOIN channel c USING (slot_id)"
            " WHERE p.name = %s AND c.name = 'pm25'",
            [name],
        ).fetchone()
        assert row is not None
        with connection.cursor().copy(
            "COPY reading (observed_at, received_at, value, channel_id) FROM STDIN"
        ) as stream:
            for n in range(180):
                moment = instant(at - n * 60_000_000).isoformat()
                stream.write_row((moment, moment, 12.0 if n < 120 else 5 + n % 7 / 10, row["channel_id"]))
        connection.execute(
            "INSERT INTO dirty_hour (channel_id, hour) SELECT DISTINCT channel_id, date_trunc('hour', observed_at)"
            " FROM reading WHERE channel_id = %s",
            [row["channel_id"]],
        )
    summarise_all(connection)
    judge_all(connection)
    with site.logged_in("admin") as browser:
        found = {
            name: {
                one["kind"]: one
                for one in browser.get(f"/api/v1/pilots/{name}/findings").json()["findings"]
                if one["channel"] == "pm25"
            }
            for name in ("air", "tight")
        }
    assert not {"stuck", "range"} & found["air"].keys() and "gap" in found["air"]
    assert found["tight"].keys() == {"stuck", "range"}
    assert found["tight"]["stuck"]["flag"] == 4 and found["tight"]["stuck"]["detail"]["by"] == "plan"
    assert found["tight"]["range"]["detail"]["suspect_span"] == [0, 11]
