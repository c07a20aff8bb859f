"""The intake page and the answer to "why is my data not here?", on a real database."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from core.settings import settings
from core.window import micros
from devices import journal
from devices.broker import Broker
from devices.registry import issue_credential, withdraw_connection
from pilotbed import cli
from pilotbed.jobs.broker_log import read_on
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.batch import Batch, QuarantinedMessage, Readings, RejectedItem
from telemetry.commit import Committer
from telemetry.happenings import beat
from telemetry.platform_record import Entry, record
from tests.collecting import wait_for
from tests.web import Web, apply, feed, people, plan_text, web

SLOT = """\
  {name}:
    place: {place}
    device: {{serial: "{name}"}}
    channels: {{pm25: {{name: 초미세먼지, unit: ug/m^3, period: 60 s}}}}
"""


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    more = SLOT.format(name="platform-2", place="승강장 북쪽") + SLOT.format(name="hall", place="대합실")
    apply(connection, plan_text("air").replace("kpis:\n", f"{more}kpis:\n", 1))
    apply(connection, plan_text("harbour-air", site="harbour", company="rival"))
    people(connection)
    with web(database_url) as running:
        yield running


@pytest.fixture
def company(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("company") as browser:
        yield browser


def ids(connection: Connection, slot: str = "platform-1", pilot: str = "air") -> dict[str, Any]:
    row = connection.execute(
        "SELECT s.slot_id, s.connection_id, c.channel_id FROM slot s JOIN channel c USING (slot_id) JOIN pilot p USING (pilot_id)"
        " WHERE p.name = %s AND s.name = %s AND c.name = 'pm25'",
        [pilot, slot],
    ).fetchone()
    assert row is not None
    return row


def send(connection: Connection, slot: str = "platform-1", *, payloads: int = 1, ages_s: tuple[float, ...] = (2.0,),
         numbers: tuple[int, ...] = (), reason: str = "", held: str = "") -> None:  # fmt: skip
    """Messages of a slot: with readings so many seconds old, one refused, one set aside."""
    one = ids(connection, slot)
    now = micros(datetime.now(UTC))
    topic = f"pilots/air/{slot}/readings"
    quarantined = QuarantinedMessage(
        connection_id=one["connection_id"], topic=topic, reason=held, detail="", payload=b"<b>not json</b>",
        payload_bytes=15, payload_sha256=hashlib.sha256(str(now).encode()).hexdigest(),
    )  # fmt: skip
    rejected = RejectedItem(
        slot_id=one["slot_id"], topic=topic, item="pm25", observed="2036-01-01T00:00:00Z", value="<i>7</i>", reason=reason,
        detail="",
    )  # fmt: skip
    Committer().commit(
        connection,
        Batch(
            readings=Readings(
                channel_id=[one["channel_id"]] * len(ages_s), observed_us=[now - round(age * 1e6) for age in ages_s],
                value=[12.0] * len(ages_s), flags=[0] * len(ages_s),
            ),
            delivered={one["connection_id"]: payloads},
            payload_bytes={one["connection_id"]: 60 * payloads},
            sequences=[(one["connection_id"], "boot-1", number) for number in numbers],
            quarantined=[quarantined] if held else [],
            rejected=[rejected] if reason else [],
        ),
    )  # fmt: skip


def text_of(page: str) -> str:
    """What a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def answer(page: str, place: str) -> str:
    """What is said of one slot."""
    why = page.split('aria-labelledby="why"', 1)[1].split("</section>", 1)[0]
    return next(text_of(card) for card in re.split(r'<li class="card answer">', why) if place in card)


def test_the_page_shows_the_account_of_the_day_and_that_it_balances(
    company: httpx.Client, connection: Connection
) -> None:
    send(connection, payloads=10, ages_s=(2, 62, 122), numbers=(1, 2, 5, 9), reason="in_future", held="not_json")
    page = text_of(company.get("/pilots/air/intake").text)
    for words in (
        "보낸 메시지(번호로 셈) 9건", "도착 4 44.4 %", "유실 5 55.6 %", "받은 메시지 10건", "수신 보류 1 10.0 %", "해석한 값 4건",
        "저장 3 75.0 %", "거부 1 25.0 %", "✓ 수지 일치", "지금까지", "3–4 , 6–8", "미래 시각(수신 시각보다 5분 넘게 늦음) 1",
        "JSON 형식이 아님 1", "boot-1",
    ):  # fmt: skip
        assert words in page, words


