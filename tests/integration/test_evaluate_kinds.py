"""Integrals, increases, rates, counts, durations, times between failures and compound KPIs, in a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pypdf import PdfReader

from core.canonical import canonical_json
from core.database import Connection
from core.window import micros, midnight
from dashboards.judged import figures
from dashboards.wording import Wording
from devices.registry import replace_device
from kpi.evaluate import Result, evaluate
from kpi.reports.gather import opinion_data
from kpi.reports.opinion import opinion_pdf
from kpi.results import newest, store
from telemetry import raw
from tests.evaluated import SEOUL, Site, hours, made_site

Make = Callable[..., Site]

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      power: {{unit: kW, period: 10 min, max_hold: 35 min, range: [0, 2]}}
      valve: {{unit: kW, reporting: on_change}}
      odometer: {{kind: counter, unit: km, period: 10 min, max_hold: 1 h}}
      pulses: {{kind: counter, unit: "1", period: 10 min, max_hold: 1 h}}
      mode: {{kind: state, states: [idle, auto], reporting: on_change}}
    events:
      mission: {{numbered: true, phased: true}}
      incident: {{numbered: true}}
      alarm: {{}}
"""
ALL_UP = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def site(connection: Connection) -> Make:
    return partial(made_site, connection, slot=SLOT)


def entry(result: Result, name: str) -> dict[str, Any]:
    canonical_json(result.document)  # no infinity, no NaN
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def at(day: str, clock: str = "00:00", zone: ZoneInfo = SEOUL) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)


# --- Integral

ENERGY = """
energy: {name: 전력량, measure: {integral: power}, target: "<= 800 kWh"}
night: {name: 야간, measure: {integral: {channel: power, hours: "00:00-06:00"}}, target: "<= 700 MJ"}
steps: {name: 밸브, measure: {integral: {channel: valve}}, target: "<= 800 kWh"}
"""


@pytest.mark.parametrize("summarised", [False, True])
@pytest.mark.parametrize("step_h", [1 / 6, 1 / 4, 0.5])
def test_oracle_12_a_kilowatt_held_for_a_day_is_24_kilowatt_hours(
    site: Make, connection: Connection, step_h: float, summarised: bool
) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 2), step_h=step_h)
    kept = np.ones(len(at_us), dtype=bool)
    if step_h == 1 / 6:  # missing, but no gap beyond the 35 minutes that a reading stands
        kept[::7] = kept[3::20] = False
        kept[0] = kept[-1] = True
    made.heard("a", "power", at_us[kept], np.ones(int(kept.sum())))
    if summarised:
        made.summarised()
    found = evaluate(connection, "hall", final=True)
    energy = entry(found, "energy")
    assert energy["value"] == pytest.approx(24, rel=1e-12)
    assert energy["unit"] == "kWh"
    assert entry(found, "night")["value"] == pytest.approx(6 * 3.6, rel=1e-12)
    assert entry(found, "night")["unit"] == "MJ"


@pytest.mark.parametrize("summarised", [False, True])
def test_an_integral_is_that_of_numpy_over_the_time_that_is_covered(
    site: Make, connection: Connection, summarised: bool
) -> None:
    made = site(ENERGY)
    made.alive(*ALL_UP)
    rng = np.random.default_rng(3)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 2), step_h=1 / 6) + rng.integers(0, 60_000_000, 32 * 144)
    values = rng.uniform(0, 2, len(at_us))
    kept = rng.random(len(at_us)) > 0.05
    kept[1000:1200] = False
    at_us, values = at_us[kept], values[kept]
    made.heard("a", "power", at_us, values)
    if summarised:
        made.summarised()
    found = entry(evaluate(connection, "hall", month="2025-03"), "energy")
    start, end = micros(midnight(date(2025, 3, 1), SEOUL)), micros(midnight(date(2025, 4, 1), SEOUL))
    seconds, covered = 0.0, 0.0
    for t0, t1, v0, v1 in zip(at_us[:-1], at_us[1:], values[:-1], values[1:], strict=True):
        if t1 - t0 <= 35 * 60_000_000:
            a, b = max(t0, start), min(t1, end)
            if a < b:
                at_a, at_b = np.interp([a, b], [t0, t1], [v0, v1])
                seconds += (at_a + at_b) / 2 * (b - a) / 1e6
                covered += (b - a) / 1e6
    lead = (at_us[0] - start) / 1e6  # nothing before the first reading: it stands back to the edge
    seconds, covered = seconds + values[0] * lead, covered + lead
    assert found["value"] == pytest.approx(seconds / 3600, rel=1e-9)
    assert found["facts"]["covered_s"] == pytest.approx(covered, rel=1e-9)
    assert found["facts"]["company_s"] > 32 * 3600
    assert found["completeness"] < 0.96


