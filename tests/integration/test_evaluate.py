"""Evaluation of plans and readings in a real database, against numpy and pandas on the same readings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from core.canonical import canonical_json
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.window import micros, midnight
from kpi.evaluate import Result, evaluate
from telemetry.platform_record import Entry, record
from tests.evaluated import Site, hours, made_site

SEOUL = ZoneInfo("Asia/Seoul")
Make = Callable[..., Site]


@pytest.fixture
def site(connection: Connection) -> Make:
    return partial(made_site, connection)


def entry(result: Result, name: str) -> dict[str, Any]:
    return next(kpi for kpi in result.document["kpis"] if kpi["id"] == name)


def frame(at_us: NDArray[np.int64], values: NDArray[np.float64], zone: str = "Asia/Seoul") -> pd.Series[float]:
    return pd.Series(values, index=pd.to_datetime(at_us, unit="us", utc=True).tz_convert(zone))


MEAN = """
mean: {name: 평균 온도, measure: {statistic: {channel: temp, stat: mean}}, target: "20..26 degC"}
fahrenheit: {name: 화씨, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 80 degF"}
max: {name: 최고, measure: {statistic: {channel: temp, stat: max}}, target: "< 40 degC"}
p95: {name: 95백분위, measure: {statistic: {channel: temp, stat: p95}}, target: "<= 30 degC"}
std: {name: 편차, measure: {statistic: {channel: temp, stat: std}}, target: "<= 9 degC"}
work: {name: 근무시간, measure: {statistic: {channel: temp, stat: mean, hours: "09:00-18:00", days: [mon, tue, wed, thu, fri]}}, target: "<= 26 degC"}
"""  # noqa: E501 - plan text


@pytest.mark.parametrize("summarised", [False, True])
def test_statistics_are_those_of_pandas(site: Make, connection: Connection, summarised: bool) -> None:
    made = site(MEAN)
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    values = np.random.default_rng(1).normal(22, 4, len(at_us)) + 3 * np.sin(np.arange(len(at_us)) / 24 * 2 * np.pi)
    made.heard("a", "temp", at_us, values)
    if summarised:
        made.summarised()
    series = frame(at_us, values)
    may = series[series.index.month == 5]
    found = evaluate(connection, "hall", month="2025-05")
    mean = entry(found, "mean")
    assert mean["month"]["value"] == pytest.approx(may.mean(), rel=1e-12)
    assert (mean["month"]["n"], mean["month"]["completeness"]) == (744, 1.0)
    assert mean["value"] == mean["cumulative"]["value"] == pytest.approx(series.mean(), rel=1e-12)
    assert entry(found, "fahrenheit")["value"] == pytest.approx(series.mean() * 1.8 + 32, rel=1e-12)
    assert entry(found, "fahrenheit")["unit"] == "degF"
    assert entry(found, "max")["month"]["value"] == may.max()
    assert entry(found, "p95")["month"]["value"] == pytest.approx(may.quantile(0.95), rel=1e-12)
    assert entry(found, "std")["value"] == pytest.approx(series.std(), rel=1e-12)
    work = series[(series.index.day_of_week < 5) & (series.index.hour >= 9) & (series.index.hour < 18)]
    assert entry(found, "work")["value"] == pytest.approx(work.mean(), rel=1e-12)
    assert entry(found, "work")["n"] == len(work)
    assert entry(found, "work")["completeness"] == 1.0


SHARE = """
cool: {name: 적정 온도 유지율, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}
day: {name: 낮, measure: {share: {while: {channel: temp, value: "<= 25 degC"}, hours: "05:00-24:00"}}, target: ">= 90 %"}
"""


def by_hour(
    series: pd.Series[float], start: str, end: str, hold_h: int = 3
) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Hourly readings on a grid, held for at most three hours: the value that stands in each hour, and where none does."""
    grid = pd.date_range(start, end, freq="h", tz=series.index.tz, inclusive="left")
    held = series.reindex(grid).ffill(limit=hold_h - 1)
    return held, held.isna()


@pytest.mark.parametrize("record", ["whole", "none", "with an outage"])
def test_shares_charge_every_gap(site: Make, connection: Connection, record: str) -> None:
    made = site(SHARE)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    rng = np.random.default_rng(2)
    values = rng.normal(22, 2, len(at_us))
    keep = np.ones(len(at_us), dtype=bool)
    keep[100:130] = keep[300:310] = keep[500] = False
    made.heard("a", "temp", at_us[keep], values[keep])
    start, end = datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 5, 1, tzinfo=UTC)
    outage = (micros(midnight(date(2025, 3, 5), SEOUL)), micros(midnight(date(2025, 3, 6), SEOUL)))
    if record == "whole":
        made.alive(start, end)
    elif record == "with an outage":
        made.alive(start, midnight(date(2025, 3, 5), SEOUL))
        made.alive(midnight(date(2025, 3, 6), SEOUL), end)
    series = frame(at_us[keep], values[keep])
    held, silent = by_hour(series, "2025-03-01", "2025-04-01")
    out = (held.index >= pd.Timestamp(outage[0], unit="us", tz="UTC")) & (
        held.index < pd.Timestamp(outage[1], unit="us", tz="UTC")
    )
    found = evaluate(connection, "hall", month="2025-03")
    for name, wanted in (("cool", np.ones(len(held), dtype=bool)), ("day", held.index.hour >= 5)):
        kept, known = int((held[wanted] <= 25).sum()), int((~silent[wanted]).sum())
        lost = int(silent[wanted].sum())
        got = entry(found, name)["month"]
        if record == "whole":
            assert got["value"] == pytest.approx(100 * kept / (known + lost), rel=1e-12)
            assert got["interval"]["method"] == "none"
        elif record == "none":
            assert got["value"] == pytest.approx(100 * kept / known, rel=1e-12)
            assert got["interval"]["low"] == pytest.approx(100 * kept / (known + lost), rel=1e-12)
            assert got["interval"]["high"] == pytest.approx(100 * (kept + lost) / (known + lost), rel=1e-12)
        else:
            ours = int((silent & out)[wanted].sum())
            assert ours > 0
            assert got["value"] == pytest.approx(100 * kept / (known + lost - ours), rel=1e-12)