def test_the_page_does_not_wait_for_what_every_reading_tells(company: httpx.Client, connection: Connection) -> None:
    send(connection, ages_s=(10, 70, 190))
    page = company.get("/pilots/air/intake").text
    part = re.search(r'data-part="([^"]+)"', page)
    assert part is not None and "지연 중앙값" not in page
    assert re.search(r'<noscript><a href="\?day=[\d-]+&amp;timed=1">', page)
    told = company.get(part[1]).text
    assert "<html" not in told
    words = text_of(told)
    assert "지연 중앙값" in words and "1분 10초" in words and "3 = 3" in words and "✓ 저장한 수" in words
    # Asked for once, it is there for the next ones.
    assert "data-part" not in company.get("/pilots/air/intake").text
    assert "1분 10초" in company.get("/pilots/air/intake?timed=1").text


def test_a_count_that_no_row_stands_for_is_said_on_the_page(company: httpx.Client, connection: Connection) -> None:
    send(connection, ages_s=(10, 70))
    connection.execute("DELETE FROM reading WHERE ctid IN (SELECT ctid FROM reading LIMIT 1)")
    words = text_of(company.get("/pilots/air/intake/timing").text)
    assert "✕ 저장한 수 = 저장소에서 하나씩 센 수 2 = 1 platform-1" in words


def test_one_walks_through_the_days(company: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=30)
    connection.execute("UPDATE intake_slot SET day = day - 1")
    first = company.get("/pilots/air/intake").text
    assert "이날 받은 것이 없습니다" in text_of(first) and "/pilots/air/link#why" in first
    before = re.search(r'href="\?day=([\d-]+)">‹', first)
    assert before is not None
    page = company.get(f"/pilots/air/intake?day={before[1]}")
    assert (
        "해석한 값 1,800건" in text_of(page.text) and "하루 뒤" in page.text and "지금까지 ✓" not in text_of(page.text)
    )
    assert f'value="{before[1]}"' in page.text
    for odd in ("1999-01-01", "2999-01-01", "x", "<script>", "2026-02-30"):
        answered = company.get("/pilots/air/intake", params={"day": odd})
        assert (
            answered.status_code == 200
            and "이날 받은 것이 없습니다" in answered.text
            and "<script>" not in answered.text
        )


def test_nobodys_messages_and_denials_are_told_to_the_pilot_whose_topics_they_were_on(
    site: Web, company: httpx.Client, connection: Connection
) -> None:
    now = datetime.now(UTC)
    for pilot in ("air", "harbour-air"):
        Committer().commit(
            connection,
            Batch(quarantined=[QuarantinedMessage(
                connection_id=None, topic=f"pilots/{pilot}/lost/readings", reason="no_binding", detail="",
                payload=f"of {pilot}".encode(), payload_bytes=8, payload_sha256="0" * 64)]),
        )  # fmt: skip
    journal.note(
        connection,
        [
            journal.Refused(at=now, username="ghost", topic="pilots/air/platform-1/readings", reason="denied"),
            journal.Refused(at=now, username="rival-ghost", topic="pilots/harbour-air/platform-1/x", reason="denied"),
            journal.Refused(at=now, username="air.platform-2", topic="pilots/air/other/x", reason="denied"),
        ],
    )
    intake, link = company.get("/pilots/air/intake").text, company.get("/pilots/air/link").text
    assert "어느 통신 연결의 것도 아닌 메시지가 1건" in intake and "of air" in intake and "등록되지 않은 토픽" in intake
    assert "누구의 것인지 알 수 없는 것이 1건" in intake and "허용되지 않은 토픽 1" in text_of(intake)
    assert "pilots/air/platform-1/readings" in link and "MQTT 3.1.1에서는 거부된 발행도 성공으로 응답합니다" in link
    for page in (intake, link):
        assert "harbour" not in page and "rival" not in page
    with site.logged_in("company-elsewhere") as rival:
        page = rival.get("/pilots/harbour-air/link").text + rival.get("/pilots/harbour-air/intake").text
    assert "pilots/harbour-air/platform-1/x" in page and "pilots/air/" not in page and "of air" not in page


