"""Messages of events brought together into events, and the numbers that are missing in their order.

An event of a kind with phases is told in two messages, its start and its end, with one id. It counts when it began. Attributes
of its end overrule those of its start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kpi.stretches import Stretches, contains

GRACE_US = 86_400_000_000
"""An event that is still open a day after the window's end (or now) was never closed."""

RESTART_STEP = 10
"""A number that lies so far below all others of its order begins a new order: the device was reset."""

LEAP = 10_000
"""So does one that lies so far above them: no device loses that many events in a row, its counter was set anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One message of an event, as the measures need it."""

    id: str
    phase: str
    number: int | None
    at_us: int
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Event:
    """What is known of one event."""

    start_us: int | None = None
    end_us: int | None = None
    number: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def at_us(self) -> int:
        """When it began; when it ended, where nobody heard of its start."""
        found = self.start_us if self.start_us is not None else self.end_us
        assert found is not None
        return found


def gathered(happenings: Iterable[Happening]) -> list[Event]:
    """The messages of each event brought together, in the order in which the events began."""
    return [event for _, event in by_id(happenings)]


def by_id(happenings: Iterable[Happening]) -> list[tuple[str, Event]]:
    """The same, each with its id."""
    found: dict[str, Event] = {}
    for one in sorted(happenings, key=lambda h: (h.phase == "end", h.at_us)):
        event = found.setdefault(one.id, Event())
        if one.phase == "end":
            event.end_us = one.at_us
        elif event.start_us is None:
            event.start_us = one.at_us
            event.end_us = one.at_us if one.phase == "" else None
        event.number = one.number if event.number is None else event.number
        event.attributes.update(one.attributes)
    return sorted(found.items(), key=lambda item: item[1].at_us)


def missing_numbers(events: Sequence[Event]) -> list[int]:
    """For each number that nobody heard of, the instant of the next one that somebody did.

    >>> heard = [Event(start_us=10 * n, number=n) for n in (1, 2, 5)]
    >>> missing_numbers(heard)
    [50, 50]
    """
    found: list[int] = []
    for order in _orders(events):
        for before, after in pairwise(sorted(order)):
            found += [order[after]] * (after - before - 1)
    return found


def numbers_tell(events: Sequence[Event], silent: Stretches, required: Stretches) -> bool:
    """Whether the numbers tell how many events there were in each silence: it lies between two that were heard, in one order.

    The one after it must be of the required time too: the missing ones are dated by it.

    >>> heard = [Event(start_us=10 * n, number=n) for n in (1, 2, 5)]
    >>> numbers_tell(heard, ((22, 48),), ((0, 100),)), numbers_tell(heard, ((22, 48), (60, 70)), ((0, 100),))
    (True, False)
    """
    places = sorted((at_us, place) for place, order in enumerate(_orders(events)) for at_us in order.values())
    instants = [at_us for at_us, _ in places]
    for start, end in silent:
        before, after = bisect_right(instants, start) - 1, bisect_left(instants, end)
        if before < 0 or after == len(places) or places[before][1] != places[after][1]:
            return False
        if not contains(required, instants[after]):
            return False
    return True


def _orders(events: Sequence[Event]) -> list[dict[int, int]]:
    """number → when, of each order: a device that was reset begins a new one."""
    orders: list[dict[int, int]] = []
    for event in events:
        if event.number is None:
            continue
        if not orders or _begins_anew(orders[-1], event.number):
            orders.append({})
        orders[-1][event.number] = event.at_us
    return orders


def _begins_anew(order: Mapping[int, int], number: int) -> bool:
    return number in order or number < min(order) - RESTART_STEP or number > max(order) + LEAP
