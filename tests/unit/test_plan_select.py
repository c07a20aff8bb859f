"""What slots select by, protocol by protocol: a key or value that never could match is told before anybody goes on site."""

from __future__ import annotations

import pytest

from devices.plan.reader import read_plan
from tests.refused import problems_of

PLAN = """\
pilot: p
title: t
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: p}
connections:
  gw: {protocol: PROTOCOL, topics: [x/y]}
slots:
  a: {connection: gw, device: {serial: "1"}, select: SELECT}
kpis:
  up: {name: n, measure: {availability: {}}, target: ">= 95 %", weight: 100}
"""


def plan(protocol: str, select: str) -> str:
    return PLAN.replace("PROTOCOL", protocol).replace("SELECT", select)


@pytest.mark.parametrize(
    ("protocol", "select"),
    [
        ("json", "{device.id: a, n: 3, outdoor: true}"),
        ("onem2m", "{sur: cb-1/s/sub}"),
        ("senml", '{name: "urn:dev:ow:1:"}'),
        ("sparkplug", "{group: G, node: N1, device: D1}"),
        ("sparkplug", "{node: 7}"),
        ("sparkplug", '{device: "1.10"}'),
    ],
)
def test_what_a_protocol_selects_by_is_taken(protocol: str, select: str) -> None:
    assert read_plan(plan(protocol, select).encode()).plan.slots["a"].select


@pytest.mark.parametrize(
    ("protocol", "select", "code", "path", "named"),
    [
        ("sparkplug", "{devise: D1}", "select-key", "slots.a.select.devise", "group, node, device → device?"),
        ("sparkplug", "{device: D1, id: a}", "select-key", "slots.a.select.id", "group, node, device"),
        ("sparkplug", "{group: G}", "select-value", "slots.a.select", "node, device or both"),
        ("sparkplug", "{device: 1.10}", "select-value", "slots.a.select.device", "in quotes"),
        ("sparkplug", "{device: [D1]}", "select-value", "slots.a.select.device", "a word is needed"),
        ("senml", "{prefix: x}", "select-key", "slots.a.select.prefix", "name"),
        ("json", "{id: {a: b}}", "select-value", "slots.a.select.id", "one value is needed"),
        ("json", "{id: }", "select-value", "slots.a.select.id", "one value is needed"),
        ("onem2m", "{sur: [a]}", "select-value", "slots.a.select.sur", "one value is needed"),
    ],
)
def test_what_could_never_match_is_told(protocol: str, select: str, code: str, path: str, named: str) -> None:
    [found] = [one for one in problems_of(plan(protocol, select)) if one.code.startswith("select")]
    assert (found.code, found.path) == (code, path)
    assert named in found.rule
    assert protocol in found.rule
