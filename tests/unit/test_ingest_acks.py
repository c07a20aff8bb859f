"""Acknowledgements of a past connection are dropped."""

from __future__ import annotations

from ingest.acks import NOBODY, Acks
from ingest.backoff import LONGEST_S, Backoff


def test_only_the_open_connection_is_acknowledged_to() -> None:
    sent: list[int] = []
    acks = Acks(sent.extend)
    assert acks.generation == NOBODY
    assert not acks.send(NOBODY, [1]), "before any connection"
    first = acks.opened()
    assert acks.send(first, [1, 2])
    acks.closed()
    assert not acks.send(first, [3]), "after it was closed"
    second = acks.opened()
    assert second != first
    assert not acks.send(first, [4]), "on the next one"
    assert acks.send(second, [5])
    assert acks.send(first, []), "nothing owed, nothing to send"
    assert sent == [1, 2, 5]


def test_waits_grow_to_a_bound_and_begin_anew() -> None:
    state, now, waits = Backoff(), 100.0, []
    for _ in range(20):
        state = state.failed(now=now)
        waits.append(round(state.wait_s(now=now), 6))
        now = state.next_at
    assert waits == sorted(waits) and waits[0] < 0.2 and waits[-1] == LONGEST_S
    assert state.since == 100.0
    assert Backoff().failed(now=0.0).wait_s(now=0.0) == waits[0]
