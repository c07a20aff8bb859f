"""Events counted: which of them count for sure, and which may.

An event counts when it began, whether it was ever closed or not. Where an attribute that ``where`` asks for is not there, and
where a number is missing in a slot's order, nobody knows whether it counts: then there are two ends, without it and with it.
Without ``where`` a missing number is an event that happened, and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kpi.measurement import Number, completeness
from kpi.measures.attributes import holds
from kpi.measures.happenings import Happening, gathered, missing_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One event that counts, or may."""

    at_us: int
    certain: bool
    heard: bool = True
    """False: its number is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPart:
    """One slot in one stretch of required time."""

    sightings: tuple[tuple[date, Sighting], ...]
    """With the calendar day in the pilot's zone."""
    exposure: float
    """Microseconds in which the slot was up, or what a counter or an integral came to."""
    days: tuple[tuple[date, float], ...]
    """The exposure of each calendar day that had any."""
    connected_us: int
    required_us: int
    numbered: bool
    """Whether numbers tell how many events there were, also while nobody listened (``kpi/numbering.py``)."""
    share: float = 1.0
    """Of pairs whose truth was sampled: how much of the required time was labelled …"""
    required_time_us: int = 0
    """… and how much there was."""
    doubtful: float = 0.0
    """Exposure that may have been, besides: while nobody knows whether the slot was up, or before a counter's restart."""
    company_us: int = 0
    platform_us: int = 0
    site_us: int = 0
    nobody_us: int = 0


def sightings(happenings: Iterable[Happening], *, numbered: bool, where: Mapping[str, Any]) -> list[Sighting]:
    """The events of one kind at one slot that count or may, in the order of time.

    Two collisions were heard of; one event has no kind, and the number 3 is missing:

    >>> def heard(number, **attributes):
    ...     return Happening(id=f"i{number}", phase="", number=number, at_us=10 * number, attributes=attributes)
    >>> log = [heard(1, kind="collision"), heard(2, kind="stop"), heard(4), heard(5, kind="collision")]
    >>> [(one.at_us, one.certain, one.heard) for one in sightings(log, numbered=True, where={"kind": "collision"})]
    [(10, True, True), (40, False, True), (40, False, False), (50, True, True)]
    """
    events = gathered(happenings)
    found = [
        Sighting(at_us=event.at_us, certain=held is True)
        for event in events
        if (held := holds(where, event.attributes)) is not False
    ]
    if numbered:
        found += [Sighting(at_us=at_us, certain=not where, heard=False) for at_us in missing_numbers(events)]
    return sorted(found, key=lambda one: (one.at_us, not one.heard))


def certain(parts: Sequence[CountPart]) -> int:
    """How many count for sure."""
    return sum(one.certain for part in parts for _, one in part.sightings)


def possible(parts: Sequence[CountPart]) -> int:
    """How many count, or may."""
    return sum(len(part.sightings) for part in parts)


def daily(parts: Sequence[CountPart]) -> tuple[tuple[int, float], ...]:
    """(events, exposure) of each slot and day that had any exposure, for their dispersion."""
    rows: list[tuple[int, float]] = []
    for part in parts:
        counts: dict[date, int] = {}
        for day, one in part.sightings:
            counts[day] = counts.get(day, 0) + one.certain
        rows += [(counts.get(day, 0), exposure) for day, exposure in part.days if exposure > 0]
    return tuple(rows)


def complete(parts: Sequence[CountPart]) -> float | None:
    """The connected share of the required time."""
    return completeness([part.connected_us for part in parts], [part.required_us for part in parts])


def facts(parts: Sequence[CountPart]) -> dict[str, Number]:
    """The numbers behind a count, for sentences."""
    return {
        "events": certain(parts),
        "unclear": sum(one.heard and not one.certain for part in parts for _, one in part.sightings),
        "missing_numbers": sum(not one.heard for part in parts for _, one in part.sightings),
        "company_s": sum(part.company_us for part in parts) / 1e6,
        "platform_s": sum(part.platform_us for part in parts) / 1e6,
        "site_s": sum(part.site_us for part in parts) / 1e6,
        "nobody_s": sum(part.nobody_us for part in parts) / 1e6,
    }
