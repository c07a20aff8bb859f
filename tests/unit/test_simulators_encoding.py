"""Both ends meet in each protocol: what a scenario writes, the intake reads as what the loader writes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from core.window import instant, micros
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Message, message_flags
from ingest.planned import planned
from ingest.routing import Routes
from simulators.demo import DEMO_SCENARIOS, demo_plans
from simulators.encoding import Said, encoder_of
from simulators.scenario.records import Event, Link
from simulators.site import Site
from telemetry.batch import EventRecord

PLANS = {name: read_plan(text.encode(), name=name).plan for name, text in demo_plans(date(2026, 7, 31)).items()}
FOREIGN = ["demo-air", "demo-robot", "demo-drone"]
TO_A_MICROSECOND = {"demo-air": 0, "demo-robot": 0, "demo-drone": 5}
"""MAVLink: frames without a time follow those with one, a microsecond each."""
RESOLUTION = {"demo-air": 0.0, "demo-robot": 0.0, "demo-drone": 2e-7}
"""Half of MAVLink's float for speeds, and what 1e-7 degrees leave in the last bit; the others carry whole doubles."""


def said(plan: Plan, start: datetime, end: datetime) -> Iterator[tuple[int, Said]]:
    """Everything that the plan's connections say from greeting to farewell, with the instant at which it is said."""
    scenario = DEMO_SCENARIOS[plan.pilot]
    connections = {slot: plan.connection_of(slot)[0] for slot in plan.slots}
    encoders = {name: encoder_of(plan, name) for name in dict.fromkeys(connections.values())}
    for name, encoder in encoders.items():
        online = {slot: scenario.is_online(plan, slot, start) for slot in plan.slots_of(name)}
        yield from ((micros(start), one) for one in encoder.greeting(micros(start), online))
    for utterance in Site(scenario).utterances(plan, start, end):
        yield from ((utterance.at_us, one) for one in encoders[connections[utterance.slot]].say(utterance))
    for encoder in encoders.values():
        yield from ((micros(end), one) for one in encoder.farewell(micros(end)))


def bindings(plan: Plan) -> list[ConnectionBinding]:
    return planned(
        pilot=plan.pilot,
        start_us=plan.window.start_us,
        end_us=plan.window.end_us,
        connections=plan.connections,
        slots=plan.slots,
    )


def heard(plan: Plan, messages: Iterator[tuple[int, Said]]) -> Decoded:
    """What the intake makes of it, each message received when it is said, as one batch."""
    routes, out = Routes(bindings(plan)), Decoded()
    for at_us, one in messages:
        route = routes.find(one.topic.encode())
        assert route.decoder is not None, (one.topic, route.detail)
        flags = message_flags(retain=False, qos=one.qos)
        route.decoder.decode(Message(topic=one.topic, payload=one.payload, received_us=at_us, flags=flags), out)
    return out


def told(record: EventRecord | Event) -> tuple[object, ...]:
    attributes = json.loads(record.attributes) if isinstance(record, EventRecord) else dict(record.attributes)
    return record.kind, record.id, record.phase, record.number, record.at_us, attributes


@pytest.fixture(scope="module", params=FOREIGN)
def both(request: pytest.FixtureRequest) -> tuple[Plan, datetime, datetime, Decoded]:
    plan = PLANS[request.param]
    start = plan.window.start + timedelta(hours=6)
    end = start + timedelta(days=8, hours=5)
    return plan, start, end, heard(plan, said(plan, start, end))


