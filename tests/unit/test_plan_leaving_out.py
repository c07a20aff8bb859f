"""``quality:`` of a measure: what is taken, what is refused with its line, and that a change of it takes an amendment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devices.plan.diff import diff, refusals
from devices.plan.problem import PlanProblems, Problem
from devices.plan.reader import PlanFile, read_plan
from devices.plan.reading_quality import quality_of
from kpi.planning.outlook import planning

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
      temp: {unit: degC, period: 1 min, range: [-40, 60], quality: {stuck: false, range: false}}
      calm: {unit: degC, period: 1 min, quality: {stuck: false, range: false, spike: false, rate: false}}
      odometer: {kind: counter, unit: m, period: 10 s}
      door: {kind: state, states: [open, closed], period: 10 s}
      level: {unit: "%", reporting: on_change}
    events:
      mission: {numbered: true}
kpis:
  k: {name: n, measure: {MEASURE}, target: "TARGET"}
"""
MEAN = "statistic: {channel: temp, stat: mean, quality: %s}"


def plan(measure: str, target: str = ">= 1") -> PlanFile:
    return read_plan(PLAN.replace("MEASURE", measure).replace("TARGET", target).encode())


def refused(measure: str, target: str = ">= 1 %") -> Problem:
    with pytest.raises(PlanProblems) as caught:
        plan(measure, target)
    [problem] = caught.value.problems
    assert problem.line == 21
    assert problem.told("ko")
    return problem


@pytest.mark.parametrize(
    ("written", "tests", "level"),
    [
        ("fail", ("stuck", "range", "spike", "rate"), "fail"),
        ("suspect", ("stuck", "range", "spike", "rate"), "suspect"),
        ("{leave_out: [spike]}", ("spike",), "fail"),
        ("{leave_out: [range, jump], from: suspect}", ("range", "jump"), "suspect"),  # of the channel's own range
        ("{from: suspect}", ("stuck", "range", "spike", "rate"), "suspect"),
    ],
)
def test_it_says_which_tests_and_from_which_level(written: str, tests: tuple[str, ...], level: str) -> None:
    quality = quality_of(plan(MEAN % written, "<= 30 degC").plan.kpis["k"].measure.of)
    assert quality is not None
    assert (quality.tests, quality.from_) == (tests, level)


@pytest.mark.parametrize(
    "measure",
    [
        'share: {while: {channel: temp, value: "> 3 degC"}, quality: fail}',
        "share: {while: {channel: door, in: [open]}, quality: {leave_out: [range]}}",
        "capture: {quality: suspect}",
        "capture: {quality: {leave_out: [stuck]}}",  # the odometer's
    ],
)
def test_every_kind_that_goes_by_values_takes_it(measure: str) -> None:
    assert quality_of(plan(measure, ">= 5 %").plan.kpis["k"].measure.of) is not None


def test_sums_take_it_too() -> None:
    assert quality_of(plan("integral: {channel: temp, quality: fail}", ">= 1 degC*h").plan.kpis["k"].measure.of)
    assert quality_of(plan("increase: {channel: odometer, quality: fail}", ">= 1 m").plan.kpis["k"].measure.of)


@pytest.mark.parametrize(
    ("measure", "code", "path"),
    [
        (MEAN % "{leave_out: [gap]}", "leave-out-gap", "quality.leave_out[0]"),
        (MEAN % "{leave_out: [spike, clock]}", "leave-out-clock", "quality.leave_out[1]"),
        (MEAN % "{leave_out: [spikes]}", "leave-out-unknown", "quality.leave_out[0]"),
        (MEAN % "{leave_out: []}", "at-least", "quality.leave_out"),
        (MEAN % "{leave_out: [spike], from: missing}", "one-of", "quality.from"),
        (MEAN % "{level: fail}", "unknown-key", "quality.level"),
        (MEAN % "bad", "leave-out", "quality"),
        (MEAN % "true", "leave-out", "quality"),
        (MEAN % "[stuck]", "leave-out", "quality"),
        (MEAN % "{leave_out: [stuck]}", "leave-out-off", "quality.leave_out[0]"),
        (MEAN % "{leave_out: [jump]}", "leave-out-never", "quality.leave_out[0]"),
        ("statistic: {channel: calm, stat: mean, quality: fail}", "leave-out-off", "quality"),
        (
            "statistic: {channel: level, stat: mean, quality: {leave_out: [stuck]}}",
            "leave-out-periodic",
            "quality.leave_out[0]",
        ),
        (
            "share: {while: {channel: door, in: [open]}, quality: {leave_out: [stuck, range]}}",
            "leave-out-state",
            "quality.leave_out[0]",
        ),
        ("capture: {channels: [temp, calm], quality: {leave_out: [stuck]}}", "leave-out-off", "quality.leave_out[0]"),
        ("availability: {quality: fail}", "leave-out-measure", ""),
        ("event_ratio: {event: mission, success: {ok: true}, quality: fail}", "leave-out-measure", ""),
        ("count: {event: mission, quality: {leave_out: [stuck]}}", "leave-out-measure", ""),
    ],
)
def test_what_leaves_nothing_out_is_refused_with_its_line(measure: str, code: str, path: str) -> None:
    targets = {
        "statistic": "<= 3 %" if "level" in measure and "level:" not in measure else "<= 30 degC",
        "count": "<= 3 건",
    }
    problem = refused(measure, targets.get(measure.partition(":")[0], ">= 5 %"))
    assert problem.code == code
    assert problem.path == f"kpis.k.measure.{measure.partition(':')[0]}{'.' if path else ''}{path}"


@pytest.mark.parametrize(("before", "after"), [("fail", "suspect"), ("fail", "{leave_out: [spike]}")])
def test_a_change_of_it_takes_an_amendment(before: str, after: str) -> None:
    old, new = plan(MEAN % before, "<= 30 degC").plan, plan(MEAN % after, "<= 30 degC").plan
    assert {change.effect for change in diff(old, new)} == {"contract"}
    assert {fault.code for fault in refusals(old, new, datetime(2026, 1, 1, tzinfo=UTC))} == {"amendment-needed"}
    bare = plan("statistic: {channel: temp, stat: mean}", "<= 30 degC").plan
    assert {change.effect for change in diff(bare, new)} == {"contract"}


def test_planning_help_is_that_of_the_same_measure_without_it() -> None:
    plans = [
        plan(f"statistic: {{channel: temp, stat: mean{more}}}", "<= 30 degC").plan for more in (", quality: fail", "")
    ]
    assert len({repr([one.levels for one in planning(each).outlooks]) for each in plans}) == 1