def test_an_integral_that_nobody_knows_lies_between_what_is_physically_possible(
    site: Make, connection: Connection
) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    at_us = hours(date(2025, 3, 1), date(2025, 3, 2), step_h=1 / 6)
    made.heard("a", "power", at_us[:120], np.ones(120))  # up to 19:50, and no record of the platform
    found = entry(evaluate(connection, "hall", final=True), "energy")
    covered_h = 119 / 6
    silent_h = 24 - covered_h - 35 / 60
    assert found["value"] == pytest.approx(covered_h)
    assert found["interval"]["method"] == "gaps"
    assert found["interval"]["low"] == pytest.approx(covered_h)
    assert found["interval"]["high"] == pytest.approx(covered_h + 2 * silent_h)


def test_a_channel_that_reports_on_change_adds_up_in_steps(site: Make, connection: Connection) -> None:
    made = site(ENERGY, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28", "20:00"), "online"), (at("2025-03-01", "18:00"), "offline")])
    told = [at("2025-02-28", "20:00"), at("2025-03-01", "06:00"), at("2025-03-01", "12:00")]
    made.heard("a", "valve", [micros(one) for one in told], [2.0, 0.5, 1.0])
    found = entry(evaluate(connection, "hall", final=True), "steps")
    assert found["value"] == pytest.approx(6 * 2 + 6 * 0.5 + 6 * 1.0)
    assert found["facts"]["company_s"] == 6 * 3600  # since the link was lost


# --- Increase

DISTANCE = """
distance: {name: 주행거리, measure: {increase: odometer}, target: ">= 100 km"}
wrapped: {name: 순환, measure: {increase: {channel: pulses, wrap: 1000}}, target: ">= 100"}
day: {name: 주간, measure: {increase: {channel: odometer, hours: "06:00-18:00"}}, target: ">= 50 km"}
"""


@pytest.mark.parametrize("summarised", [False, True])
def test_an_increase_goes_on_over_gaps_resets_and_wraps(site: Make, connection: Connection, summarised: bool) -> None:
    made = site(DISTANCE)
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1), step_h=1 / 6)
    steps = np.random.default_rng(4).integers(0, 5, len(at_us)).astype(float)
    steps[0] = 0
    counter = 500 + steps.cumsum()
    counter[2000:] -= counter[2000] - 3  # begins again, and is heard at 3
    # Hidden from the hour's summary: it falls inside an hour that ends higher than it began.
    counter[3001:] -= counter[3000] - counter[2999] + 1.0
    made.heard("a", "odometer", at_us, counter)
    wrapping = (990 + steps.cumsum()) % 1000
    kept = np.ones(len(at_us), dtype=bool)
    kept[700:720] = False  # four hours of silence, over which the counter counts on
    made.heard("a", "pulses", at_us[kept], wrapping[kept])
    if summarised:
        made.summarised()
    result = evaluate(connection, "hall", month="2025-03")
    found = entry(result, "distance")
    rises = np.diff(counter)
    expected = rises[rises > 0].sum()
    assert found["value"] == pytest.approx(expected, rel=1e-12)
    assert found["facts"]["restarts"] == (rises < 0).sum()
    assert found["interval"]["high"] == pytest.approx(expected + 3)
    assert found["interval"]["method"] == "unclear"
    wrapped = entry(result, "wrapped")
    assert wrapped["value"] == pytest.approx(steps.sum(), rel=1e-12)
    assert wrapped["facts"]["wraps"] == (np.diff(wrapping[kept]) < 0).sum() > 5
    local = (at_us // 60_000_000 + 9 * 60) % 1440
    inside = (local[:-1] >= 360) & (local[:-1] < 1080)
    assert entry(result, "day")["value"] == pytest.approx(rises[inside & (rises > 0)].sum(), rel=1e-12)


def test_only_the_hours_in_which_a_counter_fell_are_read_raw(
    site: Make, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = site(DISTANCE, start="2025-03-01", until="2025-03-11", interim="", end="2025-03-12")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 11), step_h=1 / 6)
    counter = np.arange(len(at_us), dtype=float)
    counter[602:] -= 601  # inside an hour
    counter[900:] -= 298  # between two hours
    made.heard("a", "odometer", at_us, counter)
    made.summarised()
    read: list[int] = []
    genuine = raw.readings_of_hours

    def spied(connection: Connection, channel: Any, hours_us: Any, as_of: Any) -> Any:
        read.extend(hours_us.tolist() if channel.name == "odometer" else [])
        return genuine(connection, channel, hours_us, as_of)

    monkeypatch.setattr(raw, "readings_of_hours", spied)
    found = entry(evaluate(connection, "hall", final=True), "distance")
    assert found["value"] == 1439 - 2
    assert found["facts"]["restarts"] == 2
    fell = int(at_us[602]) // 3_600_000_000 * 3_600_000_000
    assert set(read) == {fell}