def test_the_readings_are_those_of_the_loader(both: tuple[Plan, datetime, datetime, Decoded]) -> None:
    plan, start, end, out = both
    assert (out.rejected, out.quarantined, out.memory.commands) == ([], [], [])
    ids = {channel.channel_id: (slot.name, channel.name)
           for binding in bindings(plan) for slot in binding.slots for channel in slot.channels}  # fmt: skip
    found: dict[tuple[str, str], list[tuple[int, float]]] = {of: [] for of in ids.values()}
    for channel_id, observed_us, value in zip(out.channel_id, out.observed_us, out.value, strict=True):
        found[ids[channel_id]].append((observed_us, value))
    for slot in plan.slots:
        loaded = Site(DEMO_SCENARIOS[plan.pilot]).readings(plan, slot, start, end)
        for place, name in enumerate(loaded.channels):
            chosen = loaded.channel == place
            wanted = list(zip(loaded.observed_us[chosen].tolist(), loaded.value[chosen].tolist(), strict=True))
            read = list(dict.fromkeys(found[slot, name]))  # a birth tells the last value again
            assert len(read) == len(wanted) > 1_000
            late = TO_A_MICROSECOND[plan.pilot]
            assert all(0 <= one[0] - other[0] <= late for one, other in zip(read, wanted, strict=True))
            assert [value for _, value in read] == pytest.approx(
                [value for _, value in wanted], rel=RESOLUTION[plan.pilot], abs=0
            )


def test_the_events_are_those_of_the_loader(both: tuple[Plan, datetime, datetime, Decoded]) -> None:
    plan, start, end, out = both
    site = Site(DEMO_SCENARIOS[plan.pilot])
    for slot_id, slot in [(one.slot_id, one.name) for binding in bindings(plan) for one in binding.slots]:
        read = [told(record) for record in out.events if record.slot_id == slot_id]
        wanted = [told(event) for event in site.events(plan, slot, start, end)]
        assert sorted(read, key=str) == sorted(wanted, key=str)
        assert bool(wanted) == bool(plan.slots[slot].events)


def test_the_links_are_those_of_the_loader(both: tuple[Plan, datetime, datetime, Decoded]) -> None:
    plan, start, end, out = both
    if plan.pilot == "demo-drone":
        pytest.skip("a silence is told by waiting, which no message does")
    site, all_between = Site(DEMO_SCENARIOS[plan.pilot]), 0
    for slot_id, slot in [(one.slot_id, one.name) for binding in bindings(plan) for one in binding.slots]:
        read = [(record.at_us, record.state) for record in out.link_states if record.slot_id == slot_id]
        between = [(link.at_us, link.state) for link in site.links(plan, slot, start, end)]
        assert read == [(micros(start), "online"), *between, (micros(end), "offline")]
        all_between += len(between)
    assert all_between > 2


def test_no_number_is_missing_or_told_twice(both: tuple[Plan, datetime, datetime, Decoded]) -> None:
    _, _, _, out = both
    by_boot: dict[tuple[int, str], list[int]] = {}
    for connection_id, boot, number in out.sequences:
        by_boot.setdefault((connection_id, boot), []).append(number)
    assert by_boot
    for numbers in by_boot.values():
        first = min(numbers)
        assert sorted(numbers) == list(range(first, first + len(numbers)))


@pytest.mark.parametrize("pilot", FOREIGN)
def test_a_site_that_begins_amid_a_mission_knows_of_it(pilot: str) -> None:
    plan, scenario = PLANS[pilot], DEMO_SCENARIOS[pilot]
    at = plan.window.start + timedelta(days=3, hours=14, minutes=37)
    quiet = scenario.quiet(plan, at)
    assert quiet <= at
    assert scenario.quiet(plan, quiet) == quiet
    for slot in plan.slots:
        begun = {
            event.id for event in scenario.events_of(plan, slot, plan.window.start, quiet) if event.phase == "start"
        }
        ended = {event.id for event in scenario.events_of(plan, slot, plan.window.start, quiet) if event.phase == "end"}
        assert begun == ended


def test_whatever_happens_in_a_mission_is_measured_at_the_same_instant() -> None:
    plan = PLANS["demo-robot"]
    start = plan.window.start + timedelta(hours=9)
    found = list(Site(DEMO_SCENARIOS["demo-robot"]).utterances(plan, start, start + timedelta(hours=12)))
    assert [one.order for one in found] == sorted(one.order for one in found)
    measured = {(one.slot, one.at_us) for one in found if not isinstance(one.what, Event | Link)}
    assert all((one.slot, one.at_us) in measured for one in found if isinstance(one.what, Event))
    assert instant(found[0].at_us) >= start
