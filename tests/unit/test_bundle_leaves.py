"""What results draw on, and rows against the leaves that they make up. No database."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import HOUR_US, Window, instant
from telemetry.evidence.drawn import Drawn, Look, Replaced
from telemetry.evidence.heads import Hours
from telemetry.evidence.leafwalk import LeafWalk, Rows
from telemetry.seals.leaves import READING, Leaf, begun_hour, packed_rows

DAY = Window(start=datetime(2026, 5, 1, tzinfo=UTC), end=datetime(2026, 5, 2, tzinfo=UTC))
S, E = DAY.start_us, DAY.end_us
KEY = ("a", "temp", 1)


def look(reach: int | None = HOUR_US, as_of_us: int = E) -> Look:
    return Look(window=DAY, as_of_us=as_of_us, reach={("a", "temp"): reach})


def used(draws: Drawn, *rows: tuple[int, int]) -> list[bool]:
    observed, received = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return draws.used(KEY, observed, received).tolist()


def test_used_is_what_is_near_received_in_time_and_stands() -> None:
    draws = Drawn(looks=(look(),), replaced={KEY: [Replaced(start_us=S + 5, end_us=S + 7, known_us=E)]})
    at = S + 100
    assert used(draws, (S, at), (S - HOUR_US, at), (S - HOUR_US - 1, at), (E + HOUR_US, at), (E + HOUR_US + 1, at)) == [
        True, True, False, True, False,
    ]  # fmt: skip
    assert used(draws, (S, E), (S, E + 1)) == [True, False]
    assert used(draws, (S, S + 4), (S, S + 5), (S, S + 6), (S, S + 7)) == [True, False, False, True]
    later = Drawn(looks=(look(),), replaced={KEY: [Replaced(start_us=S + 5, end_us=S + 7, known_us=E + 1)]})
    assert used(later, (S, S + 5)) == [True]


def test_a_reading_that_stands_for_ever_is_used_at_any_distance() -> None:
    assert used(Drawn(looks=(look(None),), replaced={}), (0, S), (2**61, S)) == [True, True]
    assert not Drawn(looks=(look(None),), replaced={}).used(("b", "temp", 1), np.array([S]), np.array([S])).any()


@given(
    observed=st.integers(S - 3 * HOUR_US, E + 3 * HOUR_US),
    received=st.integers(S, E + 2 * HOUR_US),
    as_of=st.integers(S, E + HOUR_US),
)
def test_no_leaf_is_ruled_out_that_has_a_used_reading(observed: int, received: int, as_of: int) -> None:
    draws = Drawn(looks=(look(as_of_us=as_of),), replaced={})
    if used(draws, (observed, received)) == [True]:
        hour = received // HOUR_US * HOUR_US
        assert draws.leaf(KEY, hour, observed - 5, observed) and draws.leaf(KEY, hour, observed, observed + 5)


# --- rows against leaves

H = S


def rows(*which: int) -> Rows:
    at = np.array(which, dtype=np.int64)
    return Rows(observed_us=at, received_us=at + 10, value=at / 3.0, flags=np.zeros(len(at), dtype=np.int16))


def leaf(hour: int, found: Rows) -> Leaf:
    first, last = int(found.observed_us[0]), int(found.observed_us[-1])
    digest = begun_hour("p/a/temp/1", "degC", hour, len(found), first, last)
    digest.update(packed_rows(found.observed_us, found.received_us, found.value, found.flags))
    return Leaf(
        kind=READING, identity="p/a/temp/1", unit="degC", hour_us=hour, n=len(found), first_us=first, last_us=last,
        hash=digest.digest(),
    )  # fmt: skip


FIRST, SECOND = rows(H, H + 1, H + 2), rows(H + HOUR_US, H + HOUR_US + 5)


def walk() -> LeafWalk:
    hours = Hours()
    hours.add(1, 0, leaf(H, FIRST))
    hours.add(1, 1, leaf(H + HOUR_US, SECOND))
    return LeafWalk("p/a/temp/1", "degC", hours.of("p/a/temp/1"))


def walked(*pieces: Rows) -> list[str]:
    one = walk()
    return [fault for piece in pieces for fault in one.walk(piece)] + list(one.end())


ALL = rows(H, H + 1, H + 2, H + HOUR_US, H + HOUR_US + 5)


def part(low: int, high: int) -> Rows:
    return Rows(
        **{name: getattr(ALL, name)[low:high] for name in ("observed_us", "received_us", "value", "flags")}
    )  # fmt: skip


@pytest.mark.parametrize("cuts", [(), (1,), (3,), (1, 2, 3, 4), (2, 2)])
def test_rows_agree_with_their_leaves_however_they_are_cut(cuts: tuple[int, ...]) -> None:
    edges = [0, *cuts, 5]
    assert walked(*(part(a, b) for a, b in pairwise(edges))) == []


def test_what_differs_is_named_by_its_leaf() -> None:
    name = f"p/a/temp/1 {instant(H).isoformat()} (seal 1)"
    changed = part(0, 5)
    changed.value[1] += 1
    assert walked(changed) == [f"{name}: its 3 rows are not those that were sealed"]
    ALL.value[1] = ALL.observed_us[1] / 3.0
    second = f"p/a/temp/1 {instant(H + HOUR_US).isoformat()} (seal 1)"
    assert walked(part(0, 4)) == [f"{second}: 1 of 2 rows are missing"]
    assert walked(part(0, 3)) == [f"{second}: 2 of 2 rows are missing"]
    assert walked(part(0, 5), rows(H + 2 * HOUR_US)) == ["p/a/temp/1: 1 rows belong to no leaf"]


def test_a_hash_that_ends_in_zeros_is_kept_whole() -> None:
    hours = Hours()
    found = leaf(H, FIRST)
    hours.add(1, 0, Leaf(**{**{name: getattr(found, name) for name in found.__slots__}, "hash": b"\x01" + bytes(31)}))
    assert hours.of("p/a/temp/1")["hash"][0].tobytes() == b"\x01" + bytes(31)