def test_capture_is_what_is_there_of_what_is_due(site: Make, connection: Connection) -> None:
    made = site('capture: {name: 자료획득률, measure: {capture: {}}, target: ">= 90 %"}', slots=("a", "b"))
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    keep = np.random.default_rng(3).random(len(at_us)) > 0.2
    made.heard("a", "temp", at_us[keep], np.full(keep.sum(), 20.0))
    made.heard("b", "temp", at_us, np.full(len(at_us), 20.0))
    got = entry(evaluate(connection, "hall", month="2025-03"), "capture")["month"]
    assert got["value"] == pytest.approx(100 * (keep.sum() + len(at_us)) / (2 * len(at_us)), rel=1e-12)
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), midnight(date(2025, 3, 11), SEOUL))
    made.alive(midnight(date(2025, 3, 21), SEOUL), datetime(2025, 5, 1, tzinfo=UTC))
    got = entry(evaluate(connection, "hall", month="2025-03"), "capture")["month"]
    rest = (at_us < micros(midnight(date(2025, 3, 11), SEOUL))) | (at_us >= micros(midnight(date(2025, 3, 21), SEOUL)))
    # Slot b lost nothing during the outage, so all of its readings count; of slot a those outside of it.
    expected = 100 * ((keep & rest).sum() + len(at_us)) / (rest.sum() + len(at_us))
    assert got["value"] == pytest.approx(expected, abs=0.2)


def test_availability_from_wills_readings_and_silence(site: Make, connection: Connection) -> None:
    made = site('up: {name: 가동률, measure: {availability: {}}, target: ">= 99 %"}')
    start = midnight(date(2025, 3, 1), SEOUL)
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    keep = np.ones(len(at_us), dtype=bool)
    keep[200:224] = False  # 24 readings missing: a reading stands for 3 h, so 22 h of silence
    made.heard("a", "temp", at_us[keep], np.full(keep.sum(), 20.0))
    made.linked("a", [(start + timedelta(hours=400, minutes=10), "offline")])  # until the reading at hour 401
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 5, 1, tzinfo=UTC))
    got = entry(evaluate(connection, "hall", month="2025-03"), "up")
    down_h = 22 + 50 / 60
    assert got["month"]["value"] == pytest.approx(100 * (744 - down_h) / 744, rel=1e-12)
    assert got["status"] == "at_risk"
    assert got["facts"]["company_s"] == pytest.approx(down_h * 3600)


