"""Changes in a plan: what can be said, and one clear error for each thing that cannot."""
# ruff: noqa: E501

from __future__ import annotations

from datetime import date

import pytest

from core.window import month_window
from devices.plan.holidays import korean_holidays
from devices.plan.measures import Measure
from devices.plan.predicate import slots_in_effect, slots_read
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from kpi.calendar import required
from kpi.records.exclusions import last_day_to_ask, rules_of
from kpi.stretches import total_us

PLAN = """
pilot: save-1
title: 절감 실증
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: P}
slots:
  a: {device: {serial: "1"}, channels: {power: {unit: kW, period: 10 min}, probe-time: {unit: s, period: 5 min}}}
  b: {device: {serial: "2"}, channels: {power: {unit: kW, period: 10 min}}}
  road-b: {device: {serial: "3"}, channels: {probe-time: {unit: s, period: 5 min}}}
  kma-108: {device: {serial: "4"}, channels: {temperature: {unit: degC, period: 1 h}}}
manual:
  complaints: {name: 민원, kind: count, unit: 건, exposure: {id: resident-days, unit: resident-day}}
kpis:
  k: {name: K, TARGET, MEASURE}
"""
SHA = "0" * 64
FILE = f"file: m.csv, sha256: {SHA}, window: [2025-03-01, 2026-03-01], value: v, unit: kWh, zone: Asia/Seoul"
OWN = "window: [2025-03-01, 2026-03-01]"
ENERGY = "{integral: power}"
TRIP = "{statistic: {channel: probe-time, stat: mean}}"
WEATHER = "normalise: {degree_days: [18 degC, 24 degC], weather: {slot: kma-108, channel: temperature}}"


def plan_of(measure: str, target: str = 'target: "<= -10 %"', more: str = ""):  # type: ignore[no-untyped-def]
    text = PLAN.replace("MEASURE", f"measure: {{change: {measure}}}{more}").replace("TARGET", target)
    return read_plan(text.encode()).plan


def codes(measure: str, **given: str) -> list[tuple[str, str]]:
    try:
        plan_of(measure, **given)
    except PlanProblems as found:
        for problem in found.problems:
            assert problem.rule and problem.told("ko") and problem.line > 0
        return [(problem.code, problem.path.removeprefix("kpis.k.measure.change.")) for problem in found.problems]
    return []


@pytest.mark.parametrize(
    ("measure", "given"),
    [
        (f"{{of: {ENERGY}, per: 1 day, baseline: {{{FILE}}}, {WEATHER}}}", {}),
        (f"{{of: {TRIP}, baseline: {{{OWN}}}, pair: {{weekday: true, holidays: KR}}, control: [road-b]}}", {}),
        (f"{{of: {{event_rate: {{manual: complaints, per: {{manual: resident-days}}}}}}, baseline: {{{OWN}}}}}", {}),
        (f"{{of: {{statistic: {{channel: power, stat: max, average: 15 min}}}}, baseline: {{{OWN}}}}}", {}),
        (f"{{of: {ENERGY}, as: difference, baseline: {{{FILE}}}}}", {"target": 'target: "<= -5 kWh/d"'}),
        (f'{{of: {ENERGY}, baseline: {{value: "40 kWh/d", source: 고지서}}}}', {}),
        (
            f"{{of: {ENERGY}, baseline: {{{FILE.replace('kWh,', 'MJ,')}}}}}",
            {},
        ),  # another unit of the dimension converts
        (
            f"{{of: {ENERGY}, baseline: {{{FILE.replace('value: v', 'value: {a: x, b: y}')}}}}}",
            {"more": ", group: worst"},
        ),
    ],
)
def test_what_can_be_said(measure: str, given: dict[str, str]) -> None:
    assert codes(measure, **given) == []


