"""At the edges, through the real store: exactly on a bound, days of 23 and 25 hours, slots and devices that come and go."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.database import Connection
from core.errors import PermanentError
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_source
from kpi.evaluate import evaluate
from tests.evaluated import hours
from tests.everything import EVERYTHING, FINAL, MONTH, heard, of, site_of_everything, steadily
from tests.kinds import ALL_UP, at, entry, site_of

# --- Exactly on the bound

ON_THE_BOUND: dict[str, tuple[str, str, str]] = {
    "mean": ("{statistic: {channel: power, stat: mean}}", "<", "1 kW"),
    "std": ("{statistic: {channel: power, stat: std}}", "<", "0 W"),
    "min": ("{statistic: {channel: power, stat: min}}", ">", "1000 W"),
    "max": ("{statistic: {channel: power, stat: max}}", "<", "1 kW"),
    "sum": ("{statistic: {channel: power, stat: sum}}", ">", "144 kW"),
    "last": ("{statistic: {channel: odometer, stat: last}}", ">", "143 km"),
    "p95": ("{statistic: {channel: power, stat: p95}}", "<", "1 kW"),
    "share": ('{share: {while: {channel: power, value: "<= 1 kW"}}}', ">", "100 %"),
    "half": ('{share: {while: {channel: odometer, value: "< 72 km"}}}', "<", "50 %"),
    "capture": ("{capture: {channels: [power]}}", ">", "100 %"),
    "up": ("{availability: {}}", ">", "100 %"),
    "energy": ("{integral: power}", "<", "24 kWh"),
    "distance": ("{increase: odometer}", ">", "143 km"),
    "metres": ("{increase: odometer}", "<", "143000 m"),
    "ratio": ("{event_ratio: {event: alarm, success: {ok: true}}}", ">", "95 %"),
    "count": ("{count: {event: alarm}}", "<", "20 건"),
    "daily": ("{event_rate: {event: alarm, per: 1 d}}", "<", "20 건/d"),
    "hourly": ("{event_rate: {event: alarm, per: 1 device-day}}", ">", "20 건/device-day"),
    "by-kwh": ("{event_rate: {event: alarm, per: {integral: power}}}", "<", "20 / (24 kWh)"),
    "lasted": ("{event_duration: {event: mission, stat: mean}}", "<", "90 s"),
    "longest": ("{event_duration: {event: mission, stat: max}}", "<", "2 min"),
    "lasted-p": ("{event_duration: {event: mission, stat: p50}}", "<", "60 s"),
}


def test_a_value_exactly_on_its_bound_meets_at_least_and_at_most_and_misses_more_and_less(
    connection: Connection,
) -> None:
    lines = []
    for name, (measure, sign, end) in ON_THE_BOUND.items():
        impossible = measure.startswith(("{share", "{capture", "{availability")) and end == "100 %"
        for suffix, written in (("closed", f"{sign}= {end}"), ("open", f"{sign} {end}"), ("exact", f"== {end}")):
            if not (impossible and suffix == "open"):  # more than all is refused when the plan is read
                lines.append(f'{name}-{suffix}: {{name: n, measure: {measure}, target: "{written}"}}')
    made = site_of(connection, "\n".join(lines), start="2025-03-10", until="2025-03-11", interim="", end="2025-03-12")
    made.alive(*ALL_UP)
    every = [10 * i for i in range(144)]
    heard(made, [(minute, 1.0) for minute in [*every, 1440]], "power")
    heard(made, [(minute, float(i)) for i, minute in enumerate(every)], "odometer")
    rows = [(n, "", at("2025-03-10", f"{n:02}:30"), {"ok": n != 7}) for n in range(20)]
    made.happened("a", rows, kind="alarm")
    for n, lasted in enumerate((1, 2), start=1):
        began = at("2025-03-10", f"{n:02}:00")
        made.happened("a", [(n, "start", began, {}), (n, "end", began + timedelta(minutes=lasted), {})])
    [final] = of(connection, FINAL)
    answers = {kpi["id"]: kpi["verdict"] for kpi in final.document["kpis"]}
    wrong = {
        name: (
            answer,
            entry(final, name)["value"],
            entry(final, name)["target"]["text"],
            entry(final, name)["why"]["en"],
        )
        for name, answer in answers.items()
        if answer != ("not_met" if name.endswith("open") else "met")
    }
    assert wrong == {}


# --- Time


@pytest.mark.parametrize(
    ("zone", "month", "length_h"),
    [
        ("America/New_York", "2025-03", 743), ("America/New_York", "2025-11", 721),
        ("Europe/London", "2025-03", 743), ("Europe/London", "2025-10", 745),
        ("Australia/Lord_Howe", "2025-04", 720.5), ("Australia/Lord_Howe", "2025-10", 743.5),
        ("Asia/Seoul", "2024-02", 696),
    ],
    ids=lambda given: str(given),
)  # fmt: skip
def test_days_are_those_of_the_zone(connection: Connection, zone: str, month: str, length_h: float) -> None:
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=32)).replace(day=1)
    night = 'night: {name: 야간, measure: {integral: {channel: power, hours: "00:00-06:00"}}, target: "<= 700 MJ"}'
    made = site_of_everything(
        connection, kpis=f"{EVERYTHING}{night}\n", zone=zone, start=str(first), until=str(after), interim="",
        end=str(after + timedelta(days=1)), now=datetime(2024, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    made.alive(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    place = ZoneInfo(zone)
    steadily(made, first - timedelta(days=1), after + timedelta(days=1), place)
    made.happened("a", [(n, "", at(f"{month}-09", f"{n:02}:30", place), {"ok": True}) for n in range(3)], "alarm")
    asked_month, final = of(connection, {"month": month}, FINAL)
    days = (after - first).days
    nights_h = 6 * days + (length_h - 24 * days)  # the change of the clock lies in the night
    for result in (asked_month, final):
        assert entry(result, "energy")["value"] == pytest.approx(length_h)
        assert entry(result, "distance")["value"] == pytest.approx(length_h)
        assert entry(result, "night")["value"] == pytest.approx(3.6 * nights_h)
        assert entry(result, "cameras")["value"] == pytest.approx(3 / (length_h / 24))
        assert entry(result, "up")["value"] == entry(result, "share")["value"] == 100.0


def test_a_channel_that_starts_in_the_middle_of_a_month(connection: Connection) -> None:
    made = site_of_everything(connection)
    made.alive(*ALL_UP)
    steadily(made, date(2025, 3, 16), date(2025, 4, 2))
    [month] = of(connection, MONTH)
    energy = entry(month, "energy")
    assert energy["value"] == pytest.approx(16 * 24)
    assert energy["completeness"] == pytest.approx(16 / 31, abs=1e-3)
    assert energy["status"] == "insufficient"
    assert energy["facts"]["company_s"] == pytest.approx(15 * 86_400)


def test_a_device_that_came_after_an_evaluation_date_owes_nothing_there(connection: Connection) -> None:
    slot = """
  {name}:
    device: {{serial: "1", installed: 2025-08-01}}
    channels:
      power: {{unit: kW, period: 10 min, range: [0, 2]}}
    events:
      alarm: {{}}