def test_a_swaps_time_counts_as_down(site: Make, connection: Connection) -> None:
    """Also while the platform was down, and also for a share of time."""
    made = site(
        """
up: {name: 가동률, measure: {availability: {}}, target: ">= 99 %"}
cool: {name: 적정 온도, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}
"""
    )
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1))
    removed, again = (midnight(date(2025, 3, day), SEOUL) for day in (11, 13))
    keep = (at_us < micros(removed)) | (at_us >= micros(again))
    made.heard("a", "temp", at_us[keep], np.full(keep.sum(), 20.0))
    connection.execute("UPDATE installation SET removed_at = %s", [removed])
    connection.execute(
        "INSERT INTO installation (slot_id, serial, installed_at) VALUES (%s, 'a-2', %s)", [made.slots["a"], again]
    )
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), removed)
    made.alive(again, datetime(2025, 5, 1, tzinfo=UTC))
    found = evaluate(connection, "hall", month="2025-03")
    # The reading before the removal stands for three hours; what stands where no device is does not make it available.
    assert entry(found, "up")["value"] == pytest.approx(100 * 29 / 31, rel=1e-12)
    assert entry(found, "cool")["value"] == pytest.approx(100 * (29 * 24 + 2) / (31 * 24), rel=1e-12)


def mission(number: int, at: datetime, result: str) -> list[tuple[int, str, datetime, dict[str, Any]]]:
    return [(number, "start", at, {}), (number, "end", at + timedelta(minutes=9), {"result": result})]


EVENTS = """
success:
    name: 임무 성공률
    scope: capability
    measure: {event_ratio: {event: mission, success: {result: done}}}
    target: ">= 90 %"
morning:
    name: 오전 임무
    measure: {event_ratio: {event: mission, hours: "09:00-12:00", success: {result: done}}}
    target: ">= 90 %"
"""


def test_missing_numbers_and_open_missions_fail(site: Make, connection: Connection) -> None:
    made = site(EVENTS)
    start = midnight(date(2025, 3, 1), SEOUL)
    rows: list[tuple[int, str, datetime, dict[str, Any]]] = []
    for number in range(1, 201):
        at = start + timedelta(hours=3.6 * number)
        if number in (50, 51, 52):
            continue  # nobody heard of them
        if number == 100:
            rows.append((number, "start", at, {}))  # never came home
        else:
            rows += mission(number, at, "failed" if number % 50 == 7 else "done")
    made.happened("a", rows)
    made.linked("a", [(start - timedelta(days=1), "online")])
    found = evaluate(connection, "hall", month="2025-03")
    success = entry(found, "success")
    assert success["month"]["n"] == 200
    assert success["month"]["value"] == 100 * (200 - 3 - 1 - 4) / 200
    assert success["facts"]["missing_numbers"] == 3 and success["facts"]["never_closed"] == 1
    assert success["completeness"] == 1.0
    assert success["interval"]["low"] < success["value"] < success["interval"]["high"]
    assert success["status"] == "watch"
    morning = [n for n in range(1, 201) if 9 <= (start + timedelta(hours=3.6 * n)).astimezone(SEOUL).hour < 12]
    missing_there = [n for n in (53,) if n in morning]
    assert entry(found, "morning")["n"] == len([n for n in morning if n not in (50, 51, 52)]) + 3 * len(missing_there)


# --- When verdicts are given


def test_verdicts_are_given_at_the_plans_dates_only(site: Make, connection: Connection) -> None:
    made = site(MEAN)
    at_us = hours(date(2025, 3, 1), date(2025, 11, 1))
    made.heard("a", "temp", at_us, np.full(len(at_us), 22.0))
    made.summarised()
    interim = evaluate(connection, "hall", at=date(2025, 6, 1))
    assert (interim.kind, interim.label) == ("date", "2025-06-01")
    assert interim.document["window"]["end"] == "2025-05-31T15:00:00.000000Z"
    assert (interim.document["looks"], interim.document["alpha"]) == (2, 0.025)
    assert entry(interim, "mean")["verdict"] == "met"
    assert "status" not in entry(interim, "mean")
    final = evaluate(connection, "hall", final=True)
    assert (final.kind, final.label) == ("final", "2025-11-01")
    assert evaluate(connection, "hall", at=date(2025, 11, 1), as_of=final.as_of).document == final.document
    with pytest.raises(PermanentError, match="2025-06-01, 2025-11-01"):
        evaluate(connection, "hall", at=date(2025, 7, 1))
    with pytest.raises(PermanentError, match="was not over"):
        evaluate(connection, "hall", final=True, as_of=datetime(2025, 10, 31, 14, 59, tzinfo=UTC))
    with pytest.raises(PermanentError, match="runs from 2025-03 to 2025-11"):
        evaluate(connection, "hall", month="2025-12")
    with pytest.raises(PermanentError, match="had not begun"):
        evaluate(connection, "hall", month="2025-05", as_of=datetime(2025, 4, 30, tzinfo=UTC))
    with pytest.raises(PermanentError, match="future"):
        evaluate(connection, "hall", month="2025-05", as_of=datetime(2100, 1, 1, tzinfo=UTC))
    with pytest.raises(PermanentError, match="one of the three"):
        evaluate(connection, "hall")
    with pytest.raises(NotFound, match="recorded by"):
        evaluate(connection, "hall", month="2025-03", as_of=datetime(2024, 1, 1, tzinfo=UTC))


