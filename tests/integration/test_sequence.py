"""Accounting by message numbers, against plain sets of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Connection
from ingest.receipts import receipt
from telemetry import sequence
from telemetry.sequence import SequenceState, account, states
from tests.registered import register

NOON = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)  # 12:00 in Seoul


@pytest.fixture
def sender(connection: Connection) -> int:
    return register(connection).connection_id


def take(connection: Connection, sender: int, numbers: Iterable[int], *, boot: str = "b", at: datetime = NOON) -> None:
    with connection.transaction():
        account(connection, [(sender, boot, number) for number in numbers], at)


def state(connection: Connection, sender: int, boot: str = "b", **more: Any) -> SequenceState:
    (found,) = states(connection, [(sender, boot)], **more)
    return found


def days(connection: Connection, sender: int) -> dict[str, tuple[int, int, int]]:
    """day → (sent, distinct, repeated)"""
    rows = connection.execute(
        "SELECT day::text, upper(span) - lower(span) AS sent, repeated, given_up,"
        " (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(received) AS r)::bigint AS n"
        " FROM sequence WHERE connection_id = %s ORDER BY day",
        [sender],
    )
    return {row["day"]: (row["sent"], row["n"] - row["given_up"], row["repeated"]) for row in rows}


def test_what_is_between_is_missing_until_it_comes(connection: Connection, sender: int) -> None:
    take(connection, sender, [1, 2, 5, 6, 9])
    found = state(connection, sender)
    assert (found.first, found.through, found.missing, found.stored) == (1, 9, ((3, 4), (7, 8)), 5)
    take(connection, sender, [7, 3, 4, 10, 10, 2])
    found = state(connection, sender)
    assert (found.through, found.missing, found.stored) == (10, ((8, 8),), 9)
    assert days(connection, sender) == {"2026-05-01": (10, 9, 2)}


def test_a_named_boot_begins_at_one_and_an_unnamed_one_where_it_is_heard_first(
    connection: Connection, sender: int
) -> None:
    take(connection, sender, [4], boot="named")
    assert state(connection, sender, "named").missing == ((1, 3),)
    take(connection, sender, [0], boot="named")
    assert state(connection, sender, "named").first == 0
    take(connection, sender, [400], boot="")
    assert state(connection, sender, "").missing == ()
    take(connection, sender, [398], boot="")
    found = state(connection, sender, "")
    assert (found.first, found.missing) == (398, ((399, 399),))


def test_a_hole_belongs_to_the_day_that_passed_it_however_late_it_is_filled(
    connection: Connection, sender: int
) -> None:
    late = NOON + timedelta(hours=11, minutes=59)  # 23:59 in Seoul
    take(connection, sender, range(1, 11), at=late)
    take(connection, sender, [14, 15], at=late + timedelta(minutes=2))
    assert days(connection, sender) == {"2026-05-01": (10, 10, 0), "2026-05-02": (5, 2, 0)}
    take(connection, sender, [12, 5, 20], at=NOON + timedelta(days=2))
    assert days(connection, sender) == {"2026-05-01": (10, 10, 1), "2026-05-02": (5, 3, 0), "2026-05-03": (5, 1, 0)}
    found = state(connection, sender)
    assert found.missing == ((11, 11), (13, 13), (16, 19)) and found.stored == 14


def test_boots_and_senders_are_kept_apart(connection: Connection) -> None:
    one, other = register(connection).connection_id, register(connection, "other").connection_id
    with connection.transaction():
        account(connection, [(one, "a", 1), (one, "b", 1), (other, "a", 2), (one, "a", 3)], NOON)
    found = {
        (one.connection_id, one.boot): one.missing for one in states(connection, [(one, "a"), (one, "b"), (other, "a")])
    }
    assert found == {(one, "a"): ((2, 2),), (one, "b"): (), (other, "a"): ((1, 1),)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.lists(st.integers(0, 60), min_size=1, max_size=25)), min_size=1, max_size=8
    )
)
def test_any_order_of_arrival_comes_to_what_sets_say(
    connection: Connection, sender: int, batches: list[tuple[int, list[int]]]
) -> None:
    connection.execute("DELETE FROM sequence")
    day, seen, first, owner = 0, set[int](), 1, dict[int, int]()
    last = 0
    repeated = 0
    for later, numbers in batches:
        day += later
        for number in sorted(numbers):
            repeated += number in seen
            seen.add(number)
        first = min(first, min(numbers))
        for number in range(last + 1, max(numbers) + 1):
            owner[number] = day
        last = max(last, *numbers)
        take(connection, sender, numbers, at=NOON + timedelta(days=day))
    found = state(connection, sender)
    missing = {number for start, end in found.missing for number in range(start, end + 1)}
    assert (found.first, found.through) == (first, last)
    assert missing == set(range(first, last + 1)) - seen
    assert found.stored == len(seen)
    rows = days(connection, sender)
    assert sum(sent for sent, _, _ in rows.values()) == last - first + 1
    assert sum(n for _, n, _ in rows.values()) == len(seen)
    assert sum(again for _, _, again in rows.values()) == repeated
    for number, on in owner.items():
        assert f"{(NOON + timedelta(days=on, hours=9)).date()}" in rows, number


def test_a_sender_that_makes_numbers_up_cannot_fill_the_memory(
    connection: Connection, sender: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "MOST_HOLES", 100)
    take(connection, sender, range(2, 2002, 2))  # a thousand holes
    found = state(connection, sender, most_holes=10)
    assert found.through == 2000 and len(found.missing) == 10
    # What lies before the holes that are told is left out: nobody takes it for committed.
    assert found.first == found.missing[0][0] - 1 == 1981 - 1
    assert found.stored == 1000
    again = state(connection, sender, most_holes=1000)
    # Half of the bound is left to be told, and everything below them is out of every later statement, filled or not.
    assert len(again.missing) == 50 and again.first == 1901 - 1 and again.stored == 1000
    assert days(connection, sender) == {"2026-05-01": (2000, 1000, 0)}
    take(connection, sender, range(1901, 2001, 2))
    later = state(connection, sender, most_holes=1000)
    assert later.missing == () and later.first == 1900 and later.stored == 1050


def test_a_receipt_says_what_a_sender_needs(connection: Connection, sender: int) -> None:
    take(connection, sender, [1, 2, 4], boot="7")
    take(connection, sender, [11], boot="")
    with_boot, without = (json.loads(receipt(state(connection, sender, boot))) for boot in ("7", ""))
    assert with_boot == {
        "boot": "7", "first": 1, "through": 4, "missing": [[3, 3]], "stored": 3, "at": "2026-05-01T03:00:00Z",
    }  # fmt: skip
    assert without["boot"] is None and without["first"] == without["through"] == 11
