"""What the plan says of how readings come, and of conditions on time: read, refused with line and rule, and compared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devices.plan.diff import diff, refusals
from devices.plan.measures import Delay, Exposed, Forecast, FrameSequence, Share
from devices.plan.predicate import conditions_of, slots_in_effect, slots_read
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from kpi.planning.outlook import planning

PLAN = """
pilot: x
title: X
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2026-01-01, end: 2027-02-01}
evaluation: {data_until: 2027-01-02, meeting: 2027-01-10}
product: {name: P}
conditions:
  ambient: {name: 적용 온도, channel: temp, value: "-10..50 degC"}
  wind: {name: 바람, slot: mast, channel: wind, value: "<= 14 m/s"}
slots:
  r1:
    device: {serial: a}
    channels:
      fcnt: {kind: counter, unit: "1", period: 10 min}
      mode: {kind: state, states: [AUTOMATIC, MANUAL], reporting: on_change}
      odometer: {kind: counter, unit: km, period: 10 s}
      battery: {unit: "%", period: 1 h}
      temp: {unit: degC, period: 1 h}
    events: {join: {}}
  mast:
    device: {serial: b}
    channels: {wind: {unit: m/s, period: 1 min}, temp: {unit: degC, period: 1 h}}
kpis:
  latency:
    {name: a, measure: {statistic: {of: delay, stat: p95, lost: infinite}}, target: "<= 5 s"}
  radio:
    {name: b, measure: {sequence: {channel: fcnt, wrap: 65536, reset: rejoin}}, target: ">= 95 %"}
  unmanned:
    {name: c, measure: {share: {of: {increase: odometer}, while: {channel: mode, in: [AUTOMATIC]}}}, target: ">= 98 %"}
  life:
    {name: d, measure: {forecast: {channel: battery, until: 20 %}}, target: ">= 365 d"}
  warm:
    name: e
    conditions: []
    measure: {statistic: {channel: temp, stat: mean, where: {channel: mode, in: [AUTOMATIC]}}}
    target: ">= 3 degC"