def test_a_quarter_with_too_little_is_insufficient(site: Make, connection: Connection) -> None:
    made = site(MEAN)
    at_us = hours(date(2025, 3, 1), date(2025, 11, 1))
    start, end = (micros(midnight(day, SEOUL)) for day in (date(2025, 8, 1), date(2025, 9, 1)))
    keep = (at_us < start) | (at_us >= end)
    made.heard("a", "temp", at_us[keep], np.full(keep.sum(), 22.0))
    made.summarised()
    mean = entry(evaluate(connection, "hall", final=True), "mean")
    assert mean["completeness"] > 0.87
    assert [quarter["completeness"] > 0.75 for quarter in mean["quarters"]] == [True, False]
    assert (mean["verdict"], mean["reason"]) == ("insufficient", "incomplete_quarter")
    assert "2025. 7. 1. ~" in mean["why"]["ko"]


def test_a_running_month_is_provisional_and_judged_up_to_now(site: Make, connection: Connection) -> None:
    now = datetime.now(UTC)
    first = now.astimezone(SEOUL).date().replace(day=1)
    dates = {
        "start": first.isoformat(), "interim": "", "until": (first + timedelta(days=60)).isoformat(),
        "end": (first + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    made = site(MEAN, **dates)
    at_us = hours(first, first + timedelta(days=32))
    at_us = at_us[at_us <= micros(now)]
    made.heard("a", "temp", at_us, np.full(len(at_us), 22.0))
    found = evaluate(connection, "hall", month=f"{first:%Y-%m}")
    assert found.document["provisional"] is True
    assert found.document["month"]["end"] == found.document["as_of"]
    assert entry(found, "mean")["status"] == "on_track"


def test_a_month_is_provisional_until_day_10_of_the_next(site: Make, connection: Connection) -> None:
    site(MEAN)
    day = midnight(date(2025, 4, 10), SEOUL)
    assert (
        evaluate(connection, "hall", month="2025-03", as_of=day - timedelta(seconds=1)).document["provisional"] is True
    )
    assert evaluate(connection, "hall", month="2025-03", as_of=day).document["provisional"] is False


# --- Whatever comes


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or bool(np.isfinite(value))


EVERYTHING = (
    MEAN
    + SHARE
    + EVENTS
    + """
last: {name: 마지막, scope: capability, measure: {statistic: {channel: temp, stat: last}}, target: "<= 26 degC"}
sum: {name: 합, measure: {statistic: {channel: temp, stat: sum}}, target: ">= 0 degC"}
min: {name: 최저, group: worst, scope: capability, measure: {statistic: {channel: temp, stat: min}}, target: ">= 0 degC"}
conf: {name: 확신, scope: capability, group: worst, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC"}
confp: {name: 확신 백분위, scope: capability, measure: {statistic: {channel: temp, stat: p90}}, target: "<= 26 degC"}
capture: {name: 자료획득률, scope: capability, measure: {capture: {}}, target: ">= 90 %"}
up: {name: 가동률, group: worst, measure: {availability: {}}, target: ">= 99 %"}
auto: {name: 자동, measure: {share: {while: {channel: mode, in: [auto]}}}, target: ">= 95 %"}
"""
)
CASES: dict[str, tuple[list[float], list[float]]] = {
    "zero readings": ([], []),
    "one reading": ([300.5], [21.0]),
    "two readings at the edges": ([0.0, 2208 - 1 / 3600], [21.0, 22.0]),
    "a constant series": ([float(h) for h in range(2208)], [21.0] * 2208),
    "a channel that starts in the middle of a month": ([float(h) for h in range(1000, 2208)], [21.0] * 1208),
    "everything exactly on the bound": ([float(h) for h in range(2208)], [26.0] * 2208),
    "readings that come in bursts": ([h + i / 3600 for h in range(0, 2208, 100) for i in range(50)], [20.0] * 50 * 23),
}


@pytest.mark.parametrize("record", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_there_is_always_a_result_or_a_reason(site: Make, connection: Connection, case: str, record: bool) -> None:
    made = site(EVERYTHING, slots=("a", "b"))
    at_h, values = CASES[case]
    start = micros(midnight(date(2025, 3, 1), SEOUL))
    made.heard("a", "temp", [start + round(h * 3_600_000_000) for h in at_h], values)
    made.summarised()
    if record:
        made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    for asked in ({"month": "2025-03"}, {"month": "2025-05"}, {"at": date(2025, 6, 1)}):
        found = evaluate(connection, "hall", **asked)
        assert finite(found.document)
        json.loads(canonical_json(found.document))
        for kpi in found.document["kpis"]:
            answer = kpi.get("status") or kpi["verdict"]
            assert kpi["value"] is not None or answer == "insufficient"
            assert all(text.endswith(".") for text in kpi["why"].values())


def test_a_slot_that_is_installed_later_owes_nothing_before(site: Make, connection: Connection) -> None:
    made = site(EVERYTHING, slots=("a", "b"))
    connection.execute("UPDATE installation SET installed_at = '2025-05-10T15:00Z'")
    at_us = hours(date(2025, 5, 11), date(2025, 6, 1))
    for slot in ("a", "b"):
        made.heard(slot, "temp", at_us, np.full(len(at_us), 21.0))
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    before = evaluate(connection, "hall", month="2025-03")
    assert finite(before.document)
    assert {kpi["status"] for kpi in before.document["kpis"]} == {"insufficient"}
    after = evaluate(connection, "hall", month="2025-05")
    assert entry(after, "mean")["completeness"] == entry(after, "mean")["month"]["completeness"] == 1.0
    assert entry(after, "up")["value"] == 100.0


def test_a_month_in_which_the_clock_changes(site: Make, connection: Connection) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    made = site(MEAN + SHARE, zone="Europe/Berlin")
    at_us = hours(date(2025, 3, 1), date(2025, 4, 1), berlin)
    assert len(at_us) == 743
    values = np.random.default_rng(5).normal(22, 4, len(at_us))
    made.heard("a", "temp", at_us, values)
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    found = evaluate(connection, "hall", month="2025-03")
    assert entry(found, "mean")["month"]["completeness"] == 1.0
    assert entry(found, "mean")["month"]["n"] == 743
    series = frame(at_us, values, "Europe/Berlin")
    day = series[series.index.hour >= 5]
    assert entry(found, "day")["month"]["value"] == pytest.approx(100 * (day <= 25).mean(), rel=1e-12)


# --- The same again


def test_the_same_as_of_gives_the_same_bytes(site: Make, connection: Connection) -> None:
    made = site(EVERYTHING, slots=("a", "b"))
    at_us = hours(date(2025, 3, 1), date(2025, 6, 1))
    rng = np.random.default_rng(6)
    values = rng.normal(22, 3, len(at_us))
    early = rng.random(len(at_us)) < 0.9
    made.heard("a", "temp", at_us[early], values[early])
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(seconds=3))
    first = evaluate(connection, "hall", at=date(2025, 6, 1))
    made.heard("a", "temp", at_us[~early], values[~early])
    made.happened("a", mission(1, midnight(date(2025, 4, 1), SEOUL), "done"))
    made.linked("b", [(midnight(date(2025, 4, 1), SEOUL), "online")])
    said = Entry(span=(first.as_of.timestamp() - 3600, time.time()), heard=(), goes_on=False)
    record(connection, "collector-1", "another life", said)
    made.summarised()
    again = evaluate(connection, "hall", at=date(2025, 6, 1), as_of=first.as_of)
    assert canonical_json(again.document) == canonical_json(first.document)
    later = evaluate(connection, "hall", at=date(2025, 6, 1))
    assert entry(later, "mean")["n"] == len(at_us)
    assert later.sha256 != first.sha256
