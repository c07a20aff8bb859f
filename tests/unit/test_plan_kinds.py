"""Measures that count, add up and last, in a plan: what is taken, and what is refused with its line and what is allowed."""

from __future__ import annotations

import pytest

from devices.plan.diff import diff
from devices.plan.measured_unit import unit_given
from devices.plan.measures import Measure
from devices.plan.predicate import predicates, slots_in_effect
from devices.plan.problem import Problem
from devices.plan.reader import read_plan
from tests.refused import problems_of

HEAD = """pilot: p
title: t
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: p}
slots:
  robot:
    device: {serial: "1"}
    channels:
      odometer: {kind: counter, unit: km, period: 10 s}
      power: {unit: W, period: 10 s}
      delay: {unit: ms, period: 10 s}
      temp: {unit: degC, period: 10 s}
      mode: {kind: state, states: [AUTO, MANUAL], reporting: on_change}
    events: {incident: {numbered: true}, call: {phased: true}}
  camera:
    device: {serial: "2"}
    channels:
      power: {unit: W, period: 10 s}
    events: {alarm: {}, call: {phased: true}}
kpis:
"""
KPIS = """  energy: {name: n, measure: {integral: power}, target: "<= 500 kWh"}
  night: {name: n, measure: {integral: {channel: power, hours: "00:00-06:00"}}, target: "<= 1 MJ"}
  degrees: {name: n, measure: {integral: temp}, target: "<= 100 degC*h"}
  distance: {name: n, measure: {increase: odometer}, target: ">= 1,000 km"}
  wrapped: {name: n, measure: {increase: {channel: odometer, wrap: 1000}}, target: "1000 km 이상"}
  alarms: {name: n, measure: {event_rate: {event: alarm, per: 1 device-day}}, target: "<= 3 건/device-day"}
  hourly: {name: n, measure: {event_rate: {event: alarm, per: 1000 h}}, target: "< 0.5 / h"}
  collisions: {name: n, measure: {event_rate: {event: incident, per: {increase: odometer}}}, target: "<= 1 / (1000 km)"}
  injured: {name: n, measure: {count: {event: incident, where: {injured: "> 0"}}}, target: "== 0"}
  calls: {name: n, measure: {event_duration: {event: call, stat: p90}}, target: "5분 이하"}
  failures: {name: n, measure: {mtbf: {event: incident, where: {code: [E1, E2]}}}, target: ">= 2000 h"}
  latency: {name: n, measure: {statistic: {channel: delay, stat: p95}}, target: "<= 5 s"}
  spread: {name: n, measure: {statistic: {channel: temp, stat: std}}, target: "<= 4 degF"}
  safety:
    name: n
    all:
      - {measure: {event_rate: {event: incident, per: {increase: odometer}}}, target: "1000 km당 1건 이하"}
      - {name: 인명사고, measure: {count: {event: incident, where: {injured: "> 0"}}}, target: "0건 일치"}
"""
PLAN = HEAD + KPIS


def problems(*replacements: tuple[str, str]) -> list[Problem]:
    return problems_of(PLAN, *replacements)


def test_the_plan_is_taken() -> None:
    plan = read_plan(PLAN.encode()).plan
    assert plan.kpis["energy"].measure.kind == "integral"
    assert plan.kpis["energy"].measure.integral is not None
    assert plan.kpis["energy"].measure.integral.channel == "power"
    assert (plan.kpis["failures"].scope, plan.kpis["failures"].rule) == ("capability", "confident")
    assert (plan.kpis["energy"].scope, plan.kpis["energy"].rule) == ("period", "estimate")


@pytest.mark.parametrize(
    ("measure", "channel_unit", "unit"),
    [
        ({"integral": "power"}, "W", "(W)*s"),
        ({"increase": "odometer"}, "km", "km"),
        ({"event_rate": {"event": "e", "per": "1 d"}}, None, "건/d"),
        ({"event_rate": {"event": "e", "per": "camera-day"}}, None, "건/camera-day"),
        ({"event_rate": {"event": "e", "per": "1000 h"}}, None, "건/(1000 h)"),
        ({"event_rate": {"event": "e", "per": {"increase": "odometer"}}}, "km", "건/km"),
        ({"event_rate": {"event": "e", "per": {"increase": "odometer"}}}, None, None),
        ({"count": {"event": "e"}}, None, "건"),
        ({"event_duration": {"event": "e", "stat": "p99.9"}}, None, "s"),
        ({"mtbf": {"event": "e"}}, None, "s"),
        ({"availability": None}, None, "%"),
    ],
)
def test_what_a_measure_gives(measure: dict[str, object], channel_unit: str | None, unit: str | None) -> None:
    assert unit_given(Measure.model_validate(measure), channel_unit) == unit


