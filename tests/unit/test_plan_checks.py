"""What takes two values to see: each rule broken once, in a plan that holds all the others."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from devices.plan.problem import PlanProblems, Problem
from devices.plan.protocols import Terms, known_protocols, register
from devices.plan.reader import read_plan
from tests.refused import problems_of

PLAN = (Path(__file__).parents[1] / "plans" / "complete.yaml").read_text(encoding="utf-8")


def problems(*replacements: tuple[str, str]) -> list[Problem]:
    return problems_of(PLAN, *replacements)


def test_the_plan_holds_all_rules() -> None:
    assert read_plan(PLAN.encode()).plan.pilot == "p"


BREACHES = [
    # Dates
    ("data_until: 2027-02-01", "data_until: 2027-03-02", "data-until", "evaluation.data_until"),
    ("interim: [2026-06-01", "interim: [2026-03-01", "interim", "evaluation.interim[0]"),
    ("2026-09-01]", "2027-02-01]", "interim", "evaluation.interim[1]"),
    ("2026-09-01]", "2026-06-01]", "interim-order", "evaluation.interim[1]"),
    ("meeting: 2027-02-10", "meeting: 2027-01-31", "meeting", "evaluation.meeting"),
    ("installed: 2026-03-01", "installed: 2027-03-01", "installed", "slots.a.device.installed"),
    ("retention: 365 d", "retention: 29 d", "retention", "retention"),
    # Channels
    ("source_unit: degF", "source_unit: W", "source-unit", "slots.a.channels.t.source_unit"),
    ("source: x.u", "source: x.t", "source-twice", "slots.a.channels.u.source"),
    ("max_hold: 30 s", "max_hold: 9 s", "max-hold", "slots.a.channels.t.max_hold"),
    ("absolute: 0.5 degC", "absolute: 0.9 degF", "uncertainty-absolute", "slots.a.channels.t.uncertainty.absolute"),
    ("absolute: 0.5 degC", "absolute: 0.5 delta_degC", "uncertainty-absolute", "slots.a.channels.t.uncertainty.absolute"),
    ("absolute: 0.5 degC", "absolute: 1 %", "uncertainty-absolute", "slots.a.channels.t.uncertainty.absolute"),
    ("relative: 5 %", "relative: 5 W", "uncertainty-relative", "slots.a.channels.u.uncertainty.relative"),
    ("uncertainty: {relative: 5 %}", "uncertainty: {k: 2}", "uncertainty-none", "slots.a.channels.u.uncertainty"),
    ("reporting: on_change}\n    events", "reporting: on_change, range: [0, 1]}\n    events", "uncertainty-state",
     "slots.a.channels.m.range"),
    # Connections and topics
    ("{topics: [other/#]}", "{protocol: jsonn}", "protocol", "connections.alone.protocol"),
    ("{topics: [other/#]}", "{options: {qos: 1}}", "protocol-options", "connections.alone.options.qos"),
    ("    connection: alone\n", "    connection: alonne\n", "connection-unknown", "slots.c.connection"),
    ("    connection: alone\n", "    connection: gw\n    select: {id: c}\n", "connection-unused", "connections.alone"),
    ("  d:\n", "  alone:\n", "connection-own", "slots.alone"),
    ("tele/+/SENSOR", "tele/a+/SENSOR", "topic-form", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", '"#"', "topic-all", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "+/x", "topic-all", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "$SYS/x", "topic-system", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "$share/g/x", "topic-system", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/q/a/x", "topic-pilots", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/+/a/x", "topic-pilots", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/#", "topic-pilots", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/p/a/+", "topic-ours", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/p/seal", "topic-ours", "connections.gw.topics[0]"),
    ("tele/+/SENSOR", "pilots/p/+/readings", "topic-overlap", "connections.gw.topics[0]"),
    ("other/#", "tele/x/+", "topic-overlap", "connections.gw.topics[0]"),
    ("    select: {id: b}\n", "", "select-needed", "slots.b"),
    ("    select: {id: b}\n", "    select: {id: a}\n", "select-twice", "slots.b.select"),
    # KPIs
    ("slots: [a, b]", "slots: [a, e]", "slot-unknown", "kpis.power.measure.statistic.slots[1]"),
    ("channel: u, stat: p95", "channel: v, stat: p95", "channel-unknown", "kpis.power.measure.statistic.channel"),
    ("slots: [a, b]", "slots: [a, c]", "channel-not-at", "kpis.power.measure.statistic.channel"),
    ("channel: t, value", "channel: tt, value", "channel-unknown", "kpis.time.measure.share.while.channel"),
    ("channels: [t]", "channels: [t, x]", "channel-unknown", "kpis.capture.measure.capture.channels[1]"),
    ("channels: [t]", "channels: [m]", "capture-periodic", "kpis.capture.measure.capture.channels[0]"),
    ("{capture: {channels: [t]}}", "{capture: {slots: [c]}}", "capture-none", "kpis.capture.measure.capture"),
    ("event: mission", "event: missions", "event-unknown", "kpis.ratio.measure.event_ratio.event"),
    ("event: mission", "event: mission, slots: [b]", "event-not-at", "kpis.ratio.measure.event_ratio.event"),
    ('errors: "== 0"', 'errors: ">= none"', "unit", "kpis.ratio.measure.event_ratio.success.errors"),
    ("in: [AUTO]", "in: [AUTOMATIC]", "state-unknown", "kpis.auto.measure.share.while.in[0]"),
    ("in: [AUTO]", 'value: "> 0"', "while-state", "kpis.auto.measure.share.while.value"),
    ('value: "20..26 degC"', "in: [AUTO]", "while-value", "kpis.time.measure.share.while.in"),
    ("20..26 degC", "20..26 W", "condition-unit", "kpis.time.measure.share.while.value"),
    ("20..26 degC", "20..26", "condition-unit", "kpis.time.measure.share.while.value"),
    ("channel: t, stat: mean", "channel: m, stat: mean", "statistic-state", "kpis.mean.measure.statistic.channel"),
    ("60..80 degF", "60..80 W", "target-unit", "kpis.mean.target"),
    ("60..80 degF", "60..80", "target-unit", "kpis.mean.target"),
    ("<= 2 degC", "<= 4 W", "target-unit", "kpis.spread.target"),
    ('target: ">= 95 %"', 'target: ">= 95"', "target-unit", "kpis.time.target"),
    ('target: ">= 95 %"', 'target: ">= 95 %p"', "target-unit", "kpis.time.target"),
    ('target: ">= 95 %"', 'target: ">= 5 degC"', "target-unit", "kpis.time.target"),
    ('target: ">= 95 %"', 'target: "> 100 %"', "target-share", "kpis.time.target"),
    ('target: ">= 95 %"', 'target: ">= 0 %"', "target-share", "kpis.time.target"),
    ('target: ">= 95 %"', 'target: "< 0 %"', "target-share", "kpis.time.target"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "path"), BREACHES, ids=[f"{item[2]}:{item[1][:24]}" for item in BREACHES]
)
def test_one_breach_is_one_problem(old: str, new: str, code: str, path: str) -> None:
    found = [(item.code, item.path) for item in problems((old, new))]
    assert (code, path) in found
    # Told once, not by every check that meets it.
    assert len(found) <= 3, found


def test_slots_of_one_kpi_have_one_unit() -> None:
    [problem] = problems(("      u: {unit: W, period: 10 s}", "      u: {unit: kW, period: 10 s}"))
    assert (problem.code, problem.path) == ("units-differ", "kpis.power.measure.statistic.channel")
    assert "W, kW" in problem.rule


def test_slots_of_one_kpi_are_all_states_or_none() -> None:
    found = problems(("      u: {unit: W, period: 10 s}", "      u: {kind: state, states: [ON], reporting: event}"))
    assert "kinds-differ" in {item.code for item in found}


def test_slots_with_filters_of_their_own_need_no_select() -> None:
    text = PLAN.replace("    select: {id: a}\n", "    topics: [home/a/#]\n").replace(
        "    select: {id: b}\n", "    topics: [home/b/#]\n"
    )
    plan = read_plan(text.encode()).plan
    assert plan.topics_of("gw") == (
        "pilots/p/a/readings", "pilots/p/a/events", "pilots/p/a/status",
        "pilots/p/b/readings", "pilots/p/b/events", "pilots/p/b/status",
        "tele/+/SENSOR", "home/a/#", "home/b/#",
    )  # fmt: skip
    [problem] = problems(
        ("    select: {id: a}\n", "    topics: [home/a/#]\n"), ("    select: {id: b}\n", "    topics: [home/+/x]\n")
    )
    assert (problem.code, problem.path) == ("topic-slots", "slots.b.topics[0]")


PAIR = (
    "calibrations:\n  - {slot: a, channel: t, change: 2026-05-02, before: {value: 20.4 degC, uncertainty: 0.2 degC},"
    " after: {value: 20.1 degC, uncertainty: 0.2 degC}, date: 2026-05-02, certificate: KTL-7}\n"
)


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("slot: a,", "slot: e,", "slot-unknown", "calibrations[0].slot"),
        ("channel: t,", "channel: x,", "channel-not-at", "calibrations[0].channel"),
        ("channel: t,", "channel: m,", "calibration-state", "calibrations[0].channel"),
        ("value: 20.4 degC", "value: 20.4 W", "calibration-unit", "calibrations[0].before.value"),
        ("value: 20.4 degC", "value: 20.4 delta_degC", "calibration-unit", "calibrations[0].before.value"),
        ("value: 20.4 degC", "value: warm", "quantity", "calibrations[0].before.value"),
        ("0.2 degC}, date", "0.4 degF}, date", "uncertainty-absolute", "calibrations[0].after.uncertainty"),
        ("uncertainty: 0.2 degC}, after", "uncertainty: 5 %}, after", "uncertainty-absolute",
         "calibrations[0].before.uncertainty"),
        ("change: 2026-05-02", "change: 2027-03-01", "calibration-day", "calibrations[0].change"),
        ("change: 2026-05-02", "change: 2026-02-28", "calibration-day", "calibrations[0].change"),
        (", certificate: KTL-7", "", "missing", "calibrations[0].certificate"),
        (PAIR, PAIR + PAIR.split("\n")[1] + "\n", "calibration-twice", "calibrations[1].change"),
    ],
)  # fmt: skip
def test_a_calibration_pair_is_of_something_that_is_measured(old: str, new: str, code: str, path: str) -> None:
    assert read_plan((PLAN + PAIR).encode()).plan.calibrations[0].k == 2
    assert old in PAIR
    with pytest.raises(PlanProblems) as caught:
        read_plan((PLAN + PAIR.replace(old, new, 1)).encode())
    assert [(item.code, item.path) for item in caught.value.problems] == [(code, path)]


def test_an_exclusion_has_its_rules_in_the_plan() -> None:
    usual = read_plan(PLAN.encode()).plan.exclusions
    assert (usual.reasons, usual.ask_within, usual.most, usual.holidays) == (None, 5, 2, ())
    given = "exclusions: {reasons: {flood: 침수}, ask_within: 3, most: 1.5, holidays: [2026-05-05]}\n"
    found = read_plan((PLAN + given).encode()).plan.exclusions
    assert found.reasons == {"flood": "침수"} and found.holidays == (date(2026, 5, 5),)


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ("{reasons: {}}", "at-least", "exclusions.reasons"),
        ("{reasons: {Flood: x}}", "name", "exclusions.reasons.Flood"),
        ("{ask_within: 0}", "low", "exclusions.ask_within"),
        ("{most: 101}", "high", "exclusions.most"),
        ("{holidays: [05-05]}", "date", "exclusions.holidays[0]"),
        ("{hollidays: []}", "unknown-key", "exclusions.hollidays"),
    ],
)
def test_what_exclusions_do_not_take(given: str, code: str, path: str) -> None:
    with pytest.raises(PlanProblems) as caught:
        read_plan(f"{PLAN}exclusions: {given}\n".encode())
    assert [(item.code, item.path) for item in caught.value.problems] == [(code, path)]


def test_a_weighted_score_takes_weights() -> None:
    bare = re.sub(r", weight: \d+", "", PLAN) + "overall: {rule: weighted}\n"
    with pytest.raises(PlanProblems) as caught:
        read_plan(bare.encode())
    assert [(item.code, item.path) for item in caught.value.problems] == [("weights-none", "overall.rule")]
    assert "weight" in caught.value.problems[0].told("ko")


def test_weights_need_not_come_to_100() -> None:
    text = PLAN.replace("weight: 10}\n  power", "weight: 11}\n  power") + "overall: {rule: weighted}\n"
    assert read_plan(text.encode()).plan.kpis["spread"].weight == 11


def test_weights_may_be_left_out_altogether() -> None:
    assert read_plan(re.sub(r", weight: \d+", "", PLAN).encode()).plan.kpis["time"].weight == 0


def test_decimal_weights_may_come_to_100() -> None:
    text = PLAN.replace("weight: 20", "weight: 16.7").replace("weight: 10", "weight: 12.475")
    assert read_plan(text.encode()).plan.kpis["time"].weight == 16.7


def test_a_protocol_is_registered_once() -> None:
    class Options(BaseModel):
        node: str

    assert known_protocols()[0] == "json"
    with pytest.raises(ValueError, match="registered already"):
        register("json", Terms(Options))
