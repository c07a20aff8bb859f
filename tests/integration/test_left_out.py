"""Readings that findings are about do not count where a plan says so; what they were unusable for is the company's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.database import Connection
from core.settings import settings
from core.window import HOUR_US, Window, instant, micros
from kpi.evaluate import evaluate
from kpi.left_out import left_out_text
from kpi.records.outages import add_outage
from kpi.results import newest, outdated, store
from pilotbed.cli import run
from pilotbed.jobs import tasks
from telemetry.findings import Found, Kind, Recorded, record
from telemetry.quality.judge import judge_all
from tests.evaluated import SEOUL, Site, hours, made_site

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 1 min, range: [-40, 60]}}
      power: {{unit: W, period: 1 min}}
      meter: {{unit: kWh, kind: counter, period: 1 min}}
      mode: {{kind: state, states: [idle, auto], reporting: on_change}}
"""
QUALITY = "quality: {leave_out: [stuck, range, spike, rate], from: suspect}"
MEAN = "mean: {name: n, measure: {statistic: {channel: temp, stat: mean, %s}}, target: '<= 30 degC'}"
DAY = date(2025, 3, 1)
START_US = micros(datetime(2025, 3, 1, tzinfo=SEOUL))
MINUTE_US = 60_000_000


def minutes(days: int = 2) -> NDArray[np.int64]:
    return hours(DAY, DAY + timedelta(days=days), step_h=1 / 60)


def found(
    site: Site, kind: Kind, channel: str, start_min: float, end_min: float, *, flag: int = 4, slot: str = "a"
) -> Recorded:
    """A finding from one minute of the period to another."""
    window = Window(
        start=instant(START_US + round(start_min * MINUTE_US)), end=instant(START_US + round(end_min * MINUTE_US))
    )
    scope = site.slots[slot], site.channels[slot, channel]
    one = Found(slot_id=scope[0], channel_id=scope[1], window=window, value=1.0, unit="", flag=flag)
    return record(site.connection, kind=kind, scopes=[scope], window=window, found=[one])


def withdrawn(site: Site, kind: Kind, channel: str, slot: str = "a") -> Recorded:
    """Every finding of a kind is superseded by none."""
    scope = site.slots[slot], site.channels[slot, channel]
    window = Window(start=instant(START_US), end=instant(START_US + 400 * 24 * HOUR_US))
    return record(site.connection, kind=kind, scopes=[scope], window=window, found=[])


def site_with(connection: Connection, kpis: str, slots: Sequence[str] = ("a",)) -> Site:
    site = made_site(connection, kpis, slots=slots, slot=SLOT)
    site.alive(datetime(2025, 2, 28, tzinfo=SEOUL), datetime(2025, 12, 31, tzinfo=SEOUL))
    return site


def march(connection: Connection, as_of: datetime | None = None) -> dict[str, dict[str, Any]]:
    document = evaluate(connection, "hall", month="2025-03", as_of=as_of).document
    return {entry["id"]: entry for entry in document["kpis"]}


def test_a_statistic_is_that_of_the_good_readings(connection: Connection) -> None:
    site = site_with(connection, MEAN % QUALITY + "\n" + (MEAN % "").replace("mean: {name", "all: {name", 1))
    at, values = minutes(), np.full(2880, 20.0)
    values[100:110] = 55.0
    site.heard("a", "temp", at, values)
    found(site, "spike", "temp", 100, 110)
    site.summarised()
    entries = march(connection)
    assert entries["mean"]["value"] == 20.0
    assert entries["mean"]["n"] == 2870
    assert entries["all"]["value"] == pytest.approx(20 + 35 * 10 / 2880)
    assert "left_out" not in entries["all"]
    left = entries["mean"]["left_out"]
    assert (left["readings"], left["seconds"]) == (10, 600.0)
    assert [(one["kind"], one["readings"]) for one in left["findings"] if one["readings"]] == [("spike", 10)]
    assert entries["mean"]["without"]["findings"]["value"] == entries["all"]["value"]
    assert "품질 점검으로 뺀 측정값 10건 10분(튐 10건), 빼지 않으면 20.1 °C" in entries["mean"]["why"]["ko"]
    assert (
        "10 readings (10 min) left out by quality findings: spikes 10, and 20.1 °C with them counted"
        in entries["mean"]["why"]["en"]
    )
    assert entries["mean"]["facts"]["company_s"] - entries["all"]["facts"]["company_s"] == 600.0
    assert entries["mean"]["completeness"] < entries["all"]["completeness"]