"""
    kpis = "\n".join(
        line for line in EVERYTHING.splitlines()
        if not re.search("valve|odometer|pulses|mode|mission|incident|safety|충돌|all:|name: 안전|seen|ref-a|told", line)
    )  # fmt: skip
    made = site_of(connection, kpis, slot=slot)
    made.alive(*ALL_UP)
    month, interim, final = of(connection)
    for name in ("up", "share", "mean"):
        assert entry(interim, name)["value"] is None, "no time is required, so there is nothing to judge"
        assert (entry(interim, name)["verdict"], entry(month, name)["status"]) == ("insufficient", "insufficient")
    assert entry(final, "up")["value"] == 0.0


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"month": "2025-02"}, "no month of pilot hall: it runs from 2025-03 to 2025-11"),
        ({"at": date(2025, 2, 1)}, "gives verdicts at 2025-06-01, 2025-11-01 only"),
        ({"at": date(2025, 6, 1), "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "was not over"),
        ({"month": "2025-03", "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "had not begun at"),
        ({"final": True, "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "Until then its months show a status"),
        ({"final": True, "as_of": datetime(2025, 12, 1)}, "has no zone"),  # noqa: DTZ001 - the very point
        ({"final": True, "as_of": datetime(2999, 1, 1, tzinfo=UTC)}, "lies in the future"),
        ({}, "give one of the three"),
    ],
)
def test_what_cannot_be_asked_is_told(connection: Connection, question: dict[str, Any], said: str) -> None:
    site_of_everything(connection)
    with pytest.raises(PermanentError, match=said):
        evaluate(connection, "hall", **question)


def test_a_slot_that_was_withdrawn(connection: Connection) -> None:
    """By amendment, in April: what it had told stays, and is no part of what is judged."""
    made = site_of_everything(connection, slots=("a", "b"))
    made.alive(*ALL_UP)
    steadily(made, date(2025, 3, 1), date(2025, 4, 2))
    made.heard("b", "power", hours(date(2025, 3, 1), date(2025, 4, 1)), np.full(31 * 24, 2.0))
    before = evaluate(connection, "hall", **MONTH, as_of=datetime(2025, 4, 2, tzinfo=UTC))
    text = plan_source(connection, "hall")[0].decode()
    start, end = text.index("\n  b:\n"), text.index("\nkpis:")
    amended = text[:start] + text[end:] + "\namendment: {parties: [S, C, T], reason: 철거, date: 2025-04-10}\n"
    apply_plan(connection, read_plan(amended.encode()), who="cli:test", now=datetime(2025, 4, 10, tzinfo=UTC))
    month, _ = of(connection, MONTH, FINAL)
    assert [row["slot"] for row in entry(month, "mean")["slots"]] == ["a"]
    assert entry(month, "mean")["value"] == 1.0
    assert [row["slot"] for row in entry(before, "mean")["slots"]] == ["a", "b"]
    assert evaluate(connection, "hall", **MONTH, as_of=before.as_of).document == before.document
