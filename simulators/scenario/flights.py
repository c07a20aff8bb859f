"""A patrol drone's flights: when it takes off from its station, where it flies, and what becomes of it.

Every flight is drawn from a generator of its own, by its number from the pilot's start: any one can be had without the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from math import hypot
from typing import Final

from core.window import instant, micros, midnight
from simulators.scenario.base import Location
from simulators.scenario.noise import SECOND_US, generator

MODES: Final = ("GUIDED", "AUTO", "RTL", "LAND")
"""ArduPilot's: in its station it waits to be told where to go."""
GUIDED, AUTO, RTL, LAND = range(4)

_HOURS: Final = (9.5, 11.5, 14.0, 16.5)
"""About when it takes off, in local time."""
_LATE_S: Final = 900.0
_HEIGHT_M: Final = 60.0
_CLIMB_M_S, _SINK_M_S, _CRUISE_M_S = 2.0, 1.5, 6.0
_DISARMED_AFTER_US: Final = 3_000_000
_LAPS: Final = 2
_LAP: Final = (
    (0.0, 0.0), (150.0, -120.0), (650.0, -260.0), (1100.0, -420.0), (1150.0, -520.0), (620.0, -380.0), (120.0, -230.0),
)  # fmt: skip
"""Metres east and north of the station: down the river along the bank, and back over the water."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From here on, until the next step: a mode, and a straight way to the next step's place."""

    at_us: int
    mode: int
    x_m: float
    y_m: float
    z_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight, from arming to disarming."""

    number: int
    steps: tuple[Step, ...]
    reached_us: tuple[int, ...]
    """When it came to each waypoint."""
    critical_us: int | None
    """When it gave up and turned home; None: it did not."""
    touched_us: int
    """When it was on the ground again; it is disarmed soon after."""

    @property
    def start_us(self) -> int:
        return self.steps[0].at_us

    @property
    def end_us(self) -> int:
        return self.steps[-1].at_us

    def step(self, at_us: int) -> Step:
        """The step that an instant of the flight belongs to."""
        return self.steps[bisect_right(self.steps, at_us, key=lambda step: step.at_us) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How often flights go wrong."""

    one_fails_of: int
    """Of so many flights in a row one fails, some one of them."""


def flights_of(key: tuple[str | int, ...], where: Location, day: date, knobs: Knobs) -> tuple[Flight, ...]:
    """The flights of a local day, in order."""
    return _flights(key, where, day, knobs)


@lru_cache(maxsize=1024)
def _flights(key: tuple[str | int, ...], where: Location, day: date, knobs: Knobs) -> tuple[Flight, ...]:
    first = (day - where.start).days * len(_HOURS) + 1
    start_us = micros(midnight(day, where.zone))
    return tuple(
        _flight(key, first + index, start_us + round(hour * 3600) * SECOND_US, knobs)
        for index, hour in enumerate(_HOURS)
    )


def _flight(key: tuple[str | int, ...], number: int, due_us: int, knobs: Knobs) -> Flight:
    late, turns = generator(*key, "flight", number).random(2)
    block, place = divmod(number - 1, knobs.one_fails_of)
    fails = int(generator(*key, "failures", block).random() * knobs.one_fails_of) == place
    start_us = due_us + int(late * _LATE_S * 1000) * 1000
    way = _Way(start_us)
    way.go(AUTO, 0.0, 0.0, _HEIGHT_M, _CLIMB_M_S)
    stops = [*_LAP[1:], *(_LAP * (_LAPS - 1)), _LAP[0]]
    turning = int((0.2 + 0.6 * turns) * len(stops)) if fails else len(stops)
    reached = [way.go(AUTO, x_m, y_m, _HEIGHT_M, _CRUISE_M_S) for x_m, y_m in stops[:turning]]
    critical_us = None
    if fails:
        x_m, y_m = stops[turning]
        half = ((way.x_m + x_m) / 2, (way.y_m + y_m) / 2)
        critical_us = way.go(AUTO, *half, _HEIGHT_M, _CRUISE_M_S)
        way.go(RTL, 0.0, 0.0, _HEIGHT_M, _CRUISE_M_S)
    touched_us = way.go(LAND, 0.0, 0.0, 0.0, _SINK_M_S)
    way.steps.append(Step(at_us=touched_us, mode=LAND, x_m=0.0, y_m=0.0, z_m=0.0))
    way.steps.append(Step(at_us=touched_us + _DISARMED_AFTER_US, mode=GUIDED, x_m=0.0, y_m=0.0, z_m=0.0))
    return Flight(
        number=number,
        steps=tuple(way.steps),
        reached_us=tuple(reached),
        critical_us=critical_us,
        touched_us=touched_us,
    )


class _Way:
    """Steps, one behind the other."""

    def __init__(self, at_us: int) -> None:
        self.at_us, self.x_m, self.y_m, self.z_m = at_us, 0.0, 0.0, 0.0
        self.steps: list[Step] = []

    def go(self, mode: int, x_m: float, y_m: float, z_m: float, speed_m_s: float) -> int:
        """Go somewhere in a mode. :returns: when it is reached."""
        self.steps.append(Step(at_us=self.at_us, mode=mode, x_m=self.x_m, y_m=self.y_m, z_m=self.z_m))
        far_m = hypot(x_m - self.x_m, y_m - self.y_m, z_m - self.z_m)
        self.at_us += round(far_m / speed_m_s * 1000) * 1000
        self.x_m, self.y_m, self.z_m = x_m, y_m, z_m
        return self.at_us


def days_near(where: Location, start_us: int, end_us: int) -> Iterator[date]:
    """The local days of ``[start, end)`` and the one before, whose charge may last; none before the pilot's start."""
    day = instant(start_us).astimezone(where.zone).date() - timedelta(days=1)
    day = max(where.start, day)
    while micros(midnight(day, where.zone)) < end_us:
        yield day
        day += timedelta(days=1)


def levels(flights: list[Flight], drain_per_s: float, charge_per_s: float) -> list[tuple[int, float]]:
    """State of charge in % at each start and end of flights, and when it is full again; full before the first."""
    corners: list[tuple[int, float]] = []
    level = 100.0
    for flight, following in pairwise([*flights, None]):
        assert flight is not None
        corners.append((flight.start_us, level))
        level = max(5.0, level - drain_per_s * (flight.end_us - flight.start_us) / SECOND_US)
        corners.append((flight.end_us, level))
        full_us = flight.end_us + round((100.0 - level) / charge_per_s * SECOND_US)
        if following is None or full_us < following.start_us:
            corners.append((full_us, 100.0))
            level = 100.0
        else:
            level += charge_per_s * (following.start_us - flight.end_us) / SECOND_US
    return corners