def test_findings_less_grave_than_asked_for_leave_nothing_out(connection: Connection) -> None:
    kpis = (
        MEAN % "quality: fail"
        + "\n"
        + (MEAN % "quality: suspect").replace("mean:", "wary:", 1)
        + "\n"
        + (MEAN % "quality: {leave_out: [stuck]}").replace("mean:", "stuck:", 1)
    )
    site = site_with(connection, kpis)
    site.heard("a", "temp", minutes(), np.full(2880, 20.0))
    found(site, "spike", "temp", 100, 110, flag=3)
    found(site, "stuck", "temp", 200, 205, flag=4)
    found(site, "jump", "temp", 300, 420, flag=3)
    left = {name: entry["left_out"]["readings"] for name, entry in march(connection).items()}
    assert left == {"mean": 5, "wary": 15, "stuck": 5}  # a jump has to be named


def test_a_reading_in_two_findings_is_left_out_once(connection: Connection) -> None:
    site = site_with(connection, MEAN % "quality: fail")
    site.heard("a", "temp", minutes(), np.full(2880, 20.0))
    found(site, "spike", "temp", 100, 110)
    found(site, "rate", "temp", 105, 115)
    left = march(connection)["mean"]["left_out"]
    assert (left["readings"], left["seconds"]) == (15, 900.0)
    assert {one["kind"]: one["readings"] for one in left["findings"]} == {
        "stuck": 0,
        "range": 0,
        "spike": 10,
        "rate": 10,
    }


SHARE = "warm: {name: n, measure: {share: {while: {channel: temp, value: '>= 18 degC'}, %s}}, target: '>= 90 %%'}"


@pytest.mark.parametrize("summarised", [False, True])
def test_of_a_share_the_stretch_is_not_fulfilled_and_the_companys(connection: Connection, summarised: bool) -> None:
    site = site_with(connection, SHARE % "quality: fail" + "\n" + (SHARE % "").replace("warm:", "all:", 1))
    at = minutes(31)
    site.heard("a", "temp", at, np.full(len(at), 20.0))
    found(site, "stuck", "temp", 1000, 1720)
    if summarised:
        site.summarised()
    entries = march(connection)
    assert entries["all"]["value"] == 100
    assert entries["warm"]["value"] == pytest.approx(100 * (1 - 720 / (31 * 1440)))
    assert entries["warm"]["facts"]["company_s"] == 720 * 60
    assert entries["warm"]["completeness"] == pytest.approx(1 - 720 / (31 * 1440))


def test_what_the_platform_heard_is_the_companys_even_while_its_record_says_it_was_down(connection: Connection) -> None:
    kpis = (
        SHARE % "quality: fail"
        + "\ncap: {name: c, measure: {capture: {channels: [temp], quality: fail}}, target: '>= 90 %'}"
    )
    site = made_site(connection, kpis, slot=SLOT)
    site.alive(datetime(2025, 2, 28, tzinfo=SEOUL), instant(START_US + 1000 * MINUTE_US))
    site.alive(instant(START_US + 1720 * MINUTE_US), datetime(2025, 12, 31, tzinfo=SEOUL))
    at = minutes(31)
    site.heard("a", "temp", at, np.full(len(at), 20.0))  # kept by the device, and sent afterwards
    found(site, "stuck", "temp", 1000, 1720)
    entries = march(connection)
    assert (entries["warm"]["facts"]["company_s"], entries["warm"]["facts"]["platform_s"]) == (720 * 60, 0)
    assert entries["cap"]["value"] == pytest.approx(100 * (1 - 720 / (31 * 1440)))


