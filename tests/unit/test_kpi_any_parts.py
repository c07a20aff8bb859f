"""Any parts at all give a result that can be shown; and several promises at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.canonical import canonical_json
from core.window import Window, date_window, instant
from devices.plan.model import Kpi
from kpi.compound import compound, part_of
from kpi.entry import entry_of
from kpi.gathered import Gathered, arranged
from kpi.intervals import poisson_mean
from kpi.judge import Asked
from kpi.measured import measured
from kpi.measurement import Measurement
from kpi.measures import increase
from kpi.measures.availability import AvailabilityPart, States
from kpi.measures.capture import CapturePart
from kpi.measures.counting import CountPart, Sighting
from kpi.measures.event_duration import DurationPart, Lasted
from kpi.measures.event_ratio import EventPart, Outcome
from kpi.measures.happenings import Event, missing_numbers
from kpi.measures.increase import IncreasePart
from kpi.measures.integral import IntegralPart
from kpi.measures.share import SharePart
from kpi.measures.statistic import StatisticPart, moments
from kpi.spans import Spans, spans
from telemetry.statistics import Rules, merged, piece_of
from tests.handmade import DAY_US, FIRST, SEOUL, counted

NO_RULES = Rules(period_s=None, hold_us=None, steps=False)
NUMBER = st.one_of(st.just(0.0), st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from([1e140, -1e140]))
SECONDS = st.one_of(st.just(0.0), st.floats(0, 1e8))
MICROS = st.integers(0, 400 * DAY_US)
DAY = st.integers(0, 363).map(lambda n: FIRST + timedelta(days=n))
SIGHTING = st.tuples(DAY, st.builds(Sighting, at_us=MICROS, certain=st.booleans(), heard=st.booleans()))
LASTED = st.tuples(DAY, st.builds(Lasted, at_us=MICROS, duration_us=st.one_of(st.none(), MICROS)))
CHARGED = {"company_us": MICROS, "platform_us": MICROS, "site_us": MICROS, "nobody_us": MICROS}
CHARGED_S = {"company_s": SECONDS, "platform_s": SECONDS, "site_s": SECONDS, "nobody_s": SECONDS}
COUNT_PART = st.builds(
    CountPart,
    sightings=st.lists(SIGHTING, max_size=6).map(tuple),
    exposure=st.one_of(st.just(0.0), st.floats(0, 1e15), MICROS),
    days=st.lists(st.tuples(DAY, st.floats(0, 1e11)), max_size=5, unique_by=lambda row: row[0]).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    doubtful=st.floats(0, 1e15),
    **CHARGED,
)
DURATION_PART = st.builds(
    DurationPart,
    lasted=st.lists(LASTED, max_size=6).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    **CHARGED,
)
INTEGRAL_PART = st.builds(
    IntegralPart,
    integral=NUMBER,
    covered_s=SECONDS,
    required_s=SECONDS,
    n=st.integers(0, 1000),
    obtained=SECONDS,
    expected=SECONDS,
    physical=st.one_of(st.none(), st.tuples(NUMBER, NUMBER).map(lambda pair: (min(pair), max(pair)))),
    **CHARGED_S,
)
INCREASE_PART = st.builds(
    IncreasePart,
    proven=st.floats(0, 1e12),
    from_zero=st.floats(0, 1e12),
    restarts=st.integers(0, 9),
    wraps=st.integers(0, 9),
    n=st.integers(0, 1000),
    obtained=SECONDS,
    expected=SECONDS,
    **CHARGED_S,
)


@st.composite
def share_parts(draw: st.DrawFn) -> SharePart:
    true_us = draw(MICROS)
    return SharePart(
        true_us=true_us,
        covered_us=true_us + draw(MICROS),
        n=draw(st.integers(0, 9)),
        obtained=draw(SECONDS),
        expected=draw(SECONDS),
        **{key: draw(MICROS) for key in ("company_us", "platform_us", "site_us", "nobody_us")},
    )


@st.composite
def capture_parts(draw: st.DrawFn) -> CapturePart:
    expected = draw(st.integers(0, 1000))
    missing = draw(st.integers(0, expected))
    return CapturePart(
        missing=missing, expected=expected, unattributed=draw(st.integers(0, 1000)), n=expected - missing
    )


@st.composite
def availability_parts(draw: st.DrawFn) -> AvailabilityPart:
    edges = sorted(draw(st.lists(MICROS, min_size=5, max_size=5, unique=True)))
    spans_ = [((a, b),) if draw(st.booleans()) else () for a, b in pairwise(edges)]
    return AvailabilityPart(states=States(up=spans_[0], down=spans_[1], left_out=spans_[2], unknown=spans_[3]), n=1)


@st.composite
def statistic_parts(draw: st.DrawFn) -> StatisticPart:
    values = np.array(draw(st.lists(NUMBER, max_size=5)), dtype=np.float64)
    at_us = np.arange(len(values), dtype=np.int64) * DAY_US
    window = Window(start=instant(0), end=instant(10 * DAY_US))
    read = merged(piece_of(at_us, values, Rules(period_s=86_400, hold_us=None, steps=False)), window, NO_RULES)
    return StatisticPart(
        moments=moments([read]),
        required_s=draw(st.floats(1, 1e8)),
        obtained=draw(SECONDS),
        expected=draw(SECONDS),
        physical=draw(st.one_of(st.none(), st.just((-1e3, 1e3)))),
        values=values,
    )


OUTCOME = st.tuples(
    DAY, st.builds(Outcome, at_us=MICROS, success=st.booleans(), kind=st.sampled_from(["closed", "missing_number"]))
)
EVENT_PART = st.builds(
    EventPart,
    outcomes=st.lists(OUTCOME, max_size=6).map(tuple),
    connected_us=MICROS,
    required_us=MICROS,
    numbered=st.booleans(),
    **CHARGED,
)
RATIO = {"event": "e", "success": {"ok": True}}
KINDS: dict[str, tuple[dict[str, Any], str, str, st.SearchStrategy[Any]]] = {
    "integral": ({"integral": "power"}, "(kW)*s", "<= 5 kWh", INTEGRAL_PART),
    "increase": ({"increase": "odometer"}, "km", ">= 100 km", INCREASE_PART),
    "event_rate": ({"event_rate": {"event": "e", "per": "1 d"}}, "건/d", "<= 3 건/d", COUNT_PART),
    "per_device": ({"event_rate": {"event": "e", "per": "1 device-day"}}, "건/device-day", "3 건/대·일 미만", COUNT_PART),
    "per_distance": (
        {"event_rate": {"event": "e", "per": {"increase": "odometer"}, "independent": True}},
        "건/km", "<= 1 / (1000 km)", COUNT_PART,
    ),
    "count": ({"count": {"event": "e"}}, "건", "== 0", COUNT_PART),
    "mean": ({"event_duration": {"event": "e", "stat": "mean"}}, "s", "<= 24 h", DURATION_PART),
    "max": ({"event_duration": {"event": "e", "stat": "max"}}, "s", "1분 ~ 5분", DURATION_PART),
    "p95": ({"event_duration": {"event": "e", "stat": "p95"}}, "s", "<= 15 s", DURATION_PART),
    "share": ({"share": {"while": {"channel": "power", "value": "<= 1 kW"}}}, "%", "95 % 이상", share_parts()),
    "capture": ({"capture": {}}, "%", ">= 90 %", capture_parts()),
    "availability": ({"availability": {}}, "%", "> 99 %", availability_parts()),
    "ratio": ({"event_ratio": RATIO}, "%", ">= 95 %", EVENT_PART),
    "designed": ({"event_ratio": {**RATIO, "designed": True}}, "%", "< 5 %", EVENT_PART),
    "stat mean": ({"statistic": {"channel": "power", "stat": "mean"}}, "kW", "<= 1 kW", statistic_parts()),
    "stat std": ({"statistic": {"channel": "temp", "stat": "std"}}, "degC", "<= 2 degF", statistic_parts()),
    "stat p95": ({"statistic": {"channel": "delay", "stat": "p95"}}, "ms", "5초 이하", statistic_parts()),
    "stat sum": ({"statistic": {"channel": "power", "stat": "sum"}}, "kW", "1 ~ 2 MW", statistic_parts()),
    "p10": ({"event_duration": {"event": "e", "stat": "p10", "designed": True}}, "s", "> 2 s", DURATION_PART),
}  # fmt: skip


def kpi_of(measure: dict[str, Any], target: str, **row: Any) -> Kpi:
    return Kpi.model_validate({"name": "지표", "measure": measure, "target": target, **row})


def asked_of(kpi: Kpi, unit: str, *, days: int, month: bool) -> Asked:
    whole = date_window(FIRST, FIRST + timedelta(days=days), SEOUL)
    last = date_window(FIRST + timedelta(days=max(days - 30, 0)), FIRST + timedelta(days=days), SEOUL)
    return Asked(
        id="k", kpi=kpi, channel_unit=unit, alpha=0.05, zone=SEOUL, spans=spans(whole, last if month else None, SEOUL)
    )


def gathered_of(cut: Spans, draw: Callable[[], Any], slots: int) -> Gathered[Any]:
    return arranged([f"s{i}" for i in range(slots)], cut, [[draw() for _ in cut.all] for _ in range(slots)])


def sound(found: Measurement) -> None:
    for number in (found.value, found.low, found.high, found.fill_low, found.fill_high):
        assert number is None or not math.isnan(number)
    if found.value is not None and found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
    assert found.completeness is None or 0 <= found.completeness <= 1


@settings(deadline=None, max_examples=100)
@given(
    data=st.data(),
    kind=st.sampled_from(sorted(KINDS)),
    scope=st.sampled_from(["period", "capability"]),
    decision=st.sampled_from(["estimate", "confident"]),
    group=st.sampled_from(["pooled", "worst"]),
    days=st.sampled_from([1, 20, 90]),
    month=st.booleans(),
    slots=st.integers(1, 2),
)
def test_any_parts_give_a_result_that_json_can_hold(
    data: st.DataObject, kind: str, scope: str, decision: str, group: str, days: int, month: bool, slots: int
) -> None:
    measure, unit, target, part = KINDS[kind]
    asked = asked_of(kpi_of(measure, target, scope=scope, decision=decision, group=group), unit, days=days, month=month)
    gathered = gathered_of(asked.spans, lambda: data.draw(part), slots)
    sound(asked.measured(gathered.whole, gathered.weeks))
    entry = entry_of(asked, gathered)
    canonical_json(entry)  # refuses NaN and infinities
    assert entry["why"]["ko"] and entry["why"]["en"]
    assert (entry["value"] is None) == (entry["no_value"] is not None)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), days=st.sampled_from([1, 20, 90]), month=st.booleans(), slots=st.integers(1, 2))
def test_any_operating_time_gives_a_bound_or_a_reason(data: st.DataObject, days: int, month: bool, slots: int) -> None:
    asked = asked_of(kpi_of({"mtbf": {"event": "e"}}, ">= 2000 h"), "s", days=days, month=month)
    gathered = gathered_of(asked.spans, lambda: data.draw(COUNT_PART), slots)
    sound(asked.measured(gathered.whole))
    entry = entry_of(asked, gathered)
    canonical_json(entry)
    if entry["no_value"] == "no_failures":
        assert entry["interval"]["low"] > 0 and entry["interval"]["high"] is None


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 30_000)), max_size=30))
def test_missing_numbers_are_never_too_many(rows: list[tuple[int, int]]) -> None:
    events = [Event(start_us=at, number=number) for at, number in sorted(rows)]
    found = missing_numbers(events)
    assert len(found) <= 10_000 * max(len(events) - 1, 0)
    assert set(found) <= {event.at_us for event in events}


# --- Several promises at once


def entry(kpi: Kpi, unit: str, part: Any, *, month: bool = False) -> dict[str, Any]:
    asked = asked_of(kpi, unit, days=90, month=month)
    return entry_of(asked, arranged(["s"], asked.spans, [[part] * len(asked.spans.all)]))


ALL = Kpi.model_validate({
    "name": "안전",
    "all": [
        {"name": "충돌", "measure": {"event_rate": {"event": "e", "per": "1 d"}}, "target": "<= 1 건/d"},
        {"name": "인명사고", "measure": {"count": {"event": "e", "where": {"injured": "> 0"}}}, "target": "== 0"},
    ],
})  # fmt: skip


@pytest.mark.parametrize(
    ("collisions", "injured", "unclear", "answers", "part"),
    [
        (10, 0, 0, ["met", "met"], 0),
        (10, 1, 0, ["met", "not_met"], 1),
        (200, 0, 0, ["not_met", "met"], 0),
        (200, 1, 0, ["not_met", "not_met"], 0),
        (10, 0, 1, ["met", "inconclusive"], 1),
        (200, 0, 1, ["not_met", "inconclusive"], 0),
    ],
)
def test_all_must_hold_and_the_least_favourable_decides(
    collisions: int, injured: int, unclear: int, answers: list[str], part: int
) -> None:
    units = ["건/d", "건"]
    parts = [counted(collisions, days=90), counted(injured, unclear, days=90)]
    entries = [entry(*row) for row in zip(ALL.parts, units, parts, strict=True)]
    assert [one["verdict"] for one in entries] == answers
    found = compound(ALL, entries)
    canonical_json(found)
    assert (found["part"], found["verdict"], found["name"]) == (part, answers[part], "안전")
    assert (found["value"], found["unit"]) == (entries[part]["value"], entries[part]["unit"])
    assert [one["name"] for one in found["parts"]] == ["충돌", "인명사고"]
    assert part_of(found, 1)["value"] == entries[1]["value"]
    assert found["why"]["ko"].startswith("조건 2개를 모두 충족해야") and "① " in found["why"]["ko"]
    assert entries[part]["why"]["en"].split(" ")[-1] in found["why"]["en"]


def test_a_part_that_misses_is_taken_with_more_care() -> None:
    """Of m parts each may miss by chance: *not met* takes 5 %/m, *met* 5 %."""
    kpi = kpi_of({"event_rate": {"event": "e", "per": "1 d", "independent": True}}, "<= 1 건/d", scope="capability")
    part = next(counted(n, days=90) for n in range(90, 200) if poisson_mean(n, 0.05)[0] > 90)
    alone = asked_of(kpi, "건/d", days=90, month=False)
    parts = arranged(["s"], alone.spans, [[part] * len(alone.spans.all)])
    assert entry_of(alone, parts)["verdict"] == "not_met"
    assert entry_of(replace(alone, promises=3), parts)["verdict"] == "inconclusive"


def test_every_kind_is_measured_over_nothing() -> None:
    for measure, unit, target, _ in KINDS.values():
        found = measured(kpi_of(measure, target), unit, [])
        assert found.value is None and found.completeness is None
        sound(found)
    sound(increase.measure([], unit="km"))
