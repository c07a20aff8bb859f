"""The shipped device templates: a plan that names one reads the very message that its comment shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.window import instant, micros
from devices.plan.instrument import class_default, instrument_of
from devices.plan.model import Plan
from devices.plan.profile_files import shipped
from devices.plan.reader import read_plan
from devices.plan.shipped import shipped_profiles, shipped_source
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols import PROTOCOLS

FOLDER = Path(__file__).parents[2] / "devices" / "profiles"
PLAN = """\
pilot: p
title: t
kind: rnd
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: 2026-03-01, end: 2027-03-01}}
evaluation: {{data_until: 2027-02-01, meeting: 2027-02-10}}
product: {{name: p}}
slots:
  hall: {{profile: {profile}, device: {{serial: {serial}}}}}
kpis:
  up: {{name: n, measure: {{availability: {{}}}}, target: ">= 95 %", weight: 100}}
"""
SAID = {
    "air-quality-node": (
        "CA-0001",
        "tele/CA-0001/SENSOR",
        "2026-03-02T00:00:00",
        {"pm1": 6, "pm25": 9, "pm10": 12, "co2": 614, "temperature": 21.7, "humidity": 48.3},
    ),
    "power-meter": (
        "PM-0001",
        "tele/PM-0001/SENSOR",
        "2026-03-02T00:00:00",
        {"energy": 128.451, "power": 236, "voltage": 221, "current": 1.135, "power_factor": 0.94},
    ),
    "people-counter": (
        "24e124600d123456",
        "application/1/device/24e124600d123456/event/up",
        "2026-03-02T00:10:00.482133",
        {"people_in": 5210, "people_out": 5187, "period_in": 31, "period_out": 28, "present": 3},
    ),
}
"""Serial number, topic, UTC, and what a person reads from the comment's message, in canonical units."""


def using(name: str) -> tuple[Plan, list[ConnectionBinding]]:
    plan = read_plan(PLAN.format(profile=name, serial=SAID[name][0]).encode()).plan
    window = plan.window
    bound = planned(
        pilot="p", start_us=window.start_us, end_us=window.end_us, connections=plan.connections, slots=plan.slots
    )
    return plan, bound


def shown(name: str) -> str:
    """The message in a template's comment."""
    comment = "\n".join(
        line.removeprefix("#") for line in shipped_source(name).decode().splitlines() if line.startswith("#")
    )
    found = re.search(r"\{.*\}", comment, re.DOTALL)
    assert found is not None
    return found[0]


def decoded(bound: list[ConnectionBinding], topic: str, payload: bytes) -> Decoded:
    [binding] = bound
    decoder = PROTOCOLS[binding.protocol](binding).decoder(topic)
    assert decoder is not None
    out = Decoded()
    received_us = micros(instant(binding.start_us)) + 40 * 86_400_000_000
    decoder.decode(Message(topic=topic, payload=payload, received_us=received_us, flags=0), out)
    return out


def test_each_one_is_tried_here_and_described_in_the_documentation() -> None:
    assert set(SAID) == set(shipped()) == {path.stem for path in FOLDER.glob("*.yaml")}
    documentation = (FOLDER.parents[1] / "docs" / "plan.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documentation for name in shipped())


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_plan_reads_the_message_of_the_comment(name: str) -> None:
    _, topic, at, values = SAID[name]
    plan, bound = using(name)
    json.loads(shown(name))
    out = decoded(bound, topic, shown(name).encode())

    names = {channel.channel_id: channel.name for channel in bound[0].slots[0].channels}
    assert dict(zip((names[one] for one in out.channel_id), out.value, strict=True)) == values
    assert {instant(us).isoformat().removesuffix("+00:00") for us in out.observed_us} == {at}
    assert not out.rejected
    assert not out.quarantined
    assert set(values) == set(plan.slots["hall"].channels)
    for key, value in values.items():
        low, high = plan.slots["hall"].channels[key].range or (0, 0)
        assert low <= value <= high


@pytest.mark.parametrize("name", ["air-quality-node", "power-meter"])
def test_the_link_is_told_in_plain_text(name: str) -> None:
    _, bound = using(name)
    out = decoded(bound, f"tele/{SAID[name][0]}/LWT", b"Offline")
    assert [(one.state, one.origin) for one in out.link_states] == [("offline", "will")]


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_quantity_whose_class_is_known_says_no_smaller_uncertainty(name: str) -> None:
    for key, channel in shipped_profiles()[name].channels.items():
        default = class_default(channel.canonical_unit)
        if default is None or key == "pm1":  # the directive speaks of PM10 and PM2.5
            assert instrument_of(channel).basis == ("class" if key == "pm1" else "unknown")
            continue
        assert channel.uncertainty is not None
        found = instrument_of(channel)
        assert found.basis == "class"
        assert found.against is not None
        own, alone = found.against.at(20.0, channel.canonical_unit), default.absolute + default.relative * 20.0
        assert own >= alone * (1 - 1e-9)