def test_an_agreed_outage_excuses_unusable_readings_as_it_excuses_silence(connection: Connection) -> None:
    kpis = (
        SHARE % "quality: fail"
        + "\ncap: {name: c, measure: {capture: {channels: [temp], quality: fail}}, target: '>= 90 %'}"
    )
    site = site_with(connection, kpis)
    at = minutes(31)
    site.heard("a", "temp", at, np.full(len(at), 20.0))
    found(site, "stuck", "temp", 1000, 1720)
    start, end = (instant(START_US + minute * MINUTE_US) for minute in (900, 1800))
    add_outage(
        connection, "hall", start=start, end=end, cause="site-power", agreed_by="S, C", note="정전", slots=["a"], who="cli:test"
    )  # fmt: skip
    entries = march(connection)
    assert entries["warm"]["value"] == 100
    assert entries["warm"]["facts"]["site_s"] == 720 * 60
    assert entries["warm"]["without"]["outages"]["value"] < 100
    assert entries["cap"]["value"] == 100


def test_of_a_capture_readings_left_out_are_missing(connection: Connection) -> None:
    kpis = "cap: {name: c, measure: {capture: {channels: [temp], quality: fail}}, target: '>= 90 %'}"
    site = site_with(connection, kpis)
    at = minutes(31)
    site.heard("a", "temp", at, np.full(len(at), 20.0))
    found(site, "spike", "temp", 1000, 1001)
    found(site, "range", "temp", 2000, 2100)
    entry = march(connection)["cap"]
    assert entry["facts"]["missing"] == 101
    assert entry["value"] == pytest.approx(100 * (1 - 101 / (31 * 1440)))


def test_an_integral_has_a_gap_there_and_is_filled_nowhere(connection: Connection) -> None:
    kpi = "energy: {name: e, measure: {integral: {channel: power, %s}}, target: '>= 1 kWh'}"
    site = site_with(connection, kpi % "quality: fail" + "\n" + (kpi % "").replace("energy:", "all:", 1))
    at, values = minutes(2), np.full(2880, 600.0)
    values[1000] = 1e9
    site.heard("a", "power", at, values)
    found(site, "spike", "power", 1000, 1001)
    entries = march(connection)
    # From the last good reading before to the first one after: two minutes, though a reading stands for three.
    assert entries["energy"]["facts"]["covered_s"] == entries["all"]["facts"]["covered_s"] - 120
    assert entries["energy"]["value"] == pytest.approx(600 * entries["energy"]["facts"]["covered_s"] / 3.6e6)
    assert entries["all"]["value"] > 1000


def test_a_counters_false_step_does_not_count_and_a_stuck_one_counts_on(connection: Connection) -> None:
    kpi = "used: {name: e, measure: {increase: {channel: meter, %s}}, target: '>= 1 kWh'}"
    site = site_with(connection, kpi % "quality: fail" + "\n" + (kpi % "").replace("used:", "all:", 1))
    values = np.arange(2880.0)
    values[1000:] += 5_000_000
    values[2000:2060] = values[1999]
    site.heard("a", "meter", minutes(2), values)
    found(site, "range", "meter", 1000, 1001)
    found(site, "stuck", "meter", 2000, 2060)
    entries = march(connection)
    assert entries["all"]["value"] == 5_000_000 + 2879
    assert entries["used"]["value"] == 2879 - 2  # into the false reading, and out of it


