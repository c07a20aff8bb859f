"""Counts, rates, durations, times between failures and compound KPIs, in a real database; and how people are shown them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from pypdf import PdfReader

from core.database import Connection
from core.window import micros
from dashboards.judged import figures
from dashboards.wording import Wording
from kpi.evaluate import evaluate
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from tests.evaluated import Site, hours
from tests.kinds import ALL_UP, alarms, at, entry, missions, site_of

Make = Callable[..., Site]


@pytest.fixture
def site(connection: Connection) -> Make:
    return partial(site_of, connection)


EVENTS = """
alarms: {name: 오경보, measure: {event_rate: {event: alarm, where: {confirmed: false}, per: 1 camera-day}}, target: "<= 3 건/camera-day"}
daily: {name: 하루 경보, measure: {event_rate: {event: alarm, per: 1 d, independent: true}}, target: "<= 7.5 건/d", scope: capability}
collisions: {name: 충돌, measure: {event_rate: {event: incident, where: {kind: collision}, per: {increase: odometer}}}, target: "<= 1 / (1000 km)"}
injured: {name: 인명사고, measure: {count: {event: incident, where: {injured: "> 0"}}}, target: "== 0"}
safety:
    name: 안전
    all:
      - {name: 충돌, measure: {event_rate: {event: incident, where: {kind: collision}, per: {increase: odometer}}}, target: "1000 km당 1건 이하"}
      - {name: 인명사고, measure: {count: {event: incident, where: {injured: "> 0"}}}, target: "0건 일치"}