def test_a_counter_does_not_go_on_in_another_device(site: Make, connection: Connection) -> None:
    made = site(DISTANCE, start="2025-03-01", until="2025-03-03", interim="", end="2025-03-04")
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 1), date(2025, 3, 3), step_h=1 / 6)
    counter = np.arange(len(at_us), dtype=float)
    counter[144:] += 70_000  # the other device came with this on its odometer
    swapped = at("2025-03-02")
    replace_device(connection, "hall", "a", serial="a-2", at=swapped, who="cli:test")
    made.heard("a", "odometer", at_us, counter)
    found = entry(evaluate(connection, "hall", final=True), "distance")
    assert found["value"] == pytest.approx(143 + 143)


# --- Events

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


def alarms(made: Site, slot: str, number: int, first: int = 0, **attributes: Any) -> None:
    every = timedelta(days=30) / number
    rows = [(first + i, "", at("2025-03-01", "01:00") + i * every, attributes) for i in range(number)]
    made.happened(slot, rows, kind="alarm")


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


def missions(made: Site, minutes: list[float | None], first: int = 1) -> None:
    rows: list[tuple[int, str, datetime, dict[str, Any]]] = []
    for place, lasted in enumerate(minutes):
        began = at("2025-03-02") + timedelta(hours=3 * place)
        rows.append((first + place, "start", began, {}))
        if lasted is not None:
            rows.append((first + place, "end", began + timedelta(minutes=lasted), {}))
    made.happened("a", rows)


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


# --- Bad input