"""

WARM = "kpis.warm.measure.statistic"


def changed(before: str, after: str) -> str:
    assert before in PLAN
    return PLAN.replace(before, after, 1)


def test_each_row_is_read_as_it_stands_in_the_catalogue() -> None:
    plan = read_plan(PLAN.encode()).plan
    kinds = [kpi.measure.of for kpi in plan.kpis.values()]
    assert [type(one) for one in kinds[:4]] == [Delay, FrameSequence, Share, Forecast]
    assert isinstance(kinds[2], Share) and isinstance(kinds[2].of, Exposed) and kinds[2].of.by.channel == "odometer"
    assert [len(conditions_of(plan, kpi)) for kpi in plan.kpis.values()] == [2, 2, 2, 2, 0]
    # A condition on the mode keeps the mast out, which has none; what is told of the wind is read all the same.
    assert slots_in_effect(plan, plan.kpis["warm"]) == ("r1",)
    assert slots_read(plan, plan.kpis["radio"]) == ("r1", "mast")
    assert slots_read(plan, plan.kpis["warm"]) == ("r1",)


@pytest.mark.parametrize(
    ("before", "after", "path", "rule"),
    [
        ("stat: p95, lost", "stat: mean, lost", "kpis.latency.measure.statistic.stat", "delay-stat"),
        ("of: delay, ", "of: delays, ", "kpis.latency.measure.statistic.of", "one-of"),
        ("lost: infinite", "lost: zero", "kpis.latency.measure.statistic.lost", "one-of"),
        ("lost: infinite", "lost: infinite, channel: temq", "kpis.latency.measure.statistic.channel", "channel-unknown"),
        ('target: "<= 5 s"', 'target: "<= 5 %"', "kpis.latency.target", "target-unit"),
        ("channel: fcnt, wrap", "channel: battery, wrap", "kpis.radio.measure.sequence.channel", "sequence-counter"),
        ("wrap: 65536", "wrap: 10", "kpis.radio.measure.sequence.wrap", "low"),
        ("wrap: 65536", "wrap: 100, first: 100", "kpis.radio.measure.sequence.first", "sequence-first"),
        ("reset: rejoin", "reset: jion", "kpis.radio.measure.sequence.reset", "sequence-reset"),
        ('target: ">= 95 %"', 'target: ">= 0 %"', "kpis.radio.target", "target-share"),
        ("{increase: odometer}", "{increase: odo}", "kpis.unmanned.measure.share.of.increase.channel", "channel-unknown"),
        ("{increase: odometer}", "{increase: battery}", "kpis.unmanned.measure.share.of.increase.channel", "increase-counter"),
        ("{increase: odometer}", "{integral: mode}", "kpis.unmanned.measure.share.of.integral.channel", "integral-state"),
        ("{increase: odometer}", "{integral: wind}", "kpis.unmanned.measure.share.of.integral.channel", "exposure-not-at"),
        ("{increase: odometer}", "{increase: odometer, integral: temp}", "kpis.unmanned.measure.share.of", "exposure-one"),
        ("until: 20 %", "until: 20 V", "kpis.life.measure.forecast.until", "forecast-unit"),
        ("until: 20 %", "until: empty", "kpis.life.measure.forecast.until", "quantity"),
        ("channel: battery", "channel: mode", "kpis.life.measure.forecast.channel", "forecast-number"),
        ("{name: d, ", "{name: d, required: true, ", "kpis.life.required", "forecast-required"),
        ("conditions: []", "conditions: [ambiant]", "kpis.warm.conditions[0]", "condition-unknown"),
        ("where: {channel: mode, in: [AUTOMATIC]}", "where: {channel: mode, in: [AUTO]}", f"{WARM}.where.in[0]", "state-unknown"),
        ("where: {channel: mode, in: [AUTOMATIC]}", "where: {channel: wind, value: '> 1 m/s'}", f"{WARM}.where.channel", "slots"),
        ("where: {channel: mode, in: [AUTOMATIC]}", "where: []", f"{WARM}.where", "at-least"),
        ("channel: temp, value", "channel: temq, value", "conditions.ambient.channel", "channel-unknown"),
        ("-10..50 degC", "-10..50 kWh", "conditions.ambient.value", "condition-unit"),
        ("slot: mast, channel: wind", "slot: must, channel: wind", "conditions.wind.slot", "slot-unknown"),
        ("slot: mast, channel: wind", "slot: r1, channel: wind", "conditions.wind.channel", "channel-not-at"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_once_with_its_rule(before: str, after: str, path: str, rule: str) -> None:
    text = changed(before, after)
    if rule == "slots":  # the mast has wind and temp: the KPI is then about the mast
        assert slots_in_effect(read_plan(text.encode()).plan, read_plan(text.encode()).plan.kpis["warm"]) == ("mast",)
        return
    with pytest.raises(PlanProblems) as caught:
        read_plan(text.encode())
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, rule)]
    assert caught.value.problems[0].line == next(
        n for n, line in enumerate(text.splitlines(), start=1) if line not in PLAN.splitlines()
    )


def test_a_forecast_is_no_condition_among_others() -> None:
    text = changed(
        'measure: {forecast: {channel: battery, until: 20 %}}, target: ">= 365 d"',
        'all: [{measure: {forecast: {channel: battery, until: 20 %}}, target: ">= 365 d"}]',
    )
    with pytest.raises(PlanProblems) as caught:
        read_plan(text.encode())
    assert [problem.code for problem in caught.value.problems] == ["forecast-among"]


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("-10..50 degC", "-10..40 degC", "contract"),
        ("name: 적용 온도", "name: 외기 온도", "text"),
        ("conditions: []", "conditions: [ambient]", "contract"),
        ("where: {channel: mode, in: [AUTOMATIC]}", "where: {channel: mode, in: [MANUAL]}", "contract"),
        ("wrap: 65536", "wrap: 256", "contract"),
        ("stat: p95, lost", "stat: p90, lost", "contract"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_judged_is_one_of_the_contract(before: str, after: str, effect: str) -> None:
    old, new = read_plan(PLAN.encode()).plan, read_plan(changed(before, after).encode()).plan
    assert {change.effect for change in diff(old, new)} == {effect}
    codes = [fault.code for fault in refusals(old, new, datetime(2026, 2, 1, tzinfo=UTC))]
    assert codes == (["amendment-needed"] if effect == "contract" else [])


def test_the_chances_are_reckoned_or_said_not_to_be() -> None:
    plan = read_plan(PLAN.encode()).plan
    found = {one.id: one for one in planning(plan).outlooks}
    assert found["latency"].levels and found["unmanned"].levels
    assert not found["life"].levels and [one.code for one in found["life"].warnings] == ["not_reckoned"]
    assert next(one.code for one in found["radio"].warnings).startswith("no_n")
