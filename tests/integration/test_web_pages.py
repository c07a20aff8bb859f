"""What the pages show, on a real database: numbers, reasons, documents, both languages, and nothing that scripts could abuse."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
import rfc8785
from psycopg import sql
from pypdf import PdfReader

from core.canonical import check_code
from core.database import Connection
from core.language import STATES, with_unit
from core.numbers import printed
from core.window import Window
from devices.plan.target import parse_bounds
from kpi.evaluate import evaluate
from kpi.reports.reasons import reason_text
from kpi.results import newest, store
from telemetry.batch import Batch, QuarantinedMessage, RejectedItem
from telemetry.commit import Committer
from telemetry.platform_record import record_history
from tests.web import Web, apply, feed, judge_month, people, plan_text, web

THE_PLANS_OWN = (
    "air 실증", "cityhall 역", r"\(주\)cleanair", "승강장 중앙", "초미세먼지( 기준 유지율)?", "장비 가동률",
    "기준 이하로 유지된 시간의 비율", "서울특별시 테스트베드 사업단", "한국어",
)  # fmt: skip
PAGES = ("", "/verdicts", "/link", "/intake", "/documents", "/connect")


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    apply(connection, plan_text("air"))
    people(connection)
    with web(database_url) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


class Page(HTMLParser):
    """What a checker of accessibility and of the content security policy looks at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.inline.append(tag)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [given for tag, given in self.tags if tag == name]


def refuse(connection: Connection, payload: bytes, value: str) -> None:
    """A message set aside and a value refused, both with what a sender could have put there."""
    row = connection.execute("SELECT connection_id, slot_id FROM slot JOIN connection USING (connection_id)").fetchone()
    assert row is not None
    Committer().commit(
        connection,
        Batch(
            delivered={row["connection_id"]: 1},
            payload_bytes={row["connection_id"]: len(payload)},
            quarantined=[
                QuarantinedMessage(
                    connection_id=row["connection_id"], topic="pilots/air/platform-1/readings", reason="not_json",
                    detail="", payload=payload, payload_bytes=len(payload),
                    payload_sha256=hashlib.sha256(payload).hexdigest(),
                )
            ],
            rejected=[
                RejectedItem(
                    slot_id=row["slot_id"], topic="pilots/air/platform-1/readings", item="pm25",
                    observed="2036-01-01T00:00:00Z", value=value, reason="in_future", detail="",
                )
            ],
        ),
    )  # fmt: skip


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