def test_why_is_my_data_not_here_is_answered_slot_by_slot(company: httpx.Client, connection: Connection) -> None:
    now = datetime.now(UTC)
    connection.execute("INSERT INTO broker_log_position VALUES ('log', '1', 1)")
    assert "브로커에 접속한 적이 없습니다" in answer(company.get("/pilots/air/link").text, "승강장 북쪽")
    journal.note(
        connection,
        [
            journal.Came(at=now - timedelta(minutes=5), username="air.platform-1"),
            journal.Came(at=now - timedelta(minutes=5), username="air.platform-2"),
            journal.Refused(at=now - timedelta(minutes=1), username="air.hall", topic="", reason="not_let_in"),
            journal.Refused(
                at=now - timedelta(minutes=1),
                username="air.platform-2",
                topic="pilots/air/platform2/x",
                reason="denied",
            ),
        ],
    )
    send(connection)
    page = company.get("/pilots/air/link").text
    assert "허용되지 않은 토픽으로 보내어 브로커가 버렸습니다: pilots/air/platform2/x" in answer(page, "승강장 북쪽")
    assert "비밀번호가 맞지 않습니다" in answer(page, "대합실")
    assert "나머지 설치 지점 1곳의 값은 도착하고 있습니다" in answer(page, "승강장 중앙")
    # Those in trouble come first; the connecting page tells of them too.
    why = page.split('aria-labelledby="why"', 1)[1]
    assert why.index("승강장 북쪽") < why.index("나머지 설치 지점") and why.index("대합실") < why.index(
        "나머지 설치 지점"
    )
    connect = text_of(company.get("/pilots/air/arrivals").text)
    assert "pilots/air/platform2/x" in connect and "비밀번호가 맞지 않습니다" in connect
    assert "모든 설치 지점" not in page


def test_what_is_set_aside_or_refused_is_told_with_its_payload_escaped(
    company: httpx.Client, connection: Connection
) -> None:
    journal.note(connection, [journal.Came(at=datetime.now(UTC), username=f"air.{n}") for n in ("platform-1", "hall")])
    send(connection, ages_s=(), held="not_json")
    send(connection, "hall", ages_s=(), reason="in_future")
    page = company.get("/pilots/air/link").text
    held, refused = answer(page, "승강장 중앙"), answer(page, "대합실")
    assert (
        "통째로 수신 보류되고 있습니다. 사유: JSON 형식이 아님" in held
        and "보관되어 있으며, 고치면 다시 처리됩니다" in held
    )
    assert "값이 거부되고 있습니다. 사유: 미래 시각" in refused and "장비의 시계를 맞추어 주십시오" in refused
    assert "&lt;b&gt;not json&lt;/b&gt;" in page and "&lt;i&gt;7&lt;/i&gt;" in page
    assert "<b>not json" not in page and "<i>7" not in page
    english = company.get("/pilots/air/link?lang=en").text
    assert "all of them are set aside" in english and "Set the device&#39;s clock." in english


def test_a_replayed_message_is_no_trouble_any_more(company: httpx.Client, connection: Connection) -> None:
    journal.note(connection, [journal.Came(at=datetime.now(UTC), username="air.platform-1")])
    send(connection, ages_s=(), held="not_json")
    connection.execute("UPDATE quarantine SET resolved_at = now(), resolution = 'replayed'")
    assert "수신 보류" not in answer(company.get("/pilots/air/link").text, "승강장 중앙")


def test_our_own_standstill_is_not_the_devices_fault(company: httpx.Client, connection: Connection) -> None:
    now = datetime.now(UTC)
    heard = (now - timedelta(days=1)).timestamp(), (now - timedelta(hours=1)).timestamp()
    record(connection, "collector-1", "a run", Entry(span=heard, heard=(heard,), goes_on=True))
    journal.note(connection, [journal.Came(at=now - timedelta(hours=2), username="air.platform-1")])
    assert "수집기가 멈춰 있습니다. 장비의 잘못이 아닙니다" in answer(
        company.get("/pilots/air/link").text, "승강장 중앙"
    )
    beat(connection, "collector-1", now - timedelta(minutes=1))
    assert "보내는 것이 없습니다" in answer(company.get("/pilots/air/link").text, "승강장 중앙")


