"""A channel's ``quality:`` in the plan: what is taken, what is refused with its line and path, and what the tests make of it."""

from __future__ import annotations

import pytest

from devices.plan.equipment import Channel
from devices.plan.problem import PlanProblems, Problem
from devices.plan.quality import Resting
from devices.plan.reader import PlanFile, read_plan
from telemetry.channels import ChannelInfo
from telemetry.quality.thresholds import thresholds

PLAN = """pilot: p
title: t
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: p}
slots:
  a:
    device: {serial: "1"}
    channels:
      temp: {unit: degC, period: 1 min, quality: TEMP}
      pm25: {unit: ug/m^3, period: 10 s, quality: PM25}
      odometer: {kind: counter, unit: m, period: 10 s, quality: ODOMETER}
      door: {kind: state, states: [open, closed], period: 10 s, quality: DOOR}
      level: {unit: "%", reporting: on_change, quality: LEVEL}
kpis:
  share: {name: n, measure: {share: {while: {channel: temp, value: "20..26 degC"}}}, target: ">= 95 %"}
"""
GOOD = {
    "TEMP": "{stuck: {after: 3 h, fail: 12 h, tolerance: 0.09 degF}, rate: 3 degC/min, jump: false}",
    "PM25": "{gap: 1 min, stuck: [6 h, 24 h], range: [0, 500], spike: [100 ug/m^3, 0.3 mg/m^3], rate: 20 ug/m^3/s,"
    " jump: 20 ug/m^3}",
    "ODOMETER": "{range: [0, 50], spike: false}",
    "DOOR": "{gap: 5 min}",
    "LEVEL": '{spike: "30 %"}',
}


def plan(**given: str) -> PlanFile:
    text = PLAN
    for name, value in (GOOD | given).items():
        text = text.replace(name, value, 1)
    return read_plan(text.encode())


def problems(**given: str) -> list[Problem]:
    with pytest.raises(PlanProblems) as caught:
        plan(**given)
    return list(caught.value.problems)


def as_stored(channel: Channel, name: str) -> ChannelInfo:
    """The channel as telemetry sees it: its options are the plan's part, dumped."""
    return ChannelInfo(
        pilot="p", slot="a", slot_id=1, name=name, channel_ids=(1,), alike_ids=(1,), kind=channel.kind,
        unit=channel.canonical_unit, reporting=channel.reporting, period_s=channel.period_s, max_hold_s=channel.max_hold_s,
        states=channel.states or (), options=channel.model_dump(mode="json", by_alias=True, exclude_none=True),
    )  # fmt: skip


def test_every_form_is_taken() -> None:
    channels = plan().plan.slots["a"].channels
    temp, pm25 = channels["temp"].quality, channels["pm25"].quality
    assert temp is not None and pm25 is not None
    assert temp.stuck == Resting(after="3 h", fail="12 h", tolerance="0.09 degF")
    assert (temp.rate, temp.jump, temp.gap) == ("3 degC/min", False, None)
    assert (pm25.stuck, pm25.range, pm25.spike) == (("6 h", "24 h"), (0.0, 500.0), ("100 ug/m^3", "0.3 mg/m^3"))


def test_the_tests_go_by_what_the_plan_says() -> None:
    channels = plan().plan.slots["a"].channels
    temp = thresholds(as_stored(channels["temp"], "temp"))
    assert temp.stuck is not None
    assert (temp.stuck.suspect_s, temp.stuck.fail_s) == (10_800, 43_200)
    assert temp.stuck.tolerance == pytest.approx(0.05)
    assert temp.rate == pytest.approx((0.05, None)) and temp.jump is None
    assert temp.by_plan == {"stuck", "rate", "jump"} and temp.spike == (5.0, 15.0)
    pm25 = thresholds(as_stored(channels["pm25"], "pm25"))
    assert pm25.stuck is not None and (pm25.stuck.suspect_s, pm25.stuck.fail_s) == (21_600, 86_400)
    assert (pm25.gap_s, pm25.suspect, pm25.jump) == (60, (0, 500), 20)
    assert pm25.spike == pytest.approx((100, 300)) and pm25.rate == (20, None)
    odometer = thresholds(as_stored(channels["odometer"], "odometer"))
    assert odometer.suspect == (0, 50) and odometer.spike is None
    assert thresholds(as_stored(channels["door"], "door")).gap_s == 300
    assert thresholds(as_stored(channels["level"], "level")).spike == (30, None)


