"""The plans of the documentation are plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devices.plan.reader import read_plan

DOCS = Path(__file__).parents[2] / "docs"
HEAD = """\
pilot: p
title: t
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: p}
kpis:
  up: {name: n, measure: {availability: {}}, target: ">= 95 %", weight: 100}
"""


def examples(file: str, heading: str) -> list[str]:
    """The YAML under a heading."""
    text = (DOCS / file).read_text(encoding="utf-8")
    section = re.split(r"^## ", text[text.index(f"\n## {heading}") + 1 :], flags=re.MULTILINE)[1]
    return re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("heading", ["JSON as it comes", "SenML", "oneM2M", "Sparkplug B 3.0"])
def test_the_example_of_a_protocol_is_valid(heading: str) -> None:
    [example] = examples("protocols.md", heading)
    assert read_plan((HEAD + example).encode()).plan.slots


def test_the_example_of_a_device_template_is_valid(tmp_path: Path) -> None:
    slots, template = examples("plan.md", "Device templates")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "acme-ca200.yaml").write_text(template, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(HEAD + slots, encoding="utf-8")

    slot = read_plan(tmp_path / "plan.yaml").plan.slots["platform-2"]
    assert list(slot.channels) == ["pm25", "fan", "fan_power"]
    assert slot.topics == ("acme/0012/up",)
    assert slot.channels["pm25"].source == "air.pm25"
    assert slot.events["alarm"].numbered
