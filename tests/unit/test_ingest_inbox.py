"""The inbox: batches by number, size and time, and the mark."""

from __future__ import annotations

import threading
import time

from ingest import inbox as module
from ingest.client import Item
from ingest.inbox import Inbox
from ingest.part import Part


def items(*numbers: int, size: int = 1) -> list[Item]:
    return [(b"t", bytes(size), number, 0x32) for number in numbers]


def numbers(parts: list[Part]) -> list[int]:
    return [item[2] for part in parts for item in part.items]


def test_a_batch_is_cut_at_its_number_and_nothing_is_lost() -> None:
    box = Inbox(high_water_messages=100)
    box.put(1, items(1, 2, 3))
    box.put(2, items(4, 5, 6, 7))
    first = box.take(most=5, window_s=0, timeout_s=0)
    assert numbers(first) == [1, 2, 3, 4, 5] and [part.generation for part in first] == [1, 2]
    second = box.take(most=5, window_s=0, timeout_s=0)
    assert numbers(second) == [6, 7] and second[0].received_us == first[1].received_us
    assert box.take(most=5, window_s=0, timeout_s=0) == []
    assert box.messages == 7
    box.done(first)
    box.done(second)
    assert box.messages == 0


def test_a_batch_ends_with_the_message_that_passes_its_size() -> None:
    box = Inbox(high_water_messages=100)
    for number in range(4):
        box.put(1, items(number, size=module.BATCH_BYTES // 2))
    assert numbers(box.take(most=100, window_s=60, timeout_s=0)) == [0, 1]
    assert numbers(box.take(most=100, window_s=60, timeout_s=0)) == [2, 3]


def test_the_first_message_waits_no_longer_than_the_window() -> None:
    box = Inbox(high_water_messages=100)
    box.put(1, items(1))
    begun = time.monotonic()
    assert numbers(box.take(most=100, window_s=0.15, timeout_s=5)) == [1]
    assert 0.1 < time.monotonic() - begun < 1.0


def test_a_full_batch_does_not_wait() -> None:
    box = Inbox(high_water_messages=100)
    threading.Timer(0.05, lambda: box.put(1, items(1, 2, 3))).start()
    begun = time.monotonic()
    assert numbers(box.take(most=3, window_s=60, timeout_s=5)) == [1, 2, 3]
    assert time.monotonic() - begun < 2.0


def test_the_mark_counts_what_is_being_committed_too() -> None:
    box = Inbox(high_water_messages=10, high_water_bytes=1000)
    box.put(1, items(*range(9)))
    assert not box.full()
    box.put(1, items(9))
    assert box.full()
    taken = box.take(most=5, window_s=0, timeout_s=0)
    assert box.full() and not box.has_room(0.9)
    box.done(taken)
    assert not box.full() and box.has_room(0.9) and box.has_room(0.5)
    box.put(1, items(11, size=1000))
    assert box.full()


def test_a_closed_inbox_gives_what_is_left_at_once() -> None:
    box = Inbox(high_water_messages=10)
    box.put(1, items(1))
    box.close()
    begun = time.monotonic()
    assert numbers(box.take(most=100, window_s=60, timeout_s=60)) == [1]
    assert box.take(most=100, window_s=60, timeout_s=60) == []
    assert time.monotonic() - begun < 1.0


def test_arrivals_never_go_back() -> None:
    clock = iter([1000, 900, 2000])
    box = Inbox(high_water_messages=10, wall_clock_us=lambda: next(clock))
    for number in range(3):
        box.put(1, items(number))
    assert [part.received_us for part in box.take(most=9, window_s=0, timeout_s=0)] == [1000, 1000, 2000]
