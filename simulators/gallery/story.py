"""What a site of the gallery sent, instant by instant: made so that its KPI comes to a number that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US, micros, midnight
from devices.plan.model import Plan
from simulators.scenario.noise import Floats, Micros
from simulators.scenario.records import Event, Link, Readings

MINUTE_US = HOUR_US // 60
DAY_US = 24 * HOUR_US
DELAY_US = 350_000
"""From a device's clock to the store, as a site with a good network has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The readings of one channel, in its canonical unit, sorted by time."""

    at_us: Micros
    value: Floats
    delay_us: Micros | None = None
    """From each one's instant to its receipt; :data:`DELAY_US` if left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole pilot. It answers what a scenario answers: what a slot sent in a window."""

    told: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    """By slot and channel."""
    happened: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    """By slot, in the order of time."""
    linked: Mapping[str, Sequence[Link]] = field(default_factory=dict)

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        """What the slot's channels reported in ``[start, end)``."""
        names = [name for name in plan.slots[slot].channels if (slot, name) in self.told]
        return Readings.joined([_part(name, self.told[slot, name], start, end) for name in names])

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:  # noqa: ARG002
        """What happened at the slot in ``[start, end)``."""
        return [one for one in self.happened.get(slot, ()) if micros(start) <= one.at_us < micros(end)]

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Link]:  # noqa: ARG002
        """When the slot's link went down and came up in ``[start, end)``."""
        return [one for one in self.linked.get(slot, ()) if micros(start) <= one.at_us < micros(end)]


def _part(name: str, told: Told, start: datetime, end: datetime) -> Readings:
    first, last = np.searchsorted(told.at_us, [micros(start), micros(end)])
    value = told.value[first:last]
    return Readings(
        channels=(name,),
        channel=np.zeros(value.size, dtype=np.int32),
        observed_us=told.at_us[first:last],
        value=value,
        sent=value,
        delay_us=np.full(value.shape, DELAY_US) if told.delay_us is None else told.delay_us[first:last],
    )


def begin_us(plan: Plan) -> int:
    """The pilot's first instant."""
    return micros(plan.window.start)


def end_us(plan: Plan) -> int:
    """The end of what is judged."""
    return micros(midnight(plan.evaluation.data_until, plan.zone))


def judged_days(plan: Plan) -> list[date]:
    """The calendar days that are judged."""
    count = (plan.evaluation.data_until - plan.period.start).days
    return [plan.period.start + timedelta(days=place) for place in range(count)]


def every(plan: Plan, period_us: int, *, start_us: int | None = None, until_us: int | None = None) -> Micros:
    """Instants at every period: from the pilot's first on to the end of what is judged, or within a part of that."""
    return np.arange(
        begin_us(plan) if start_us is None else start_us, end_us(plan) if until_us is None else until_us, period_us,
        dtype=np.int64,
    )  # fmt: skip


def constant(at_us: Micros, value: float) -> Told:
    """The same value at every instant."""
    return Told(at_us=at_us, value=np.full(at_us.shape, value))


def spread(plan: Plan, count: int, *, hour: int = 9, for_hours: int = 9) -> NDArray[np.int64]:
    """So many instants, dealt out evenly to the days that are judged, from ``hour`` on, in order."""
    days = judged_days(plan)
    of_day = np.array([count * (n + 1) // len(days) - count * n // len(days) for n in range(len(days))])
    found: list[int] = []
    for day, number in zip(days, of_day.tolist(), strict=True):
        first = micros(midnight(day, plan.zone)) + hour * HOUR_US
        found += [first + place * for_hours * HOUR_US // max(number, 1) for place in range(number)]
    return np.array(found, dtype=np.int64)


def happening(kind: str, at_us: int, number: int, /, *, numbered: bool = True, **attributes: Any) -> Event:
    """Something that has no length."""
    return Event(
        at_us=at_us, kind=kind, id=f"{kind}-{number:05d}", number=number if numbered else None, attributes=attributes
    )


def lasting(
    kind: str, at_us: int, for_us: int, number: int, /, *, numbered: bool = True, **attributes: Any
) -> list[Event]:
    """Something that starts and ends; what is told of it is told at its end."""
    name, counted = f"{kind}-{number:05d}", number if numbered else None
    return [
        Event(at_us=at_us, kind=kind, id=name, phase="start", number=counted),
        Event(at_us=at_us + for_us, kind=kind, id=name, phase="end", number=counted, attributes=attributes),
    ]


def in_order(events: Sequence[Event]) -> list[Event]:
    """By time, as they arrive."""
    return sorted(events, key=lambda one: (one.at_us, one.id, one.phase))


def online(plan: Plan) -> list[Link]:
    """A link that came up when the pilot began, and stayed."""
    return [Link(at_us=begin_us(plan), state="online")]
