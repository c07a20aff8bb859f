"""The monthly opinion from the store: gathered from a stored result, written by the command line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from core.canonical import canonical_json, sha256
from core.database import Connection
from core.errors import PermanentError
from core.settings import settings
from core.window import Window, micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_of, replace_device
from kpi.evaluate import evaluate
from kpi.reports.gather import last_whole_month, opinion_data
from kpi.reports.opinion import opinion_json, opinion_pdf
from kpi.reports.record import OpinionData
from kpi.results import newest, store
from pilotbed.cli import run
from telemetry.batch import Batch, QuarantinedMessage, RejectedItem
from telemetry.channels import channel
from telemetry.commit import commit
from telemetry.load import load_readings, record_alive
from telemetry.rows import Columns
from telemetry.summarise import summarise_all

PLAN = """\
pilot: office-air
title: 청사 사무실 공기질 실증
kind: rnd
simulated: true
company: {id: cleanair, name: (주)클린에어}
site: {id: city-office, name: 서울시청 총무과}
period: {start: 2026-03-01, end: 2026-09-01, timezone: Asia/Seoul}
evaluation: {data_until: 2026-08-01, meeting: 2026-08-20}
product: {name: 공기질 측정기 CA-200}
slots:
  office:
    place: 3층 사무실
    device: {serial: CA-0001}
    channels:
      temperature: {name: 기온, unit: degC, period: 10 min, range: [-20, 60]}
  lobby:
    place: 1층 로비
    device: {serial: CA-0002}
    channels:
      temperature: {name: 기온, unit: degC, period: 10 min, range: [-20, 60]}
kpis:
  comfort:
    name: 쾌적 온도 유지율
    definition: 실내 기온이 20~26 °C인 시간의 비율
    measure: {share: {of: time, while: {channel: temperature, value: 20..26 degC}, slots: [office]}}
    target: ">= 90 %"
    required: true
  captured:
    name: 자료획득률
    measure: {capture: {}}
    target: ">= 95 %"
  mean:
    name: 평균 기온
    measure: {statistic: {channel: temperature, stat: mean, slots: [office]}}
    target: 22..24 degC
