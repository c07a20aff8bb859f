"""Over which time silence says something: while we listened without a gap, and as far as what came is settled."""

from __future__ import annotations

from ingest.attention import Attention, Stretch
from ingest.batching import Arrivals, Heard, waited
from ingest.inbox import Inbox
from ingest.routing import Routes
from tests.mavlinking import Ground, Vehicle


def turned(*turns: tuple[float, bool]) -> Stretch | None:
    attention = Attention()
    for now, hearing in turns:
        attention.turn(now, hearing=hearing)
    return attention.stretch


def test_a_stretch_grows_with_each_turn() -> None:
    assert turned((100.0, True), (100.5, True), (101.0, True)) == Stretch(100.0, 101.0)


def test_there_is_none_while_nothing_is_heard_and_another_begins_after_it() -> None:
    assert turned((100.0, True), (100.5, False)) is None
    assert turned((100.0, True), (100.5, False), (160.0, True), (160.5, True)) == Stretch(160.0, 160.5)


def test_a_pause_or_a_clock_that_is_set_begins_another() -> None:
    assert turned((100.0, True), (102.9, True)) == Stretch(100.0, 102.9)
    assert turned((100.0, True), (103.1, True)) == Stretch(103.1, 103.1)
    assert turned((100.0, True), (99.0, True)) == Stretch(99.0, 99.0)


def test_the_oldest_message_that_is_held_bounds_what_is_known() -> None:
    clock = iter([10, 20, 20, 30])
    box = Inbox(high_water_messages=100, wall_clock_us=lambda: next(clock))
    assert box.oldest_us is None
    for mid in range(1, 5):
        box.put(1, [(b"t", b"1", mid, 0x32), (b"u", b"1", mid + 10, 0x32)])
    assert box.oldest_us == 10
    first = box.take(most=3, window_s=0, timeout_s=0)
    assert box.oldest_us == 10, "taken, and not settled yet"
    box.done(first)
    rest = [box.take(most=3, window_s=0, timeout_s=0) for _ in range(2)]
    assert box.oldest_us == min(part.received_us for parts in rest for part in parts)
    for parts in rest:
        box.done(parts)
    assert (box.oldest_us, box.messages) == (None, 0)


def test_a_connection_that_another_collector_hears_is_not_asked_about() -> None:
    ground = Ground()
    ground.hear(Vehicle().beat())
    routes = Routes([ground.connection.binding])

    def lost(*, mine: bool) -> list[str]:
        found: list[str] = []
        for seconds in (0, 60):
            heard = Heard(since_us=0, until_us=ground.now_us + seconds * 1_000_000, mine=lambda _: mine)
            batch = waited(routes, heard, Arrivals(), ground.memory.batch())
            found += [one.state for one in batch.link_states]
        return found

    assert lost(mine=False) == []
    assert lost(mine=True) == ["offline"]
