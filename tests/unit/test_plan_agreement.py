"""Plans that compare with a reference: whose slots are, and what can be compared."""

from __future__ import annotations

import pytest

from devices.plan.diff import diff
from devices.plan.model import Plan
from devices.plan.predicate import slots_in_effect, slots_read
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from kpi.planning.outlook import cautions, planning

PLAN = """
pilot: hall
title: t
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2025-03-01, end: 2025-12-01}
evaluation: {data_until: 2025-11-01, meeting: 2025-12-01}
product: {name: P}
connections:
  gw: {}
  met: {side: outside}
slots:
  a:
    connection: gw
    device: {serial: a1}
    channels:
      pm25: {unit: ug/m^3, period: 10 min}
      cars: {unit: 대, kind: counter, period: 1 min}
      temp: {unit: degC, period: 10 min}
      mode: {kind: state, states: [on, off], reporting: on_change}
  bam:
    connection: met
    certificate: {number: KTL-1, date: 2025-01-10, valid_until: 2026-01-09}
    device: {serial: bam1}
    channels:
      pm25: {unit: mg/m^3, period: 1 h, uncertainty: {relative: 10 %}}
      cars: {unit: 대, period: 5 min}
      temp: {unit: degC, period: 10 min}
kpis:
  acc: {name: n, measure: {agreement: {MEASURE}}, target: "TARGET"}
"""
PM25 = "channel: pm25, reference: {slot: bam, channel: pm25}"
TEMP = "channel: temp, reference: {slot: bam, channel: temp}"
CARS = "channel: cars, reference: {slot: bam, channel: cars}"


def plan_of(measure: str, target: str = "> 80 %", *changes: tuple[str, str]) -> Plan:
    text = PLAN.replace("MEASURE", measure).replace("TARGET", target)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return read_plan(text.encode()).plan


def codes(measure: str, target: str = "> 80 %", *changes: tuple[str, str]) -> list[str]:
    with pytest.raises(PlanProblems) as told:
        plan_of(measure, target, *changes)
    return [one.code for one in told.value.problems]


def test_the_catalogues_own_words_are_taken() -> None:
    measure = f'{PM25}, average: 1 h, coverage: 75 %, where_reference: ">= 10 ug/m^3", stat: relative_error'
    plan = plan_of(measure)
    assert slots_in_effect(plan, plan.kpis["acc"]) == ("a",)
    assert slots_read(plan, plan.kpis["acc"]) == ("a", "bam")
    assert plan.owner_of("bam") == "outside" and plan.owner_of("a") == "company"


@pytest.mark.parametrize(
    ("measure", "target", "code"),
    [
        (f"{PM25}, stat: mae", "<= 3 ug/m^3", "agreement-paired"),
        (f"{PM25}, average: 7 h, stat: r2", "> 0.8", "agreement-average"),
        (f"{PM25}, average: 10 min, stat: r2", "> 0.8", "agreement-period"),
        (f"{PM25}, within: 2 s, coverage: 75 %, stat: mae", "<= 3 ug/m^3", "agreement-within"),
        (f"{PM25}, average: 1 h, coverage: 120 %, stat: mae", "<= 3 ug/m^3", "agreement-coverage"),
        (f"{PM25}, average: 1 h, stat: r3", "> 0.8", "agreement-stat"),
        (f"{PM25}, average: 1 h, stat: mae", "<= 5 %", "target-unit"),
        (f"{PM25}, average: 1 h, stat: mae", ">= 0 ug/m^3", "target-negative"),
        (f"{PM25}, average: 1 h, stat: r2", "<= 2", "target-negative"),
        (f"{TEMP}, average: 1 h, stat: mape", "<= 5 %", "agreement-scale"),
        (f"{CARS}, average: 5 min, stat: mape", "<= 5 %", "agreement-kinds"),
        (
            "channel: mode, reference: {slot: bam, channel: temp}, average: 1 h, stat: mae",
            "<= 5 degC",
            "agreement-state",
        ),
        (
            "channel: pm25, reference: {slot: bam, channel: temp}, average: 1 h, stat: mae",
            "<= 5 ug/m^3",
            "agreement-unit",
        ),
        (
            "channel: pm25, reference: {slot: bam, channel: co2}, average: 1 h, stat: mae",
            "<= 5 ug/m^3",
            "channel-not-at",
        ),
        ("channel: pm25, reference: {slot: no, channel: pm25}, average: 1 h, stat: mae", "<= 5 ug/m^3", "slot-unknown"),
        (f"{PM25}, average: 1 h, stat: mae, slots: [bam]", "<= 3 ug/m^3", "slot-not-companys"),
        (f'{PM25}, average: 1 h, stat: mae, where_reference: ">= 10 degC"', "<= 3 ug/m^3", "condition-unit"),
    ],
)
def test_each_mistake_is_told_by_its_rule(measure: str, target: str, code: str) -> None:
    assert code in codes(measure, target)


def test_a_reference_of_the_companys_own_is_refused_or_warned_of() -> None:
    own = ("  met: {side: outside}", "  met: {}")
    assert codes(f"{PM25}, average: 1 h, stat: mae", "<= 3 ug/m^3", own) == ["reference-own"]
    agreed = "channel: pm25, reference: {slot: bam, channel: pm25, by: company}, average: 1 h, stat: mae"
    plan = plan_of(agreed, "<= 3 ug/m^3", own)
    assert [one.code for one in cautions(plan) if one.code.startswith("reference")] == ["reference_own"]
    assert codes(agreed, "<= 3 ug/m^3") == ["reference-not-own"]
    assert slots_in_effect(plan, plan.kpis["acc"]) == ("a",)


def test_nobody_speaks_for_what_it_is_compared_with() -> None:
    shared = ("    connection: met\n", "    connection: gw\n    owner: team\n")
    unused = ("  met: {side: outside}\n", "")
    assert codes(f"{PM25}, average: 1 h, stat: mae", "<= 3 ug/m^3", shared, unused) == ["connection-owners"]


def test_what_vouches_for_it_is_looked_at_before() -> None:
    plan = plan_of(
        f"{PM25}, average: 1 h, stat: mae", "<= 3 ug/m^3", ("valid_until: 2026-01-09", "valid_until: 2025-06-01")
    )
    assert "reference_expires" in [one.code for one in cautions(plan)]
    [outlook] = planning(plan).outlooks
    assert [one.code for one in outlook.warnings] == ["not_reckoned"]


def test_whose_a_slot_is_changes_by_amendment_and_a_renewed_certificate_does_not() -> None:
    before = plan_of(f"{PM25}, average: 1 h, stat: mae", "<= 3 ug/m^3")
    renewed = plan_of(f"{PM25}, average: 1 h, stat: mae", "<= 3 ug/m^3", ("number: KTL-1", "number: KTL-2"))
    assert [(one.path, one.effect) for one in diff(before, renewed)] == [("slots.bam.certificate.number", "registry")]
    owned = plan_of(
        f"{PM25}, average: 1 h, stat: mae",
        "<= 3 ug/m^3",
        ("    connection: met\n", "    connection: met\n    owner: team\n"),
    )
    assert ("slots.bam.owner", "contract") in [(one.path, one.effect) for one in diff(before, owned)]