EVERYTHING = (
    ENERGY
    + DISTANCE
    + EVENTS.lstrip()
    + """
stat: {name: 평균 전력, measure: {statistic: {channel: power, stat: mean}}, target: "<= 1 kW"}
spread: {name: 편차, measure: {statistic: {channel: power, stat: std}}, target: "<= 1 kW"}
p95: {name: 95백분위, measure: {statistic: {channel: power, stat: p95}}, target: "<= 1 kW"}
share: {name: 비율, measure: {share: {while: {channel: power, value: "<= 1 kW"}}}, target: ">= 95 %"}
auto: {name: 자동, measure: {share: {while: {channel: mode, in: [auto]}}}, target: ">= 95 %"}
capture: {name: 획득률, measure: {capture: {}}, target: ">= 95 %"}
up: {name: 가동률, measure: {availability: {}}, target: ">= 95 %"}
ratio: {name: 성공률, measure: {event_ratio: {event: mission, success: {result: ok}}}, target: ">= 95 %", scope: capability}
"""
)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [one for item in value.values() for one in numbers(item)]
    if isinstance(value, list):
        return [one for item in value for one in numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("record", [True, False])
@pytest.mark.parametrize(
    "told",
    [[], [(0, 1.0)], [(0, 1.0)] * 1, [(60 * i, 1.0) for i in range(50)], [(10, -5.0), (20, 1e140), (30, -1e140)]],
    ids=["zero readings", "one reading", "the same again", "a constant series", "absurd values"],
)
def test_every_kind_gives_a_result_or_a_reason(
    site: Make, connection: Connection, told: list[tuple[int, float]], record: bool
) -> None:
    made = site(EVERYTHING, slots=("a", "b"))
    if record:
        made.alive(*ALL_UP)
    for channel in ("power", "valve", "odometer", "pulses"):
        instants = [micros(at("2025-03-10") + timedelta(minutes=minute)) for minute, _ in told]
        made.heard("a", channel, instants, [value for _, value in told])
    for question in ({"month": "2025-03"}, {"at": date(2025, 6, 1)}, {"final": True}):
        result = evaluate(connection, "hall", **question)  # type: ignore[arg-type]
        document = json.loads(canonical_json(result.document))
        assert all(np.isfinite(numbers(document)))
        for one in document["kpis"]:
            assert one["why"]["ko"] and one["why"]["en"]
            assert one["value"] is not None or one["no_value"] is not None, one["id"]


def test_a_state_that_nobody_declared_fulfils_nothing(site: Make, connection: Connection) -> None:
    made = site(EVERYTHING, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28"), "online")])
    told = [(at("2025-02-28"), 1.0), (at("2025-03-01", "12:00"), 7.0)]  # the channel has the codes 0 and 1
    made.heard("a", "mode", [micros(one) for one, _ in told], [code for _, code in told])
    assert entry(evaluate(connection, "hall", final=True), "auto")["value"] == 50.0


@pytest.mark.parametrize(
    ("zone", "month", "length_h"),
    [("America/New_York", "2025-03", 743), ("America/New_York", "2025-11", 721), ("Asia/Seoul", "2024-02", 696)],
    ids=["an hour skipped", "an hour twice", "a leap day"],
)
def test_days_are_those_of_the_zone(site: Make, connection: Connection, zone: str, month: str, length_h: int) -> None:
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=32)).replace(day=1)
    made = site(
        EVERYTHING, zone=zone, start=str(first), until=str(after), interim="", end=str(after + timedelta(days=1)),
        now=datetime(2024, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    made.alive(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    place = ZoneInfo(zone)
    at_us = hours(first - timedelta(days=1), after + timedelta(days=1), place, step_h=1 / 6)
    made.heard("a", "power", at_us, np.ones(len(at_us)))
    made.heard("a", "odometer", at_us, np.arange(len(at_us)) / 6.0)
    made.happened(
        "a", [(n, "", at(f"{month}-09", f"{n:02}:30", place), {"confirmed": False}) for n in range(3)], "alarm"
    )
    result = evaluate(connection, "hall", final=True)
    assert entry(result, "energy")["value"] == pytest.approx(length_h)
    assert entry(result, "distance")["value"] == pytest.approx(length_h)
    nights = sum(6 for _ in range((after - first).days)) + (length_h - 24 * (after - first).days)
    assert entry(result, "night")["value"] == pytest.approx(3.6 * nights)  # the change of the clock lies in the night
    assert entry(result, "alarms")["value"] == pytest.approx(3 / (length_h / 24))


def test_a_channel_that_starts_in_the_middle_of_a_month(site: Make, connection: Connection) -> None:
    made = site(EVERYTHING)
    made.alive(*ALL_UP)
    at_us = hours(date(2025, 3, 16), date(2025, 4, 2), step_h=1 / 6)
    made.heard("a", "power", at_us, np.ones(len(at_us)))
    result = evaluate(connection, "hall", month="2025-03")
    energy = entry(result, "energy")
    assert energy["value"] == pytest.approx(16 * 24)
    assert energy["completeness"] == pytest.approx(16 / 31, abs=1e-3)
    assert energy["status"] == "insufficient"
    assert energy["facts"]["company_s"] == pytest.approx(15 * 86_400)


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