def test_a_state_that_is_none_of_the_channels_does_not_stand(connection: Connection) -> None:
    kpi = "auto: {name: a, measure: {share: {while: {channel: mode, in: [auto]}, quality: fail}}, target: '>= 10 %'}"
    site = site_with(connection, kpi)
    at = [START_US + minute * MINUTE_US for minute in (0, 600, 1200)]
    site.heard("a", "mode", at, [1.0, 7.0, 1.0])
    site.linked("a", [(instant(START_US), "online"), (instant(START_US + 1800 * MINUTE_US), "offline")])
    found(site, "range", "mode", 600, 1200)
    facts = march(connection)["auto"]
    assert facts["value"] == pytest.approx(100 * 1200 / (31 * 1440))
    assert facts["left_out"]["readings"] == 1


def test_findings_of_the_tests_themselves_leave_out_what_they_found(connection: Connection) -> None:
    site = site_with(connection, MEAN % QUALITY)
    rng = np.random.default_rng(5)
    values = np.round(20 + rng.normal(0, 0.1, 2880), 3)
    clean = values.copy()
    places = [300, 900, 1500, 2100]
    values[places] = 99.0
    site.heard("a", "temp", minutes(), values)
    site.summarised()
    judge_all(connection)
    kept = np.ones(2880, dtype=bool)
    entry = march(connection)["mean"]
    gone = entry["left_out"]["readings"]
    assert 4 <= gone <= 8  # the change back may be too fast as well
    kept[places] = False
    assert entry["value"] == pytest.approx(clean[kept].mean(), abs=0.001)


def test_the_worst_slots_own_readings_are_told(connection: Connection) -> None:
    kpi = "mean: {name: n, group: worst, measure: {statistic: {channel: temp, stat: mean, quality: fail}}, target: '<= 30 degC'}"
    site = site_with(connection, kpi, slots=("a", "b"))
    for slot, value in (("a", 20.0), ("b", 25.0)):
        site.heard(slot, "temp", minutes(), np.full(2880, value))
    found(site, "spike", "temp", 100, 110)
    found(site, "spike", "temp", 100, 103, slot="b")
    entry = march(connection)["mean"]
    assert entry["slot"] == "b"
    assert [(one["slot"], one["readings"]) for one in entry["left_out"]["channels"]] == [("b", 3)]


def test_each_instant_goes_by_the_findings_that_stood_then(connection: Connection) -> None:
    site = site_with(connection, MEAN % "quality: fail")
    values = np.full(2880, 20.0)
    values[100:110] = 55.0
    site.heard("a", "temp", minutes(), values)
    before = evaluate(connection, "hall", month="2025-03")
    found(site, "spike", "temp", 100, 110)
    with_finding = evaluate(connection, "hall", month="2025-03")
    withdrawn(site, "spike", "temp")
    after = evaluate(connection, "hall", month="2025-03")
    means = [one.document["kpis"][0]["value"] for one in (before, with_finding, after)]
    assert means[1] == 20.0 < means[0] == means[2]
    for one in (before, with_finding, after):
        assert evaluate(connection, "hall", month="2025-03", as_of=one.as_of).sha256 == one.sha256


def test_a_final_result_is_judged_again_when_such_a_finding_comes_or_goes(connection: Connection) -> None:
    site = site_with(connection, MEAN % "quality: fail")
    values = np.full(2880, 20.0)
    values[100:110] = 55.0
    site.heard("a", "temp", minutes(), values)
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")

    def again() -> Any:
        result = newest(connection, "hall", "month", "2025-03")
        assert result is not None
        assert outdated(connection, result)
        store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
        result = newest(connection, "hall", "month", "2025-03")
        assert result is not None
        assert not outdated(connection, result)
        return result

    first = newest(connection, "hall", "month", "2025-03")
    assert first is not None and not first.document["provisional"]
    found(site, "gap", "temp", 500, 600, flag=9)
    found(site, "spike", "temp", 700, 710, flag=3)
    assert not outdated(connection, first)  # by these nothing is left out
    found(site, "spike", "temp", 100, 110)
    second = again()
    assert second.difference["causes"] == [{"cause": "finding", "recorded": 1, "superseded": 0}]
    assert "left_out" in second.difference["kpis"][0]["fields"]
    withdrawn(site, "spike", "temp")
    third = again()
    assert third.difference["causes"] == [{"cause": "finding", "recorded": 0, "superseded": 1}]
    assert third.version == 3