p90: {name: 대응 90백분위, measure: {event_duration: {event: mission, stat: p90}}, target: "<= 5 min"}
mean: {name: 평균 대응, measure: {event_duration: {event: mission, stat: mean}}, target: "<= 5 min"}
mtbf: {name: 평균고장간격, measure: {mtbf: {event: incident, where: {code: [E1, E2]}}}, target: ">= 200 h"}
"""  # noqa: E501 - plan text


@pytest.fixture
def busy(site: Make) -> Site:
    """March 2025, two slots: 1,000 km and 31 days each, all of it up."""
    made = site(EVENTS, slots=("a", "b"))
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 2, 28), date(2025, 4, 2), step_h=1 / 6)
    start, end = micros(at("2025-03-01")), micros(at("2025-04-01"))
    for slot in "ab":
        made.heard(slot, "odometer", at_us, 1000 * (at_us - start) / (end - start) + 100)
    return made


def test_rates_by_device_day_and_by_day(busy: Site, connection: Connection) -> None:
    alarms(busy, "a", 93, confirmed=False)
    alarms(busy, "b", 93, confirmed=False)
    alarms(busy, "b", 31, first=500, confirmed=True)
    result = evaluate(connection, "hall", month="2025-03")
    found = entry(result, "alarms")
    assert (found["value"], found["unit"], found["status"]) == (3.0, "건/camera-day", "on_track")
    assert found["n"] == 186
    daily = entry(result, "daily")
    assert daily["value"] == pytest.approx(7.0)
    from scipy import stats

    expected = [stats.chi2.ppf(0.025, 2 * 217) / 2 / 31, stats.chi2.ppf(0.975, 2 * 218) / 2 / 31]
    assert [daily["interval"]["low"], daily["interval"]["high"]] == pytest.approx(expected, rel=1e-9)
    assert daily["interval"]["method"] == "poisson"
    assert daily["status"] == "watch"


def test_collisions_by_distance_and_injuries_none(busy: Site, connection: Connection) -> None:
    busy.happened("a", [(1, "", at("2025-03-05"), {"kind": "collision", "injured": 0, "code": "E9"})], kind="incident")
    busy.happened("b", [(1, "", at("2025-03-09"), {"kind": "collision", "injured": 0, "code": "E9"})], kind="incident")
    result = evaluate(connection, "hall", month="2025-03")
    found = entry(result, "collisions")
    assert found["value"] == pytest.approx(1.0, rel=1e-9)
    assert found["unit"] == "건/(1000 km)"
    assert found["target"]["ko"] == "1건/1,000 km 이하"
    assert found["facts"]["exposure"] == pytest.approx(2000, rel=1e-9)
    assert (entry(result, "injured")["value"], entry(result, "injured")["status"]) == (0, "on_track")
    safety = entry(result, "safety")
    assert [part["target"]["en"] for part in safety["parts"]] == ["≤ 1 per 1,000 km", "= 0 cases"]
    assert safety["parts"][0]["value"] == found["value"]
    assert "① " in safety["why"]["ko"] and "② " in safety["why"]["en"]


def test_the_least_favourable_part_decides(busy: Site, connection: Connection) -> None:
    busy.happened("a", [(1, "", at("2025-03-05"), {"kind": "fall", "injured": 1})], kind="incident")
    safety = entry(evaluate(connection, "hall", month="2025-03"), "safety")
    assert (safety["part"], safety["status"], safety["value"], safety["unit"]) == (1, "at_risk", 1, "건")
    assert [part["status"] for part in safety["parts"]] == ["on_track", "at_risk"]
    assert safety["name"] == "안전"


def test_a_missing_number_may_have_been_one(busy: Site, connection: Connection) -> None:
    rows = [(n, "", at(f"2025-03-{n + 4:02}"), {"kind": "stop", "injured": 0}) for n in (1, 2, 4)]
    busy.happened("a", rows, kind="incident")
    found = entry(evaluate(connection, "hall", month="2025-03"), "injured")
    assert (found["value"], found["status"]) == (0, "watch")
    assert found["interval"] == {"low": 0, "high": 1, "alpha": None, "method": "unclear", "size": None}
    assert "번호 누락 1건" in found["why"]["ko"]
    assert "해당 여부를 알 수 없는" in found["why"]["ko"]


def test_a_call_never_answered_lasts_for_ever(busy: Site, connection: Connection) -> None:
    missions(busy, [1.0] * 17 + [4.0] + [None, None])
    result = evaluate(connection, "hall", month="2025-03")
    found = entry(result, "p90")
    assert (found["value"], found["unit"], found["status"]) == (4.0, "min", "on_track")
    mean = entry(result, "mean")
    assert (mean["value"], mean["no_value"], mean["status"]) == (None, "infinite", "at_risk")
    assert "무한대" in mean["why"]["ko"] and "미종료 2건" in mean["why"]["ko"]
    missions(busy, [None], first=30)  # and nine numbers missing before it
    found = entry(evaluate(connection, "hall", month="2025-03"), "p90")
    assert (found["value"], found["no_value"], found["status"]) == (None, "infinite", "at_risk")


def test_an_end_before_its_start_is_no_duration(busy: Site, connection: Connection) -> None:
    missions(busy, [1.0] * 8 + [-5.0])
    found = entry(evaluate(connection, "hall", month="2025-03"), "mean")
    assert (found["no_value"], found["facts"]["backwards"]) == ("infinite", 1)
    assert "종료가 시작보다 이른 기록 1건" in found["why"]["ko"]
    assert "1 that end before they start" in found["why"]["en"]


def test_no_failure_has_a_bound_and_no_estimate(site: Make, connection: Connection) -> None:
    made = site(EVENTS, start="2025-03-01", until="2025-04-01", interim="", end="2025-04-02")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 2, 28), date(2025, 4, 2), step_h=1 / 6)
    made.heard("a", "odometer", at_us, np.arange(len(at_us)))
    found = entry(evaluate(connection, "hall", final=True), "mtbf")
    assert (found["value"], found["no_value"], found["verdict"]) == (None, "no_failures", "met")
    assert found["interval"]["low"] == pytest.approx(744 / 2.995732, rel=1e-6)
    assert (found["interval"]["high"], found["interval"]["method"]) == (None, "chi_square")
    assert "추정값이 없음" in found["why"]["ko"] and "248 h 이상" in found["why"]["ko"]
    made.happened(
        "a", [(1, "", at("2025-03-05"), {"code": "E1"}), (2, "", at("2025-03-06"), {"code": "E7"})], "incident"
    )
    found = entry(evaluate(connection, "hall", final=True), "mtbf")
    assert (found["value"], found["verdict"]) == (pytest.approx(744), "inconclusive")
    assert found["interval"]["low"] == pytest.approx(744 / 4.743865, rel=1e-6)
    made.happened("a", [(3, "", at("2025-03-07"), {})], "incident")  # without a code: it may be a failure
    again = entry(evaluate(connection, "hall", final=True), "mtbf")
    assert again["value"] == pytest.approx(744)
    assert again["interval"]["low"] < found["interval"]["low"]


HOURS = """
day: {name: 낮 경보, measure: {event_rate: {event: alarm, per: 1 device-day, hours: "09:00-21:00", slots: [a]}}, target: "<= 8 건/device-day"}
sunday: {name: 일요일 경보, measure: {count: {event: alarm, days: [sun]}}, target: "<= 8 건"}
answered: {name: 대응, measure: {event_duration: {event: mission, stat: max, hours: "00:00-12:00"}}, target: "<= 5 min"}
"""  # noqa: E501 - plan text


def test_events_count_in_their_hours_and_on_their_days(site: Make, connection: Connection) -> None:
    made = site(HOURS, slots=("a", "b"))
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 2, 28), date(2025, 4, 2), step_h=1 / 6)
    for slot in "ab":
        made.heard(slot, "odometer", at_us, np.arange(len(at_us)))
        every_hour = [at("2025-03-01") + timedelta(hours=n) for n in range(31 * 24)]
        made.happened(slot, [(n, "", instant, {}) for n, instant in enumerate(every_hour)], kind="alarm")
    began = [at("2025-03-03", "11:59"), at("2025-03-03", "12:00")]
    made.happened("a", [(n, "start", one, {}) for n, one in enumerate(began)])
    made.happened("a", [(n, "end", one + timedelta(minutes=n + 1), {}) for n, one in enumerate(began)])
    result = evaluate(connection, "hall", month="2025-03")
    # Twelve alarms in twelve hours, which are half a device-day.
    assert entry(result, "day")["value"] == pytest.approx(24)
    assert entry(result, "day")["n"] == 31 * 12
    assert entry(result, "sunday")["value"] == 5 * 24 * 2
    assert (entry(result, "answered")["value"], entry(result, "answered")["n"]) == (1.0, 1)


# --- What people are shown


def test_documents_and_pages_show_them(busy: Site, connection: Connection) -> None:
    """Infinite values, bounds without an estimate, rates and compounds: in both languages, without a gap."""
    missions(busy, [1.0] * 8 + [None])
    alarms(busy, "a", 93, confirmed=False)
    rows = [(1, "", at("2025-03-05"), {"kind": "collision", "injured": 0}), (3, "", at("2025-03-06"), {"code": "E8"})]
    busy.happened("a", rows, kind="incident")
    for month in ("2025-03", "2025-04"):
        store(connection, evaluate(connection, "hall", month=month), who="test")
    stored = newest(connection, "hall", "month", "2025-03")
    assert stored is not None
    data = opinion_data(connection, stored)
    rows_of = {kpi.id: kpi for kpi in data.kpis}
    assert rows_of["mean"].cumulative.reason is not None
    assert "무한대" in rows_of["mean"].cumulative.reason.ko
    assert rows_of["mtbf"].cumulative.reason is not None
    assert "추정값이 없음" in rows_of["mtbf"].cumulative.reason.ko
    assert rows_of["safety"].unit == "건/(1000 km)"
    for language in ("ko", "en"):
        text = " ".join(page.extract_text() for page in PdfReader(BytesIO(opinion_pdf(data, language))).pages)
        assert "1.50" in text and ("건/카메라" in text if language == "ko" else "per camera-day" in text)
        words = Wording(language=language)
        shown = {one["id"]: figures(one, words) for one in stored.document["kpis"]}
        assert shown["mean"].has_value is False and shown["mean"].number == "–"
        assert shown["mtbf"].interval != ""
        assert shown["alarms"].n == ("93건" if language == "ko" else "93")
        assert shown["injured"].interval.startswith("확인되지 않은 범위" if language == "ko" else "not settled")