TEMP, PM25 = "slots.a.channels.temp.quality", "slots.a.channels.pm25.quality"
BREACHES = [
    ("TEMP", "{stuk: 3 h}", "unknown-key", f"{TEMP}.stuk"),
    ("TEMP", "{stuck: 3}", "duration", f"{TEMP}.stuck"),
    ("TEMP", "{stuck: {fail: 3 h}}", "missing", f"{TEMP}.stuck.after"),
    ("TEMP", "{stuck: {after: 3 h, tolerence: 1 degC}}", "unknown-key", f"{TEMP}.stuck.tolerence"),
    ("TEMP", "{stuck: {after: 3 h, tolerance: 1 W}}", "quality-change", f"{TEMP}.stuck.tolerance"),
    ("TEMP", "{stuck: {after: 3 h, fail: 2 h}}", "quality-order", f"{TEMP}.stuck.fail"),
    ("TEMP", "{stuck: [24 h, 6 h]}", "quality-order", f"{TEMP}.stuck"),
    ("TEMP", "{stuck: [6 h]}", "missing", f"{TEMP}.stuck[1]"),
    ("TEMP", "{gap: 30 s}", "quality-gap", f"{TEMP}.gap"),
    ("TEMP", "{gap: true}", "duration", f"{TEMP}.gap"),
    ("TEMP", "{gap: [1 min, 2 min]}", "text", f"{TEMP}.gap"),
    ("TEMP", "{spike: 5 hPa}", "quality-change", f"{TEMP}.spike"),
    ("TEMP", "{spike: 5}", "quality-change", f"{TEMP}.spike"),
    ("TEMP", "{spike: [5 degC, 5 W]}", "quality-change", f"{TEMP}.spike[1]"),
    ("TEMP", "{spike: [18 degF, 5 degC]}", "quality-order", f"{TEMP}.spike"),
    ("TEMP", "{rate: 3 degC}", "rate", f"{TEMP}.rate"),
    ("TEMP", "{rate: 3 degC/kg}", "rate", f"{TEMP}.rate"),
    ("TEMP", "{rate: 3 W/min}", "quality-rate", f"{TEMP}.rate"),
    ("TEMP", "{rate: [1 degC/s, 3 degC/min]}", "quality-order", f"{TEMP}.rate"),
    ("TEMP", "{jump: -1 degC}", "quantity", f"{TEMP}.jump"),
    ("PM25", "{range: [500, 0]}", "range-order", f"{PM25}.range"),
    ("PM25", "{range: 500}", "list", f"{PM25}.range"),
    ("PM25", "{range: [0, many]}", "number", f"{PM25}.range[1]"),
    ("DOOR", "{stuck: 3 h}", "quality-state", "slots.a.channels.door.quality.stuck"),
    ("LEVEL", "{gap: 3 h}", "quality-periodic", "slots.a.channels.level.quality.gap"),
    ("LEVEL", "{stuck: 3 h}", "quality-periodic", "slots.a.channels.level.quality.stuck"),
]


@pytest.mark.parametrize(("name", "value", "code", "path"), BREACHES)
def test_what_does_not_fit_is_refused_at_its_place(name: str, value: str, code: str, path: str) -> None:
    found = problems(**{name: value})
    assert [(one.code, one.path) for one in found] == [(code, path)]
    line = next(n for n, text in enumerate(PLAN.splitlines(), 1) if name in text)
    assert found[0].line == line
    assert str(found[0]) and found[0].told("ko")


def test_every_fault_is_told_at_once() -> None:
    found = problems(
        TEMP="{spike: 5 hPa, rate: 3 W/min, jump: 2 W, gap: 1 s}",
        PM25="{range: [5, 1], stuck: [2 h, 1 h]}",
        DOOR="{jump: 1 W}",
    )
    assert [one.code for one in found] == [
        "quality-gap", "quality-change", "quality-rate", "quality-change", "range-order", "quality-order", "quality-state",
    ]  # fmt: skip