"""
START = datetime(2026, 2, 28, 15, tzinfo=UTC)  # 1 March in Seoul
STEP_US = 600_000_000
MONTH = "2026-05"


def day(month: int, number: int, hour: int = 0) -> datetime:
    """An instant by the clock in Seoul."""
    return datetime(2026, month, number, hour, tzinfo=UTC) - timedelta(hours=9)


def fill(connection: Connection, slot: str, silent: list[Window]) -> None:
    """Readings every ten minutes from March to May: 23 °C, and 30 °C in one hour of each day; none while silent."""
    info = channel(connection, "office-air", slot, "temperature")
    at_us = np.arange(micros(START), micros(day(6, 1)), STEP_US)
    for window in silent:
        at_us = at_us[(at_us < window.start_us) | (at_us >= window.end_us)]
    hour = at_us // 3_600_000_000 % 24
    readings = Columns(
        channel_id=np.full(len(at_us), info.channel_ids[-1], dtype=np.int32),
        observed_us=at_us,
        value=np.where(hour == 5, 30.0, 23.0),
        flags=np.zeros(len(at_us), dtype=np.int16),
    )
    load_readings(connection, "office-air", readings, at_us + 350_000)
    summarise_all(connection)


@pytest.fixture
def filled(connection: Connection) -> Connection:
    """A pilot with three months behind it: the office was silent for a day in May, the lobby in most of April."""
    apply_plan(connection, read_plan(PLAN.encode()), who="test", now=START - timedelta(days=1))
    fill(connection, "office", [Window(start=day(5, 12, 9), end=day(5, 13, 9))])
    fill(connection, "lobby", [Window(start=day(4, 3), end=day(4, 29))])
    record_alive(connection, "office-air", Window(start=START, end=day(6, 1)))
    return connection


def judged(connection: Connection, month: str = MONTH) -> OpinionData:
    store(connection, evaluate(connection, "office-air", month=month), who="test")
    result = newest(connection, "office-air", "month", month)
    assert result is not None
    return opinion_data(connection, result)


def pages(pdf: bytes) -> list[str]:
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(BytesIO(pdf)).pages]


def test_the_record_holds_what_the_result_says(filled: Connection) -> None:
    data = judged(filled)
    result = newest(filled, "office-air", "month", MONTH)
    assert result is not None
    assert data.result_sha256 == result.sha256
    assert data.as_of == result.as_of
    for kpi, entry in zip(data.kpis, result.document["kpis"], strict=True):
        assert (kpi.name, kpi.status) == (entry["name"], entry["status"])
        assert kpi.month.value == entry["month"]["value"]
        assert kpi.cumulative.value == entry["cumulative"]["value"]
        assert kpi.trend[-1].value == kpi.month.value
        assert [point.month for point in kpi.trend] == ["2026-03", "2026-04", "2026-05"]
    assert data.kpis[0].definition == "실내 기온이 20~26 °C인 시간의 비율"


def test_the_months_before_are_those_that_were_stored(filled: Connection) -> None:
    """A month never evaluated is worked out; one that was stored by then stands as it was stored."""
    alone = judged(filled)
    again = judged(filled, "2026-04")
    data = judged(filled)
    assert data.kpis == alone.kpis
    assert data.kpis[1].trend[1].value == again.kpis[1].month.value
    assert again.kpis[1].trend[-1].month == "2026-04"


def test_outages_are_cut_at_the_month_and_charged(filled: Connection) -> None:
    data = judged(filled)
    [outage] = data.outages
    assert (outage.slot, outage.place, outage.charged_to) == ("office", "3층 사무실", "company")
    # The last reading stood for three periods.
    assert outage.window.start == day(5, 12, 9) + timedelta(minutes=20)
    assert outage.window.end == day(5, 13, 9)
    [april] = judged(filled, "2026-04").outages
    assert april.slot == "lobby"


def test_silence_that_no_record_explains_waits_for_a_decision(connection: Connection) -> None:
    apply_plan(connection, read_plan(PLAN.encode()), who="test", now=START - timedelta(days=1))
    fill(connection, "office", [Window(start=day(5, 12, 9), end=day(5, 13, 9))])
    fill(connection, "lobby", [])
    data = judged(connection)
    assert {outage.charged_to for outage in data.outages} == {"unattributed"}
    assert any("귀책을 알 수 없는 수신 중단 1건" in decision.ko for decision in data.decisions)


def test_the_same_result_gives_the_same_bytes_whatever_came_later(filled: Connection) -> None:
    first = judged(filled)
    result = newest(filled, "office-air", "month", MONTH)
    assert result is not None
    info = channel(filled, "office-air", "lobby", "temperature")
    refused = RejectedItem(slot_id=info.slot_id, topic="t", item="temperature", observed="x", value="x", reason="not_a_number",
                           detail="")  # fmt: skip
    commit(filled, Batch(rejected=[refused]))
    second = opinion_data(filled, result)
    assert opinion_json(second) == opinion_json(first)
    assert opinion_pdf(second) == opinion_pdf(first)


def test_refusals_of_the_month_are_counted_by_place_and_reason(connection: Connection) -> None:
    """Received now, so it is the running month that has them."""
    now = datetime.now(UTC)
    start, end = (now - timedelta(days=40)).date().replace(day=1), (now + timedelta(days=70)).date().replace(day=1)
    text = re.sub(r"period: \{start: \S+ end: \S+", f"period: {{start: {start}, end: {end},", PLAN)
    text = re.sub(r"data_until: \S+ meeting: [0-9-]+", f"data_until: {end}, meeting: {end}", text)
    apply_plan(connection, read_plan(text.encode()), who="test")
    info = channel(connection, "office-air", "lobby", "temperature")
    row = connection.execute("SELECT connection_id FROM connection WHERE name = 'lobby'").fetchone()
    assert row is not None
    message = QuarantinedMessage(connection_id=row["connection_id"], topic="t", reason="not_json", detail="",
                                 payload=b"{", payload_bytes=1, payload_sha256=sha256(b"{"))  # fmt: skip
    refused = RejectedItem(slot_id=info.slot_id, topic="t", item="temperature", observed="x", value="x", reason="in_future",
                           detail="")  # fmt: skip
    commit(connection, Batch(rejected=[refused, refused], quarantined=[message], delivered={row["connection_id"]: 1}))
    zone = plan_of(connection, "office-air")[0].zone
    data = judged(connection, datetime.now(zone).strftime("%Y-%m"))
    assert [(one.kind, one.where, one.reason, one.n) for one in data.refused] == [
        ("item", "lobby", "in_future", 2),
        ("message", "lobby", "not_json", 1),
    ]
    assert any(decision.en.startswith("1 quarantined") for decision in data.decisions)
    # The running day's counts would differ at the next look.
    assert datetime.now(zone).date() not in [one.day for one in data.intake]
    assert data.provisional


def test_a_swap_is_listed_and_a_first_device_is_not(filled: Connection) -> None:
    at = day(5, 20, 10)
    replace_device(filled, "office-air", "office", serial="CA-0009", who="test", now=at)
    [swap] = judged(filled).swaps
    assert (swap.slot, swap.before, swap.serial, swap.at) == ("office", "CA-0001", "CA-0009", at)


def test_what_the_officer_wrote_is_printed_and_makes_another_document(filled: Connection) -> None:
    before = judged(filled)
    assert before.site_opinion is None
    filled.execute(
        "INSERT INTO opinion (pilot_id, month, judgement, body, written_by)"
        " SELECT pilot_id, %s, 'needs_work', '로비 통신을 점검하도록 함.', 'officer-kim' FROM pilot",
        [MONTH],
    )
    data = judged(filled)
    assert data.site_opinion is not None
    assert (data.site_opinion.judgement, data.site_opinion.by) == ("needs_work", "officer-kim")
    assert data.result_sha256 == before.result_sha256
    first = pages(opinion_pdf(data))[0]
    assert "■ 보완 필요" in first
    assert "로비 통신을 점검하도록 함." in first


def test_every_page_says_that_the_data_are_simulated(filled: Connection) -> None:
    for page in pages(opinion_pdf(judged(filled))):
        assert "모의 자료: 실제 실증이 아닌" in page


def test_numbers_on_paper_are_those_of_the_result(filled: Connection) -> None:
    data = judged(filled)
    text = pages(opinion_pdf(data))[0]
    # 23 of 24 hours are comfortable (a reading of 30 °C stands until the next), less the day of silence.
    assert data.kpis[0].month.value is not None
    hours = 31 * 24
    heard = hours - 24 + 1 / 3
    assert data.kpis[0].month.value == pytest.approx(100 * (heard - 30) / hours, abs=0.05)
    assert f"{data.kpis[0].month.value:.1f} %" in text
    assert data.kpis[2].month.value == pytest.approx(23 + 7 / 24, abs=0.02)
    assert "23.3 °C" in text


def test_an_opinion_is_of_a_month(filled: Connection) -> None:
    store(filled, evaluate(filled, "office-air", final=True), who="test")
    result = newest(filled, "office-air", "final", "2026-08-01")
    assert result is not None
    with pytest.raises(PermanentError, match="is not of a month: an opinion is monthly"):
        opinion_data(filled, result)


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (day(6, 1), "2026-05"),
        (day(6, 1) - timedelta(seconds=1), "2026-04"),
        (day(8, 31, 12), "2026-07"),
        (day(12, 5), "2026-08"),
    ],
)
def test_the_default_is_the_last_month_that_is_over(now: datetime, month: str) -> None:
    assert last_whole_month(read_plan(PLAN.encode()).plan, now) == month


def test_before_the_first_month_is_over_there_is_no_default() -> None:
    with pytest.raises(PermanentError, match="No month of pilot office-air is over yet: it begins on 2026-03-01"):
        last_whole_month(read_plan(PLAN.encode()).plan, day(3, 15))


def test_the_command_writes_both_formats_of_one_record(
    filled: Connection,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    try:
        pdf, found = tmp_path / "opinion.pdf", tmp_path / "opinion.json"
        wanted = ["report", "opinion", "office-air", "--month", MONTH]
        assert run([*wanted, "-o", str(pdf)]) == 0
        assert run([*wanted, "-o", str(found), "--format", "json"]) == 0
        assert run([*wanted, "-o", str(tmp_path / "english.pdf"), "--lang", "en"]) == 0
        assert capsys.readouterr().out == ""
        record = json.loads(found.read_bytes())
        assert record["sha256"] == sha256(canonical_json(record["opinion"]))
        assert record["check_code"] in pages(pdf.read_bytes())[0]
        assert "Monitoring opinion" in pages((tmp_path / "english.pdf").read_bytes())[0]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["english.pdf", "opinion.json", "opinion.pdf"]

        assert run([*wanted, "-o", str(tmp_path / "x"), "--format", "hwpx"]) == 2
        assert "An opinion is not written as 'hwpx'; choose one of: pdf, json." in capsys.readouterr().err
        assert run([*wanted, "-o", str(tmp_path / "nowhere" / "x.pdf")]) == 2
        assert "does not exist: make it, or name another file" in capsys.readouterr().err
        assert run(["report", "opinion", "office-air", "--month", "2025-01", "-o", str(tmp_path / "x")]) == 2
        assert "'2025-01' is no month of pilot office-air" in capsys.readouterr().err
        assert not (tmp_path / "x").exists()
    finally:
        settings.cache_clear()
