"""Both ends meet: what a scenario writes, the intake reads, and to the last bit as what the loader writes of it."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from devices.plan.model import Plan
from devices.plan.reader import read_plan
from ingest.binding import ConnectionBinding, SlotBinding, channel_binding
from ingest.message import Decoded, Message
from ingest.protocols.json.decoder import JsonConnection
from simulators.demo import DEMO_SCENARIOS, demo_plans
from simulators.encoding.native import NativeSlot
from simulators.live import messages
from simulators.scenario import AirQuality, DeliveryRobot
from tests.native import native_plan

TODAY = date(2026, 7, 31)
TEXTS = {
    "native-air": native_plan("air", TODAY),
    "native-robot": native_plan("robot", TODAY),
    "demo-park": demo_plans(TODAY)["demo-park"],
}
PLANS = {name: read_plan(text.encode(), name=name).plan for name, text in TEXTS.items()}
SCENARIOS = {"native-air": AirQuality(), "native-robot": DeliveryRobot(), "demo-park": DEMO_SCENARIOS["demo-park"]}


def bindings(plan: Plan) -> tuple[JsonConnection, dict[int, tuple[str, str]]]:
    """One connection for the whole plan, and which slot and channel each id stands for."""
    ids: dict[int, tuple[str, str]] = {}
    slots = []
    for slot_id, (slot, definition) in enumerate(plan.slots.items()):
        channels = []
        for name, channel in definition.channels.items():
            ids[len(ids)] = (slot, name)
            options = channel.model_dump(exclude_none=True)
            channels.append(
                channel_binding(
                    channel_id=len(ids) - 1,
                    name=name,
                    kind=channel.kind,
                    unit=channel.canonical_unit,
                    options=options,
                )
            )
        slots.append(
            SlotBinding(slot_id=slot_id, name=slot, channels=tuple(channels), events=frozenset(definition.events))
        )
    binding = ConnectionBinding(
        connection_id=1, name="c", pilot_id=1, pilot=plan.pilot, protocol="json", start_us=plan.window.start_us,
        end_us=plan.window.end_us, slots=tuple(slots),
    )  # fmt: skip
    return JsonConnection(binding), ids


@pytest.mark.parametrize("pilot", PLANS)
def test_what_is_sent_is_stored_as_what_is_loaded(pilot: str) -> None:
    plan, scenario = PLANS[pilot], SCENARIOS[pilot]
    connection, ids = bindings(plan)
    start, end = plan.window.start, plan.window.start + timedelta(days=4)
    out = Decoded()
    for sent in messages(scenario, plan, start, end):
        decoder = connection.decoder(sent.topic)
        assert decoder is not None
        decoder.decode(Message(topic=sent.topic, payload=sent.payload, received_us=sent.at_us + 100_000), out)
    assert (out.rejected, out.quarantined, out.arrivals) == ([], [], [])
    stored: dict[tuple[str, str], list[tuple[int, float]]] = {of: [] for of in ids.values()}
    for channel_id, observed_us, value in zip(out.channel_id, out.observed_us, out.value, strict=True):
        stored[ids[channel_id]].append((observed_us, value))
    for slot_id, slot in enumerate(plan.slots):
        loaded = scenario.readings(plan, slot, start, end)
        for index, name in enumerate(loaded.channels):
            chosen = loaded.channel == index
            pairs = zip(loaded.observed_us[chosen].tolist(), loaded.value[chosen].tolist(), strict=True)
            assert stored[slot, name] == list(pairs) != []
        events = [record for record in out.events if record.slot_id == slot_id]
        assert [
            (record.at_us, record.kind, record.id, record.phase, record.number, json.loads(record.attributes))
            for record in events
        ] == [
            (event.at_us, event.kind, event.id, event.phase, event.number, dict(event.attributes))
            for event in scenario.events(plan, slot, start, end)
        ]
        links = [(state.at_us, state.state) for state in out.link_states if state.slot_id == slot_id]
        assert links == [(link.at_us, link.state) for link in scenario.links(plan, slot, start, end)]
    assert {state.origin for state in out.link_states} <= {"status"}


def test_the_will_speaks_for_every_slot_of_its_connection() -> None:
    plan = PLANS["native-air"]
    connection, _ = bindings(plan)
    encoder, out, received_us = NativeSlot(plan, "platform-1"), Decoded(), plan.window.start_us + 1
    decoder = connection.decoder(encoder.status_topic)
    assert decoder is not None
    decoder.decode(Message(topic=encoder.status_topic, payload=encoder.will(), received_us=received_us), out)
    assert [(link.slot_id, link.state, link.origin, link.at_us) for link in out.link_states] == [
        (slot_id, "offline", "will", received_us) for slot_id in range(3)
    ]