BREACHES = [
    ('measure: {integral: power}, target: "<= 500 kWh"', 'measure: {integral: power}, target: "<= 500 kW"', "target-unit",
     "kpis.energy.target"),
    ('measure: {integral: power}, target: "<= 500 kWh"', 'measure: {integral: power}, target: "<= 500 degC"', "target-unit",
     "kpis.energy.target"),
    ("{integral: power}", "{integral: powre}", "channel-unknown", "kpis.energy.measure.integral.channel"),
    ("{integral: power}", "{integral: mode}", "integral-state", "kpis.energy.measure.integral.channel"),
    ("{integral: power}", "{integral: [power]}", "mapping", "kpis.energy.measure.integral"),
    ("{increase: odometer}, target", "{increase: power}, target", "increase-counter", "kpis.distance.measure.increase.channel"),
    ("wrap: 1000", "wrap: 0", "above", "kpis.wrapped.measure.increase.wrap"),
    ('">= 1,000 km"', '">= 0 km"', "target-negative", "kpis.distance.target"),
    ('">= 1,000 km"', '">= 1,000 kg"', "target-unit", "kpis.distance.target"),
    ("per: 1 device-day", "per: 1 kg", "per", "kpis.alarms.measure.event_rate.per"),
    ("per: 1 device-day", "per: 0 d", "per", "kpis.alarms.measure.event_rate.per"),
    ("per: 1 device-day", "per: {increase: odometer}", "per-elsewhere",
     "kpis.alarms.measure.event_rate.per.increase.channel"),
    ("per: 1 device-day", "per: {}", "per", "kpis.alarms.measure.event_rate.per"),
    ("per: {increase: odometer}}}, target: \"<=", "per: {increase: power}}}, target: \"<=", "increase-counter",
     "kpis.collisions.measure.event_rate.per.increase.channel"),
    ('"<= 3 건/device-day"', '"<= 3 건/d"', "target-unit", "kpis.alarms.target"),
    ('"<= 1 / (1000 km)"', '"<= 1 / (1000 h)"', "target-unit", "kpis.collisions.target"),
    ('"<= 1 / (1000 km)"', '"<= 1 / (1000 foo)"', "unit", "kpis.collisions.target"),
    ('"<= 1 / (1000 km)"', '">= 0 / km"', "target-negative", "kpis.collisions.target"),
    ('target: "== 0"', 'target: "== 0 %"', "target-unit", "kpis.injured.target"),
    ('target: "== 0"', 'target: "< 0"', "target-negative", "kpis.injured.target"),
    ("stat: p90", "stat: p100", "duration-stat", "kpis.calls.measure.event_duration.stat"),
    ("{event: call, stat: p90}", "{event: incident, stat: p90}", "event-phased", "kpis.calls.measure.event_duration.event"),
    ("stat: p90}", "stat: p90, missed: left_out}", "one-of", "kpis.calls.measure.event_duration.missed"),
    ('">= 2000 h"}', '">= 2000 h", scope: period}', "mtbf-scope", "kpis.failures.scope"),
    ('">= 2000 h"}', '">= 2000 h", decision: estimate}', "mtbf-scope", "kpis.failures.decision"),
    ('"<= 5 s"', '"<= 5 degC"', "target-unit", "kpis.latency.target"),
    ('"<= 4 degF"', '"<= 4 W"', "target-unit", "kpis.spread.target"),
    ('target: "0건 일치"', 'target: "0 W 일치"', "target-unit", "kpis.safety.all[1].target"),
    ("- {measure: {event_rate: {event: incident,", "- {measure: {event_rate: {event: accident,", "event-unknown",
     "kpis.safety.all[0].measure.event_rate.event"),
    ("    name: n\n    all:", "    name: n\n    target: \"> 5 s\"\n    all:", "kpi-promise", "kpis.safety"),
    (', target: ">= 1,000 km"', "", "kpi-promise", "kpis.distance"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "path"), BREACHES, ids=[f"{item[2]}:{item[1][:30]}" for item in BREACHES]
)
def test_one_breach_is_one_problem(old: str, new: str, code: str, path: str) -> None:
    found = problems((old, new))
    assert (code, path) in [(item.code, item.path) for item in found]
    # A wrong channel brings a wrong unit of the target with it, nothing more.
    assert {item.code for item in found} <= {code, "target-unit"}
    assert all(item.line > 1 and item.rule and item.told("ko") for item in found)


def test_a_wrong_unit_is_told_with_its_line_the_value_and_what_is_allowed() -> None:
    [found] = problems(('target: "<= 500 kWh"', 'target: "<= 26 degC"'))
    assert found.line == PLAN.splitlines().index(next(row for row in PLAN.splitlines() if "energy:" in row)) + 1
    assert found.value == "<= 26 degC"
    assert found.rule == "integral of power gives W·s: write the target in that dimension, with its unit"


def test_a_compound_is_about_the_slots_of_all_its_parts() -> None:
    both = KPIS.replace(
        '- {measure: {event_rate: {event: incident, per: {increase: odometer}}}, target: "1000 km당 1건 이하"}',
        '- {measure: {share: {while: {channel: mode, in: [AUTO]}}}, target: ">= 95 %"}\n'
        '      - {measure: {count: {event: alarm}}, target: "<= 5 건"}',
    )
    plan = read_plan((HEAD + both).encode()).plan
    kpi = plan.kpis["safety"]
    assert [part.name for part in kpi.parts] == ["n", "n", "인명사고"]
    assert slots_in_effect(plan, kpi) == ("robot", "camera")
    assert [slots_in_effect(plan, part) for part in kpi.parts] == [("robot",), ("camera",), ("robot",)]
    assert [one.channel for one in predicates(plan)["robot"]] == ["mode"]


def test_a_changed_part_is_a_change_of_the_agreement() -> None:
    before = read_plan(PLAN.encode()).plan
    after = read_plan(PLAN.replace("1000 km당 1건 이하", "1000 km당 2건 이하").encode()).plan
    assert [(one.path, one.effect) for one in diff(before, after)] == [("kpis.safety.all", "contract")]
    spelled = PLAN.replace('target: ">= 2000 h"}', 'target: ">= 2000 h", scope: capability, decision: confident}')
    assert diff(before, read_plan(spelled.encode()).plan) == []
