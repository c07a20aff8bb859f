"""Flights: counted once, whatever ends in between, and judged by the measures as events of any other device."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.window import instant
from ingest.message import Decoded
from kpi.measures import event_duration, event_ratio
from kpi.measures.happenings import Happening
from tests.mavlinking import AT_S, Ground, Vehicle

US = AT_S * 1_000_000
DAY_US = 86_400_000_000


def happenings(outs: list[Decoded]) -> list[Happening]:
    return [
        Happening(id=e.id, phase=e.phase, number=e.number, at_us=e.at_us, attributes=json.loads(e.attributes))
        for out in outs
        for e in out.events
        if e.kind == "flight"
    ]


def fly(ground: Ground, v: Vehicle, *, seconds: int, metres: float = 20.0, fail: bool = False) -> list[Decoded]:
    """One flight, told frame by frame."""
    boot_ms = (ground.now_us - US) // 1000 + 10_000
    outs = [ground.hear(v.system_time(ground.now_us, boot_ms), v.beat(), v.beat(armed=True))]
    for second in range(1, seconds):
        ground.now_us += 1_000_000
        outs.append(ground.hear(v.position(boot_ms + second * 1_000, 37.5 + second * 1e-4, 127.0, metres)))
        outs.append(ground.hear(v.beat(armed=True, state=6 if fail and second == 2 else 4)))
    ground.now_us += 1_000_000
    outs.append(ground.hear(v.position(boot_ms + seconds * 1_000, 37.5, 127.0, 0.0), v.beat()))
    ground.now_us += 10_000_000
    return outs


def test_flights_are_judged_as_missions_are() -> None:
    ground, v, outs = Ground(), Vehicle(), []
    for place in range(10):
        outs += fly(ground, v, seconds=30 + place, fail=place == 7)
    rules = event_ratio.Rules(numbered=False, phased=True, where={"flown": True}, success={"result": "completed"})
    judged = event_ratio.outcomes(happenings(outs), rules, until_us=US + 2 * DAY_US)
    assert [one.success for one in judged] == [place != 7 for place in range(10)]
    lasted = event_duration.durations(happenings(outs), numbered=False, where={}, until_us=US + 2 * DAY_US)
    assert [one.duration_us for one in lasted] == [pytest.approx((30 + place) * 1e6, abs=20) for place in range(10)]


def test_a_flight_goes_on_over_a_collector_that_ended_and_is_delivered_again_in_vain() -> None:
    ground, v = Ground(), Vehicle()
    payloads = [v.system_time(US, 10_000), v.beat(), v.beat(armed=True), v.position(11_000, 37.5, 127.0, 9.0)]
    first = ground.hear(*payloads)
    other = Ground()
    other.memory, other.now_us = ground.memory, ground.now_us + 20_000_000
    again = other.hear(*payloads, redelivered=True)
    last = other.hear(v.position(31_000, 37.5, 127.0, 4.0), v.beat())
    found = happenings([first, again, last])
    assert [(one.phase, one.id) for one in found] == [("start", found[0].id), ("end", found[0].id)]
    assert found[1].attributes["max_altitude_m"] == 9.0


def test_a_batch_that_is_decoded_twice_gives_a_flight_the_same_id() -> None:
    v = Vehicle()
    payloads = [v.system_time(US, 10_000), v.beat(), v.beat(armed=True), v.beat()]
    one, other = Ground().hear(*payloads), Ground().hear(*payloads)
    assert one.events == other.events and len({event.id for event in one.events}) == 1


def test_a_flight_that_nobody_saw_ending_is_no_success() -> None:
    ground, v = Ground(), Vehicle()
    out = ground.hear(v.system_time(US, 10_000), v.beat(), v.beat(armed=True))
    rules = event_ratio.Rules(numbered=False, phased=True, where={}, success={"result": "completed"})
    (judged,) = event_ratio.outcomes(happenings([out]), rules, until_us=US + 2 * DAY_US)
    assert (judged.success, judged.kind) == (False, "never_closed")
    ground.now_us += 3_600_000_000
    restarted = Vehicle(seq=40)
    (ended,) = happenings([ground.hear(restarted.system_time(US + 3_600_000_000, 2_000), restarted.beat())])
    assert (ended.attributes["result"], ended.attributes["why"]) == ("lost", "restart")
    assert instant(ended.at_us) == instant(out.events[0].at_us)


def test_a_second_vehicle_does_not_end_the_first_ones_flight() -> None:
    ground = Ground(select={})
    one, other = Vehicle(1), Vehicle(2)
    out = ground.hear(one.beat(), one.beat(armed=True), other.beat(), one.beat(armed=True), one.beat())
    assert [event.phase for event in out.events] == ["start", "end"]


def test_events_that_the_plan_does_not_name_are_passed_over() -> None:
    v, ground = Vehicle(), Ground(events=("alert",))
    told: list[Any] = ground.hear(
        v.beat(), v.beat(armed=True), v.statustext(6, b"info"), v.statustext(3, b"bad"), v.beat()
    ).events
    assert [(event.kind, json.loads(event.attributes)["text"]) for event in told] == [("alert", "bad")]


def test_interventions_are_modes_that_a_person_steers_in() -> None:
    v, ground = Vehicle(), Ground()
    modes = [3, 5, 3, 6, 5, 5, 9]  # AUTO, LOITER, AUTO, RTL, LOITER, LOITER, LAND
    out = ground.hear(v.beat(), *(v.beat(armed=True, mode=mode) for mode in modes), v.beat(mode=9))
    assert json.loads(out.events[-1].attributes)["interventions"] == 2
