"""What the pages show, on a real database: numbers, reasons, documents, both languages, and nothing that scripts could abuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.database import Connection
from core.language import STATES, with_unit
from core.numbers import printed
from core.window import Window
from devices.plan.target import parse_bounds
from kpi.evaluate import evaluate
from kpi.reports.reasons import reason_text
from kpi.results import newest, store
from telemetry.platform_record import record_history
from tests.web import Page, Web, apply, feed, judge_month, plan_text, refuse, web_of_air

THE_PLANS_OWN = (
    "air 실증", "cityhall 역", r"\(주\)cleanair", "승강장 중앙", "초미세먼지( 기준 유지율)?", "장비 가동률",
    "기준 이하로 유지된 시간의 비율", "서울특별시 테스트베드 사업단", "한국어",
)  # fmt: skip
PAGES = ("", "/verdicts", "/agreed", "/link", "/intake", "/documents", "/connect")


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    with web_of_air(database_url, connection) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


def test_a_new_pilot_shows_its_targets_and_three_steps_with_code(officer: httpx.Client) -> None:
    home = officer.get("/").text
    assert "air 실증" in home and "평가 전" in home and "세 단계로 첫 측정값 받기" in home
    page = officer.get("/pilots/air").text
    assert "첫 측정값까지 세 단계" in page and "pilotbed device credentials air" in page
    assert "95 % 이상" in page and "아직 평가 전입니다" in page
    connect = officer.get("/pilots/air/connect").text
    for code in ("mosquitto_pub -V 5 -q 1 -h 127.0.0.1 -p 18830", "paho.mqtt.client", "air.platform-1"):
        assert code in connect


def test_a_card_shows_what_the_stored_result_says(site: Web, officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air")
    month = judge_month(connection, "air")
    result = newest(connection, "air", "month", month)
    assert result is not None
    page = officer.get("/pilots/air").text
    for entry in result.document["kpis"]:
        bounds = parse_bounds(entry["target"]["text"])
        number = printed(entry["value"], entry["unit"], bounds)
        assert re.search(rf'class="figure">{re.escape(number)}<span class="unit">{entry["unit"]}<', page), entry["id"]
        assert STATES[entry["status"]].korean in page
        assert entry["why"]["ko"].replace("<", "&lt;") in page
    home = officer.get("/").text
    assert with_unit(number, "%", "ko") in home


def test_the_latest_readings_have_unit_time_and_delay(officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=1)
    row = connection.execute("SELECT value, observed_at FROM reading ORDER BY observed_at DESC LIMIT 1").fetchone()
    assert row is not None
    table = officer.get("/pilots/air").text.split('aria-labelledby="latest"', 1)[1]
    assert f'<b>{printed(row["value"], "ug/m^3")}</b><span class="unit">µg/m³</span>' in table
    seoul = row["observed_at"].astimezone().strftime("%M:%S")
    assert seoul in table
    assert "아직 받은 값이 없습니다" in table, "the other channel has none"


def test_what_was_refused_is_shown_with_reason_step_and_reference(
    officer: httpx.Client, connection: Connection
) -> None:
    refuse(connection, b'{"ts": 1, "values": {"pm25": <img src=x onerror=alert(1)>', "<script>alert(1)</script>")
    page = officer.get("/pilots/air/intake").text
    for text in (
        "Q-1", "R-1", "JSON 형식이 아님", "보낸 내용은 보관되어 있습니다. 아래와 같이 고치면 다시 처리됩니다.",
        "장비의 시계를 맞추어 주십시오.", "&lt;img src=x onerror=alert(1)&gt;", "&lt;script&gt;alert(1)",
    ):  # fmt: skip
        assert text in page
    overview = officer.get("/pilots/air").text
    assert reason_text("in_future", "ko") in overview
    assert '<span class="count">' in overview
    english = officer.get("/pilots/air/intake?lang=en").text
    assert "Set the device&#39;s clock." in english and "The value is kept with its reason." in english


def test_every_page_is_in_english_too_and_the_choice_is_kept(officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air")
    judge_month(connection, "air")
    refuse(connection, b"x", "y")
    answer = officer.get("/?lang=en")
    assert '<html lang="en">' in answer.text and "To do today" in answer.text
    for page in ("/", *(f"/pilots/air{path}" for path in PAGES), "/login?x=1", "/no-such-page"):
        text = officer.get(page).text
        assert '<html lang="en">' in text or page.startswith("/login"), page
        # What is left in Korean is the plan's own words.
        left = re.findall(r"[가-힣][가-힣 ]*", re.sub("|".join(THE_PLANS_OWN), "", text))
        assert not left, (page, left)
    row = connection.execute("SELECT language FROM person WHERE name = 'officer'").fetchone()
    assert row is not None and row["language"] == "en"


def test_pages_hold_nothing_inline_and_are_built_for_readers_of_any_kind(
    officer: httpx.Client, connection: Connection
) -> None:
    feed(connection, "air")
    judge_month(connection, "air")
    refuse(connection, b"x", "y")
    for path in ("/", *(f"/pilots/air{page}" for page in PAGES), "/nowhere"):
        answer = officer.get(path)
        page = Page(answer.text)
        assert page.inline == [], path
        assert len(page.all("h1")) == 1 and len(page.all("main")) == 1, path
        assert page.all("html")[0]["lang"] == "ko"
        assert any(given.get("class") == "skip" and given.get("href") == "#content" for given in page.all("a"))
        assert len(page.all("caption")) == len(page.all("table")), path
        assert all(given.get("scope") in ("col", "row") for given in page.all("th")), path
        assert all("alt" in given for given in page.all("img")), path
        assert all((given.get("role") == "img" and given.get("aria-label")) or given.get("aria-hidden")
                   for given in page.all("svg")), path  # fmt: skip
        ids = [given["id"] for _, given in page.tags if given.get("id")]
        assert len(ids) == len(set(ids)), path
        named = {given.get("aria-labelledby") for _, given in page.tags} - {None}
        assert named <= set(ids), (path, named - set(ids))
        labels = {given.get("for") for given in page.all("label")}
        assert all(given.get("id") in labels for given in page.all("input") if given.get("type") != "hidden"), path


def test_the_log_in_page_has_labels(site: Web) -> None:
    with site.visitor() as browser:
        page = Page(browser.get("/login").text)
    assert {given.get("for") for given in page.all("label")} == {"name", "password"}
    assert page.inline == []


def test_the_live_numbers_say_how_long_ago(officer: httpx.Client, connection: Connection) -> None:
    [state] = officer.get("/live.json").json()["states"].values()
    assert state["code"] == "never"
    feed(connection, "air", hours=1)
    answer = officer.get("/pilots/air/live.json").json()
    [text], [state] = answer["texts"].values(), answer["states"].values()
    assert text.endswith("전") or text == "방금"
    assert (state["code"], state["mark"], state["word"]) == ("all", "✓", "수신 중")
    connection.execute("UPDATE intake_slot SET last_received = now() - interval '1 hour'")
    [state] = officer.get("/pilots/air/live.json").json()["states"].values()
    assert state["code"] == "none"
    assert "신호 없는 설치 지점 1곳" in officer.get("/").text


def test_the_link_history_charges_an_outage(officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=20)
    now = datetime.now(UTC)
    record_history(connection, "collector-1", Window(start=now - timedelta(days=2), end=now), "test")
    connection.execute(
        "DELETE FROM reading WHERE observed_at BETWEEN now() - interval '8 h' AND now() - interval '5 h'"
    )
    page = officer.get("/pilots/air/link?span=24h").text
    table = page.split('aria-labelledby="outages"', 1)[1].split("</section>")[0]
    assert re.search(r"2시간 5\d분|3시간", table)
    assert "장비 신호 없음" in table


def test_the_simulated_are_marked_on_every_page(site: Web, connection: Connection) -> None:
    apply(connection, plan_text("sim").replace("simulated: false", "simulated: true"))
    with site.logged_in("admin") as admin:
        for path in ("/", *(f"/pilots/sim{page}" for page in PAGES)):
            assert "모의 자료" in admin.get(path).text, path
        assert "모의 자료" not in admin.get("/pilots/air").text


def test_times_are_the_pilots(officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=1)
    judge_month(connection, "air")
    row = connection.execute("SELECT as_of FROM result").fetchone()
    assert row is not None
    assert row["as_of"].astimezone(ZoneInfo("Asia/Seoul")).strftime("%H:%M") in officer.get("/pilots/air").text
    assert datetime.now(UTC) > row["as_of"]


def test_an_oversized_message_is_not_said_to_be_kept_whole(officer: httpx.Client, connection: Connection) -> None:
    refuse(connection, b"x" * 100, "y")
    assert "앞부분과 해시값만 보관되어" not in officer.get("/pilots/air/intake").text
    connection.execute("ALTER TABLE quarantine DISABLE TRIGGER USER")
    connection.execute("UPDATE quarantine SET payload_bytes = 2000000")
    page = officer.get("/pilots/air/intake").text
    assert "앞부분과 해시값만 보관되어 있습니다" in page and "보낸 내용은 보관되어 있습니다" not in page


def test_an_old_value_is_the_last_one_and_a_span_with_data_is_chosen(
    officer: httpx.Client, connection: Connection
) -> None:
    feed(connection, "air", hours=1)
    page = officer.get("/pilots/air").text
    assert "지금 <b" in page and "최근 24시간의 초미세먼지" in page
    connection.execute("ALTER TABLE reading DISABLE TRIGGER USER")
    connection.execute("UPDATE reading SET observed_at = observed_at - interval '42 hours'")
    page = officer.get("/pilots/air").text
    assert "지금 <b" not in page and "마지막 <b" in page and "최근 7일의 초미세먼지" in page
    assert "최근 24시간의" in officer.get("/pilots/air?span=24h").text


def test_provisional_verdicts_say_so(officer: httpx.Client, connection: Connection) -> None:
    today = datetime.now(ZoneInfo("Asia/Seoul")).date()
    apply(connection, plan_text("now").replace("evaluation: {", f"evaluation: {{interim: [{today}], "))
    feed(connection, "now")
    store(connection, evaluate(connection, "now", at=today), who="cli:test")
    result = newest(connection, "now", "date", f"{today}")
    assert result is not None and result.document["provisional"]
    page = officer.get("/pilots/now/verdicts").text
    assert "잠정 결과입니다." in page