def test_a_pilot_whose_kpis_leave_nothing_out_is_not_judged_again_for_a_finding(connection: Connection) -> None:
    site = site_with(connection, MEAN % "")
    site.heard("a", "temp", minutes(), np.full(2880, 20.0))
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    found(site, "spike", "temp", 100, 110)
    result = newest(connection, "hall", "month", "2025-03")
    assert result is not None and not outdated(connection, result)


def test_nothing_left_out_is_not_told() -> None:
    assert left_out_text({"readings": 0, "seconds": 0.0, "findings": []}, "ko") == ""


def test_what_is_final_waits_for_the_findings(
    connection: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    site = site_with(connection, MEAN % "quality: fail")
    values = np.full(2880, 20.0)
    values[100] = 99.0
    site.heard("a", "temp", minutes(), values)
    site.summarised()
    now = datetime.now(UTC)
    tasks.judge(connection, now)
    assert newest(connection, "hall", "month", "2025-03") is None
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    try:
        assert run(["evaluate", "hall", "--month", "2025-03", "--no-record", "--lang", "en"]) == 0
    finally:
        settings.cache_clear()
    assert "48 channel-hours wait to be judged for quality" in capsys.readouterr().err
    judge_all(connection)
    tasks.judge(connection, now)
    result = newest(connection, "hall", "month", "2025-03")
    assert result is not None
    assert result.document["kpis"][0]["left_out"]["readings"] >= 1


def test_the_change_of_a_measure_leaves_out_what_the_measure_does(connection: Connection) -> None:
    kpi = (
        "change: {name: c, measure: {change: {of: {statistic: {channel: temp, stat: mean, quality: fail}},"
        " baseline: {value: 25 degC, source: before}, as: difference}}, target: '<= -4 K'}"
    )
    site = site_with(connection, kpi)
    values = np.full(2880, 20.0)
    values[100:110] = 55.0
    site.heard("a", "temp", minutes(), values)
    found(site, "spike", "temp", 100, 110)
    entry = march(connection)["change"]
    assert entry["value"] == -5.0
    assert entry["left_out"]["readings"] == 10
    assert entry["without"]["findings"]["value"] > -5.0


EVERY_KIND = """
mean: {name: n, measure: {statistic: {channel: temp, stat: mean, quality: fail}}, target: '<= 30 degC'}
p95: {name: n, measure: {statistic: {channel: temp, stat: p95, quality: fail}}, target: '<= 30 degC'}
warm: {name: n, measure: {share: {while: {channel: temp, value: '>= 18 degC'}, quality: fail}}, target: '>= 90 %'}
cap: {name: n, measure: {capture: {channels: [temp], quality: fail}}, target: '>= 90 %'}
energy: {name: n, measure: {integral: {channel: temp, quality: fail}}, target: '>= 1 degC*h'}
"""


@pytest.mark.parametrize("readings", [0, 1, 2880])
def test_where_every_reading_is_left_out_there_is_a_result_with_its_reason(
    connection: Connection, readings: int
) -> None:
    site = site_with(connection, EVERY_KIND)
    site.heard("a", "temp", minutes()[:readings], np.full(readings, 20.0))
    found(site, "range", "temp", -1000, 40 * 1440)
    for name, entry in march(connection).items():
        assert entry["value"] == (0 if name in ("warm", "cap") else None)
        assert entry["n"] == 0
        assert entry["left_out"]["readings"] == readings
        assert entry["status"] in ("insufficient", "at_risk", "not_met", "off_track", "no_data")
        assert entry["why"]["ko"] and entry["why"]["en"]