def test_headers_keep_the_pages_to_themselves(officer: httpx.Client) -> None:
    for path in ("/", "/nowhere", "/healthz", "/api/v1/pilots"):
        headers = officer.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_static_files_are_kept_for_ever_compressed_and_revalidated(officer: httpx.Client) -> None:
    page = officer.get("/").text
    style = re.search(r'href="(/static/pilotbed\.[0-9a-f]{12}\.css)"', page)
    assert style is not None
    answer = officer.get(style[1])
    assert answer.headers["cache-control"].endswith("immutable") and answer.headers["content-encoding"] == "gzip"
    plain = officer.get(style[1], headers={"accept-encoding": "identity"})
    assert plain.text == answer.text and "content-encoding" not in plain.headers
    again = officer.get(style[1], headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert officer.get("/static/../users.py").status_code == 404
    assert officer.get("/static/%2e%2e%2fusers.py").status_code == 404


def test_the_chart_library_is_one_file_of_ours(site: Web, officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=1)
    found = re.search(r'src="(/static/vega\.[0-9a-f]{12}\.js)"', officer.get("/pilots/air").text)
    assert found is not None
    with officer.stream("GET", found[1]) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 350_000 and b"vegaEmbed" in gzip.decompress(packed)


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


def test_the_interface_describes_itself_and_pages_through_pilots(site: Web, connection: Connection) -> None:
    apply(connection, plan_text("bee"))
    with site.logged_in("admin") as admin:
        schema = admin.get("/api/v1/openapi.json").json()
        first = admin.get("/api/v1/pilots?limit=1").json()
        second = admin.get(f"/api/v1/pilots?limit=1&after={first['next']}").json()
        wrong = admin.get("/api/v1/pilots?limit=0")
    assert set(schema["paths"]) == {
        "/api/v1/pilots", "/api/v1/pilots/{pilot}", "/api/v1/pilots/{pilot}/evaluation", "/api/v1/pilots/{pilot}/intake",
    }  # fmt: skip
    assert [first["pilots"][0]["pilot"], second["pilots"][0]["pilot"], second["next"]] == ["air", "bee", None]
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
    assert "limit" in wrong.json()["detail"]


def test_the_plan_comes_back_byte_by_byte(officer: httpx.Client, connection: Connection) -> None:
    row = connection.execute("SELECT sha256 FROM plan_version").fetchone()
    assert row is not None
    assert hashlib.sha256(officer.get("/pilots/air/plan.yaml").content).hexdigest() == row["sha256"]


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


def test_health_is_told_to_machines(site: Web, connection: Connection) -> None:
    connection.execute("INSERT INTO heartbeat (process, started_at, at) VALUES ('work', now(), now())")
    assert httpx.get(f"{site.address}/healthz").text == "ok\n"
    assert httpx.get(f"{site.address}/readyz").json()["status"] == "ready"
    numbers = httpx.get(f"{site.address}/metrics")
    assert numbers.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in numbers.text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"\})? [0-9.e+-]+', line) for line in lines), lines
    assert any(line.startswith('pilotbed_heartbeat_age_seconds{process="work"}') for line in lines)


def test_not_ready_without_this_versions_tables(site: Web, connection: Connection) -> None:
    connection.execute("DELETE FROM migration WHERE name LIKE '0001%'")
    answer = httpx.get(f"{site.address}/readyz")
    assert answer.status_code == 503 and "0001" in answer.json()["detail"]


def test_an_unforeseen_error_has_a_reference_and_hides_its_cause(
    site: Web, officer: httpx.Client, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    connection.execute("ALTER TABLE intake_slot RENAME TO elsewhere")
    for path in ("/pilots/air", "/live.json"):
        answer = officer.get(path)
        assert answer.status_code == 500
        assert "intake_slot" not in answer.text
        found = re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", answer.text)
        assert found is not None and found[0] in caplog.text
        assert answer.headers["content-security-policy"]
    assert "받은 측정값은 그대로 보관되어 있고" in officer.get("/pilots/air").text


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


def test_the_database_gone_is_told_in_words_and_its_return_is_noticed(
    officer: httpx.Client, database_server: str, database_url: str, connection: Connection
) -> None:
    name = sql.Identifier(urlsplit(database_url).path.removeprefix("/"))
    with psycopg.connect(database_server, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pilotbed-test-web'"
        )
        page = officer.get("/pilots/air")
        assert page.status_code == 503
        assert "장비가 보낸 자료는 중계기에 남아 있다가" in page.text
        assert re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", page.text)
        program = officer.get("/api/v1/pilots")
        assert program.status_code == 503 and program.headers["content-type"] == "application/problem+json"
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    until = time.monotonic() + 40
    while officer.get("/pilots/air").status_code != 200:
        assert time.monotonic() < until


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


def test_a_head_request_is_answered_like_a_get_without_its_body(site: Web, officer: httpx.Client) -> None:
    with site.visitor() as stranger:
        answer = stranger.head("/login")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/html")
        assert stranger.head("/").status_code == 303
    assert officer.head("/nowhere").status_code == 404


def test_provisional_verdicts_say_so(officer: httpx.Client, connection: Connection) -> None:
    today = datetime.now(ZoneInfo("Asia/Seoul")).date()
    apply(connection, plan_text("now").replace("evaluation: {", f"evaluation: {{interim: [{today}], "))
    feed(connection, "now")
    store(connection, evaluate(connection, "now", at=today), who="cli:test")
    result = newest(connection, "now", "date", f"{today}")
    assert result is not None and result.document["provisional"]
    page = officer.get("/pilots/now/verdicts").text
    assert "잠정 결과입니다." in page