@pytest.mark.parametrize(
    ("measure", "code", "path"),
    [
        (f"{{of: {{change: {{of: {ENERGY}, baseline: {{{OWN}}}}}}}, baseline: {{{OWN}}}}}", "change-of", "of.change"),
        (f"{{of: {{integral: {{channel: power, slots: [a]}}}}, slots: [a], baseline: {{{OWN}}}}}", "change-twice", "slots"),
        (f"{{of: {ENERGY}, baseline: {{{FILE.replace('unit: kWh', 'unit: degC')}}}}}", "baseline-unit", "baseline.unit"),
        (f"{{of: {ENERGY}, baseline: {{{FILE.replace('2026-03-01', '2026-04-01')}}}}}", "baseline-before", "baseline.window"),
        (f"{{of: {ENERGY}, baseline: {{window: [2026-03-01, 2027-02-01]}}}}", "baseline-late", "baseline.window"),
        (f"{{of: {ENERGY}, baseline: {{file: m.csv, {OWN}}}}}", "baseline-file", "baseline"),
        (f"{{of: {ENERGY}, baseline: {{{FILE.replace(SHA, 'abc')}}}}}", "baseline-sha256", "baseline.sha256"),
        (f"{{of: {ENERGY}, baseline: {{}}}}", "baseline-one", "baseline"),
        (f'{{of: {ENERGY}, baseline: {{value: "40 kWh/d"}}}}', "baseline-source", "baseline"),
        (f'{{of: {ENERGY}, baseline: {{value: "40 degC", source: x}}}}', "baseline-unit", "baseline.value"),
        (f"{{of: {ENERGY}, baseline: {{{FILE}, rows: counter}}}}", "baseline-rows", "baseline.rows"),
        (f"{{of: {{event_rate: {{manual: complaints}}}}, baseline: {{{FILE}}}}}", "baseline-kind", "baseline.file"),
        (f"{{of: {TRIP}, baseline: {{{OWN}}}, control: [nowhere]}}", "slot-unknown", "control[0]"),
        (f"{{of: {TRIP}, baseline: {{{OWN}}}, control: [b]}}", "control-lacks", "control[0]"),
        (f"{{of: {TRIP}, slots: [a], baseline: {{{OWN}}}, control: [a]}}", "control-kpi", "control[0]"),
        (f"{{of: {TRIP}, baseline: {{{FILE.replace('kWh', 's')}}}, control: [road-b]}}", "baseline-slots", "baseline.value"),
        (f'{{of: {TRIP}, baseline: {{value: "9 s", source: x}}, pair: {{weekday: true}}}}', "change-window", "baseline"),
        (f"{{of: {TRIP}, baseline: {{{OWN}}}, pair: {{weekday: false}}}}", "pair-weekday", "pair.weekday"),
        (f"{{of: {ENERGY}, baseline: {{{FILE}}}, {WEATHER}, pair: {{weekday: true}}}}", "change-one", "normalise"),
        (f"{{of: {ENERGY}, baseline: {{window: [2025-06-01, 2026-03-01]}}, {WEATHER}}}", "normalise-year", "baseline.window"),
        (f"{{of: {ENERGY}, baseline: {{{FILE}}}, {WEATHER.replace('temperature', 'humidity')}}}", "channel-not-at", "normalise.weather.channel"),
        (f"{{of: {ENERGY}, baseline: {{{FILE}}}, {WEATHER.replace('kma-108, channel: temperature', 'a, channel: power')}}}", "normalise-weather", "normalise.weather.channel"),
        (f"{{of: {ENERGY}, baseline: {{{FILE}}}, {WEATHER.replace('[18 degC, 24 degC]', '[24 degC, 18 degC]')}}}", "degree-days", "normalise.degree_days"),
        (f"{{of: {{availability: {{}}}}, baseline: {{{OWN}}}, pair: {{weekday: true}}}}", "change-daily", "of.availability"),
        (f"{{of: {{integral: powr}}, baseline: {{{OWN}}}}}", "channel-unknown", "of.integral.channel"),
    ],
)  # fmt: skip
def test_each_wrong_thing_is_one_clear_error(measure: str, code: str, path: str) -> None:
    assert codes(measure) == [(code, path)]


def test_a_target_of_another_dimension_is_refused() -> None:
    difference = f"{{of: {ENERGY}, as: difference, baseline: {{{FILE}}}}}"
    assert [code for code, _ in codes(difference, target='target: "<= -5 s"')] == ["target-unit"]
    assert [code for code, _ in codes(f"{{of: {ENERGY}, baseline: {{{FILE}}}}}", target='target: "<= -5 kWh"')] == [
        "target-unit"
    ]


def test_controls_are_read_and_not_judged() -> None:
    plan = plan_of(f"{{of: {TRIP}, baseline: {{{OWN}}}, control: [road-b]}}")
    assert slots_in_effect(plan, plan.kpis["k"]) == ("a",)
    assert slots_read(plan, plan.kpis["k"]) == ("a", "road-b")


def test_public_holidays_are_no_days_of_any_measure_that_leaves_them_out() -> None:
    plan = plan_of(f"{{of: {ENERGY}, baseline: {{{FILE}}}}}")
    usual = {"channel": "power", "stat": "mean"}
    # Seollal was from the 16th to the 18th of February 2026, Monday to Wednesday.
    for days, expected in (("exclude", 25), ("only", 3), ("include", 8 + 3)):
        weekend = {"days": ["sat", "sun"]} if days == "include" else {}
        made = Measure.model_validate({"statistic": {**usual, **weekend, "holidays": {"calendar": "KR", "days": days}}})
        found = required(
            month_window("2026-02", plan.zone), plan.zone, weekdays=made.of.days, holidays=made.of.holidays
        )
        assert total_us(found) == expected * 86_400_000_000, days


def test_the_working_days_of_exclusions_know_public_holidays() -> None:
    text = PLAN.replace("MEASURE", f"measure: {{change: {{of: {ENERGY}, baseline: {{{FILE}}}}}}}")
    text = text.replace("TARGET", 'target: "<= -10 %"') + "exclusions: {holidays: [KR, 2026-05-06]}\n"
    rules = rules_of(read_plan(text.encode()).plan)
    assert (
        date(2026, 5, 5) in rules.holidays
        and date(2026, 5, 6) in rules.holidays
        and date(2026, 9, 25) in rules.holidays
    )
    # A Thursday; the 1st (Labour Day), 5th and 6th are none: 4th, 7th, 8th, 11th, 12th.
    assert last_day_to_ask(date(2026, 4, 30), rules.holidays) == date(2026, 5, 12)


def test_holidays_are_those_that_the_government_published() -> None:
    """By hand from the official calendar of 2025 (관공서의 공휴일에 관한 규정), with substitute and one-off holidays."""
    expected = """2025-01-01 2025-01-27 2025-01-28 2025-01-29 2025-01-30 2025-03-01 2025-03-03 2025-05-05 2025-05-06 2025-06-03
        2025-06-06 2025-08-15 2025-10-03 2025-10-05 2025-10-06 2025-10-07 2025-10-08 2025-10-09 2025-12-25"""
    assert [day.isoformat() for day in korean_holidays(date(2025, 1, 1), date(2026, 1, 1))] == expected.split()