def test_a_withdrawn_credential_is_told_before_anything_else(company: httpx.Client, connection: Connection) -> None:
    send(connection)
    connection.execute("UPDATE connection SET withdrawn_at = now() WHERE username = 'air.platform-1'")
    assert "접속 권한은" in answer(company.get("/pilots/air/link").text, "승강장 중앙")


def test_the_committee_sees_the_account_and_not_the_credentials_or_payloads(site: Web, connection: Connection) -> None:
    send(connection, ages_s=(), held="not_json")
    with site.logged_in("committee") as member:
        assert "하루의 수지" in member.get("/pilots/air/intake").text
        link = member.get("/pilots/air/link").text
    assert (
        "내 데이터가 왜 안 보이나요?" not in link
        and "air.platform-1" not in link
        and "not json" not in link
        and "언제 신호가 있었나" in link
    )


def test_the_interface_for_programs_gives_what_the_command_prints(
    company: httpx.Client,
    connection: Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    send(connection, ages_s=(1, 61), numbers=(1, 3))
    told = company.get("/api/v1/pilots/air/intake").json()
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    try:
        assert cli.run(["intake", "air", "--json"]) == 0
    finally:
        settings.cache_clear()
    printed = json.loads(capsys.readouterr().out)
    for document in (told, printed):  # what goes on by itself between the two
        assert document.pop("at") and document["totals"].pop("expected")
        for place in (document["totals"], *document["slots"]):
            for key in ("expected", "completeness", "longest_gap_s", "longest_gap"):
                place.pop(key, None)
    assert told == printed and told["totals"]["missing"] == 1
    assert company.get("/api/v1/pilots/air/intake?day=1999-01-01").status_code == 404
    assert company.get("/api/v1/pilots/air/intake?day=soon").status_code == 400
    assert company.get("/api/v1/pilots/harbour-air/intake").status_code == 404


def publish(broker: Mosquitto, username: str, password: str, topic: str) -> None:
    """What a device does that speaks MQTT 3.1.1: it connects, and sends one message with QoS 1 if it is let in."""
    answered: list[bool] = []
    device = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=username, protocol=mqtt.MQTTv311, reconnect_on_failure=False
    )
    device.username_pw_set(username, password)
    device.on_connect = lambda _c, _d, _f, code, _p: answered.append(not code.is_failure)
    device.connect("127.0.0.1", broker.port)
    device.loop_start()
    try:
        wait_for(lambda: answered, what="an answer to the log-in")
        if answered[0]:
            device.publish(topic, b"{}", qos=1).wait_for_publish(5)  # acknowledged, taken or not
    finally:
        device.disconnect()
        device.loop_stop()


def test_what_a_real_broker_says_is_the_answer(
    company: httpx.Client, connection: Connection, own_broker: Mosquitto
) -> None:
    with Broker(own_broker.admin_url) as control:
        issued = {
            slot: issue_credential(connection, "air", slot, who="cli:test", broker=control)
            for slot in ("platform-1", "platform-2", "hall")
        }

    def why(place: str) -> str:
        while read_on(connection, own_broker.log):
            pass
        return answer(company.get("/pilots/air/link").text, place)

    assert "브로커에 접속한 적이 없습니다" in wait_for(lambda: why("대합실"), what="an answer")
    publish(own_broker, issued["platform-2"].username, issued["platform-2"].password, "pilots/air/platform2/readings")
    wait_for(
        lambda: "브로커가 버렸습니다: pilots/air/platform2/readings" in why("승강장 북쪽"),
        what="the denial on the page",
    )
    publish(own_broker, issued["hall"].username, "not-its-password", "x")
    wait_for(lambda: "이 장비일 수 있습니다" in why("대합실"), what="the refused log-in on the page")
    publish(own_broker, issued["platform-1"].username, issued["platform-1"].password, "pilots/air/platform-1/readings")
    send(connection)
    assert "값은 도착하고 있습니다" in why("승강장 중앙")
    with Broker(own_broker.admin_url) as control:
        withdraw_connection(connection, "air", "hall", who="cli:test", broker=control)
    assert "접속 권한은" in why("대합실") and "회수되었습니다" in why("대합실")
