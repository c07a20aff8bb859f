"""After a long silence: a vehicle that was started anew in it, and one that flew on; a clock that is corrected meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.message import Decoded
from tests.mavlinking import AT_S, Ground, Vehicle

US = AT_S * 1_000_000
S = 1_000_000
DAY = 86_400 * S


def flights(*outs: Decoded) -> list[tuple[str, Any]]:
    return [
        (event.phase, json.loads(event.attributes).get("result", ""))
        for out in outs
        for event in out.events
        if event.kind == "flight"
    ]


def flying(*, knows_the_time: bool = True) -> tuple[Ground, Decoded]:
    """A flight begun at 12:00, 60 s after the start of the vehicle."""
    ground, v = Ground(), Vehicle()
    first = v.system_time(US if knows_the_time else 0, 60_000)
    return ground, ground.hear(first, v.beat(), v.beat(armed=True), v.position(60_500, 37.5, 127.0, 9.0))


def after(ground: Ground, seconds: float) -> int:
    ground.now_us += round(seconds * S)
    return ground.now_us


def test_a_vehicle_that_is_started_anew_in_a_day_of_silence_begins_another_flight() -> None:
    ground, begun = flying()
    now, v = after(ground, 86_400), Vehicle(seq=99)
    # It has run for 100 s: longer than the old start had, when it was last heard.
    out = ground.hear(v.beat(armed=True), v.position(100_000, 37.5, 127.0, 3.0), v.system_time(now, 100_010))
    assert not [event for event in out.events if event.kind == "flight"], "it is not known yet"
    assert set(out.observed_us) <= set(range(now, now + 10)) and set(out.flags) == {1}, "nor is its time"
    later = ground.hear(v.beat(armed=True), v.position(101_000, 37.5, 127.0, 7.0), v.beat())
    assert flights(begun, later) == [("start", ""), ("end", "lost"), ("start", ""), ("end", "completed")]
    lost, second = later.events[0], json.loads(later.events[1].attributes)
    assert lost.at_us < US + S and lost.id == begun.events[0].id and second["joined"] is True
    assert now + 990_000 in later.observed_us


@pytest.mark.parametrize("first", ["beat", "position", "system_time"])
def test_a_vehicle_that_flew_on_through_the_silence_goes_on_with_its_flight(first: str) -> None:
    ground, begun = flying()
    now, v = after(ground, 3_600), Vehicle(seq=99)
    said = {"beat": v.beat(armed=True), "position": v.position(3_660_000, 37.5, 127.0, 3.0)}
    outs = [ground.hear(said.get(first, b"") or v.system_time(now, 3_660_000))]
    outs.append(ground.hear(v.position(3_660_100, 37.5, 127.0, 3.0), v.system_time(now, 3_660_000), v.beat()))
    assert flights(begun, *outs) == [("start", ""), ("end", "completed")]
    assert now + 100_000 in outs[1].observed_us


def test_frames_that_were_kept_for_us_through_our_outage_are_of_the_flight_as_before() -> None:
    ground, begun = flying()
    v = Vehicle(seq=4)
    after(ground, 3_600)  # sent a second after the others, and received now
    out = ground.hear(v.position(61_500, 37.5, 127.0, 9.0), v.beat(armed=True), v.system_time(US + 2 * S, 62_000))
    last = ground.hear(v.position(62_500, 37.5, 127.0, 9.0), v.beat())
    assert flights(begun, out, last) == [("start", ""), ("end", "completed")]
    assert US + 2_500_000 in last.observed_us


@pytest.mark.parametrize("before_us", [0, 20 * 365 * DAY, US - 20 * DAY])
@pytest.mark.parametrize("silence_s", [1, 3_600])
def test_a_clock_that_is_corrected_in_flight_is_no_restart(before_us: int, silence_s: int) -> None:
    """0 is that of a vehicle without a fix; the others those of a clock that lost its battery."""
    ground, v = Ground(), Vehicle()
    begun = ground.hear(v.system_time(before_us, 60_000), v.beat(), v.beat(armed=True))
    now = after(ground, silence_s)
    v = v if silence_s == 1 else Vehicle(seq=99)
    boot_ms = 60_000 + silence_s * 1_000
    out = ground.hear(
        v.beat(armed=True), v.system_time(now, boot_ms), v.position(boot_ms + 10, 37.5, 127.0, 9.0), v.beat()
    )
    assert flights(begun, out) == [("start", ""), ("end", "completed")]
    assert now + 10_000 in out.observed_us


def test_a_vehicle_that_does_not_know_the_time_any_more_was_started_anew() -> None:
    ground, begun = flying()
    after(ground, 3_600)
    v = Vehicle(seq=99)
    out = ground.hear(v.system_time(0, 100_000), v.beat())
    assert flights(begun, out) == [("start", ""), ("end", "lost")]


@pytest.mark.parametrize(("seq", "told"), [(99, [("start", ""), ("end", "lost")]), (4, [("start", "")])])
def test_without_its_time_the_numbers_tell(seq: int, told: list[tuple[str, str]]) -> None:
    ground, begun = flying(knows_the_time=False)
    v = Vehicle(seq=seq)
    after(ground, 3_600)
    out = ground.hear(v.position(100_000, 37.5, 127.0, 9.0), v.beat(armed=seq == 4))
    assert flights(begun, out) == told


def test_heartbeats_alone_are_waited_for_no_longer_than_some_seconds() -> None:
    ground, begun = flying()
    after(ground, 3_600)
    v = Vehicle(seq=99)
    assert flights(ground.hear(v.beat())) == []
    after(ground, 11)
    assert flights(begun, ground.hear(v.beat())) == [("start", ""), ("end", "completed")]


def test_a_short_silence_asks_nothing() -> None:
    ground, begun = flying()
    now, v = after(ground, 299), Vehicle(seq=99)
    out = ground.hear(v.system_time(now, 100_000), v.beat())
    assert flights(begun, out) == [("start", ""), ("end", "completed")], "a clock that was corrected by minutes"


def test_sent_is_delivered_and_missing_over_a_restart_in_silence() -> None:
    ground, _ = flying()
    now, v = after(ground, 86_400), Vehicle(seq=99)
    out = ground.hear(v.beat(), v.position(100_000, 37.5, 127.0, 3.0), v.system_time(now, 100_010), v.beat())
    boots = {boot for _, boot, _ in out.sequences}
    assert len(boots) == 1 and [number for _, _, number in out.sequences] == [1, 2, 3, 4]
