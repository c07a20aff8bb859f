"""Who comes into a batch when more waits than fits, and what comes beyond a sender's rate."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ingest.batching import OVER_LIMIT
from ingest.inbox import Inbox
from ingest.part import Part
from ingest.rate import BURST_S, RateLimit
from ingest.turns import Turns


def part(topic: str, *numbers: int, size: int = 1, received_us: int = 0) -> Part:
    items = [(topic.encode(), bytes(size), number, 0x32) for number in numbers]
    return Part(generation=1, received_us=received_us, items=items)


def test_a_flood_does_not_hold_up_a_neighbour() -> None:
    box = Inbox(high_water_messages=100_000)
    box.put(1, part("flood", *range(50_000)).items)
    box.put(1, part("quiet", 1).items)
    first = box.take(most=1000, window_s=0, timeout_s=0)
    assert [item[0] for one in first for item in one.items].count(b"quiet") == 1
    assert sum(len(one.items) for one in first) == 1000


def test_senders_that_all_have_much_share_a_batch_in_equal_parts() -> None:
    turns = Turns(bytes)
    for name, n in (("a", 900), ("b", 900), ("c", 10)):
        turns.add(part(name, *range(n)))
    taken = turns.take(most=510, most_bytes=10**9)
    of = defaultdict(int)
    for one in taken:
        of[one.items[0][0]] += len(one.items)
    assert of == {b"a": 250, b"b": 250, b"c": 10}
    assert len(turns) == 1810 - 510


def test_a_sender_of_large_messages_leaves_room_for_others() -> None:
    turns = Turns(bytes)
    turns.add(part("large", *range(100), size=1000))
    turns.add(part("small", *range(100), size=1))
    taken = turns.take(most=1000, most_bytes=10_000)
    numbers = [(item[0], item[2]) for one in taken for item in one.items]
    assert sum(name == b"small" for name, _ in numbers) == 100
    assert 5 <= sum(name == b"large" for name, _ in numbers) <= 11


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 40), st.integers(0, 300)), max_size=30),
    st.integers(1, 50),
    st.integers(1, 2000),
)
def test_nothing_is_lost_or_doubled_and_each_sender_keeps_its_order(
    given_parts: list[tuple[str, int, int]], most: int, most_bytes: int
) -> None:
    turns = Turns(bytes)
    sent: dict[bytes, list[int]] = defaultdict(list)
    for name, n, size in given_parts:
        numbers = range(len(sent[name.encode()]), len(sent[name.encode()]) + n)
        sent[name.encode()] += numbers
        turns.add(part(name, *numbers, size=size))
    came: dict[bytes, list[int]] = defaultdict(list)
    while len(turns):
        batch = turns.take(most=most, most_bytes=most_bytes)
        n = sum(len(one.items) for one in batch)
        assert 1 <= n <= most
        for one in batch:
            for topic, _, number, _ in one.items:
                came[topic].append(number)
    assert came == sent


def test_a_rate_lets_a_burst_through_and_then_so_much_a_second() -> None:
    rate = RateLimit(10.0)

    def passed(one: Part) -> int:
        return sum(not item[3] & OVER_LIMIT for item in rate.marked(one, lambda _: 7).items)

    assert passed(part("t", *range(500), received_us=10**12)) == 10 * BURST_S
    assert passed(part("t", *range(500), received_us=10**12 + 1_000_000)) == 10
    assert passed(part("t", *range(5), received_us=10**12 + 61_000_000)) == 5
    assert passed(part("t", *range(500), received_us=10**12 + 3_600_000_000)) == 10 * BURST_S


def test_a_rate_is_a_sender_s_own_and_nothing_of_a_message_is_changed_but_the_mark() -> None:
    rate = RateLimit(0.1)
    owners = {b"a": 1, b"b": 2}
    first = rate.marked(part("a", 1, 2), owners.get)
    other = rate.marked(part("b", 1), owners.get)
    assert [bool(item[3] & OVER_LIMIT) for item in first.items] == [False, True]
    assert not other.items[0][3] & OVER_LIMIT
    assert [(*item[:3], item[3] & 0xFF) for item in first.items] == part("a", 1, 2).items
