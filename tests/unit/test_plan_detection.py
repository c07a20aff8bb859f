"""Detections in a plan: what can be written, and one clear sentence for what cannot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devices.plan.diff import diff, refusals
from devices.plan.predicate import slots_in_effect
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from tests.evaluated import PLAN

SLOTS = """
  a:
    device: {serial: a-1}
    connection: cams
    channels:
      fps: {unit: Hz, period: 10 s}
    events: {fall: {}, fall-truth: {truth: true}, plain: {}}
  b:
    device: {serial: b-1}
    connection: cams
    events: {fall: {}, plain: {}}
  desk:
    device: {serial: pc-1}
    connection: desk
    events: {fall-truth: {truth: true}}
"""
GOOD = (
    "{alerts: fall, merge: 30 s, within: 10 s, truth: {labels: fall-truth, by: site, blinded: true,"
    " sample: {window: 10 min, fraction: 5 %, seed: 7}}, stat: f1}"
)


def plan_text(
    measure: str = GOOD, *, target: str = ">= 0.90", more: str = "", kpis: str = "", side: str = "team"
) -> bytes:
    text = PLAN.format(
        start="2025-03-01", end="2025-12-01", zone="Asia/Seoul", interim="", until="2025-11-01", slots=SLOTS,
        kpis=f'  f1: {{name: F1, measure: {{detection: {measure}}}, target: "{target}"{more}}}\n{kpis}',
    )  # fmt: skip
    return (text + f"connections:\n  cams: {{}}\n  desk: {{side: {side}}}\n").encode()


def codes(source: bytes) -> list[str]:
    try:
        read_plan(source)
    except PlanProblems as found:
        assert all(problem.line > 0 and problem.told("ko") for problem in found.problems)
        return [problem.code for problem in found.problems]
    return []


def test_the_catalogue_s_own_text_is_a_plan() -> None:
    kpis = (
        '  time: {name: t, measure: {event_duration: {match: f1, missed: infinite, stat: p95}}, target: "<= 15 s"}\n'
        "  rate: {name: r, measure: {event_rate: {match: f1, outcome: false_alarm, per: 1 camera-day}},"
        ' target: "<= 3 / camera-day"}\n'
        '  none: {name: n, measure: {count: {match: f1, outcome: missed}}, target: "== 0"}\n'
    )
    plan = read_plan(plan_text(kpis=kpis)).plan
    assert plan.kpis["f1"].scope == "capability" and plan.kpis["f1"].rule == "confident"
    assert {name: slots_in_effect(plan, kpi) for name, kpi in plan.kpis.items()} == dict.fromkeys(plan.kpis, ("a",))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("by: site", "by: company"), "truth-company"), (("by: site", "by: [site, company]"), "truth-company"),
        (("blinded: true", "blinded: false"), "truth-blind"), (("fraction: 5 %", "fraction: 0 %"), "truth-share"),
        (("fraction: 5 %", "fraction: 5 s"), "truth-share"), (("window: 10 min", "window: 1.5 s"), "truth-window"),
        (("within: 10 s", "within: 0 s"), "duration"), (("seed: 7", "seed: seven"), "whole"),
        (("labels: fall-truth", "labels: fall"), "truth-alerts"), (("labels: fall-truth", "labels: plain"), "truth-kind"),
        (("alerts: fall,", "alerts: fell,"), "event-unknown"), (("labels: fall-truth", "labels: truth"), "event-unknown"),
        (("stat: f1", "stat: f2"), "one-of"), (("within: 10 s, ", ""), "missing"),
        (("alerts: fall,", "alerts: fall, slots: [b],"), "event-not-at"), (("stat: f1", "stat: f1, fuzzy: 1"), "unknown-key"),
    ],
)  # fmt: skip
def test_one_clear_error_for_each_mistake(change: tuple[str, str], code: str) -> None:
    assert code in codes(plan_text(GOOD.replace(*change)))


@pytest.mark.parametrize(
    ("kpi", "code"),
    [
        ("{count: {match: f2, outcome: missed}}", "match-unknown"), ("{count: {match: f1}}", "match-outcome"),
        ("{count: {event: fall, outcome: missed}}", "match-outcome"), ("{count: {}}", "match-or-event"),
        ("{count: {event: fall, match: f1, outcome: missed}}", "match-or-event"),
        ("{event_duration: {match: f1, where: {a: 1}, stat: max}}", "match-or-event"),
    ],
)  # fmt: skip
def test_a_match_is_of_a_detection(kpi: str, code: str) -> None:
    target = "<= 5 s" if "duration" in kpi else "<= 5 건"
    assert code in codes(plan_text(kpis=f'  two: {{name: n, measure: {kpi}, target: "{target}"}}\n'))


def test_a_sample_is_of_a_capability_and_a_bare_90_is_no_target() -> None:
    assert codes(plan_text(more=", scope: period")) == ["truth-sampled"]
    assert codes(plan_text(target=">= 90")) == ["target-share"]
    assert codes(plan_text(target=">= 90 %")) == []
    bounded = '  n: {name: n, measure: {count: {match: f1, outcome: missed}}, target: "<= 5 건", decision: confident}\n'
    assert codes(plan_text(kpis=bounded)) == ["truth-sampled"]


def test_who_labels_and_how_it_is_matched_changes_by_amendment_only() -> None:
    before, after = read_plan(plan_text()).plan, read_plan(plan_text(GOOD.replace("10 s", "20 s"), side="site")).plan
    assert {change.path: change.effect for change in diff(before, after)} == {
        "kpis.f1.measure.detection.within": "contract", "connections.desk.side": "contract",
    }  # fmt: skip
    assert {fault.code for fault in refusals(before, after, datetime(2025, 4, 1, tzinfo=UTC))} == {"amendment-needed"}
