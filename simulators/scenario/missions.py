"""A delivery robot's working day: its missions, what went wrong in them, and where robot and battery were meanwhile.

A day is drawn whole from its own generator, and begins with the robot charged and docked, so that any day can be had
without the days before it. Only the running number of missions needs their counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from core.window import instant, micros, midnight
from simulators.scenario.base import Location
from simulators.scenario.noise import SECOND_US, generator
from simulators.scenario.records import Event

PROGRESS = "progress"
"""What happens in a mission beside what is told of it in the native form: its destination ``reached``, the goods ``handed_over``,
and a person who helped gone again (``resumed``)."""

MODES = ("IDLE", "AUTOMATIC", "MANUAL", "CHARGING", "FAULT")
IDLE, AUTOMATIC, MANUAL, CHARGING, FAULT = range(5)

_OPEN_S, _CLOSE_S = 9 * 3600, 21 * 3600
_SPEED_M_S = 1.1
_HANDOVER_S = 110
_DRAIN_PER_S = {AUTOMATIC: 0.19 / 60, MANUAL: 0.19 / 60, FAULT: 0.05 / 60, IDLE: 0.012 / 60}
_CHARGE_PER_S = 0.6 / 60
_DESTINATIONS = (("관리동", 60.0, 45.0), ("도서관", 180.0, 40.0), ("체육관", 95.0, 210.0), ("어린이집", 240.0, 120.0),
                 ("101동", 130.0, 95.0), ("102동", 150.0, 160.0), ("103동", 205.0, 185.0), ("정문", 20.0, 190.0))  # fmt: skip
_FAULTS = ("wheel_slip", "localization_lost", "lift_timeout", "obstacle_stuck")
_REASONS = ("crowded_crossing", "parked_vehicle", "door_closed", "narrow_passage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How often missions go wrong."""

    failure: float
    """Share of the missions that are not delivered."""
    intervention: float
    """Share of the missions that are delivered with a person's help."""
    weekday_missions: float = 24.0
    weekend_missions: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From here on, until the next step: a mode, and a straight way to the next step's position."""

    at_s: float
    mode: int
    x_m: float
    y_m: float


@dataclass(slots=True, kw_only=True)
class Day:
    """One day of one robot, in seconds from local midnight."""

    start_us: int
    missions: int = 0
    steps: list[Step] = field(default_factory=list)
    happened: list[tuple[int, Event]] = field(default_factory=list)
    """Events with the number of their mission within the day, from 0; their own number is still to be given."""
    under_way: list[tuple[int, int]] = field(default_factory=list)
    """From when to when its missions run."""


def levels(steps: Sequence[Step]) -> list[float]:
    """State of charge in % at each step, full at the first."""
    level = [100.0]
    for step, following in pairwise(steps):
        change = (_CHARGE_PER_S if step.mode == CHARGING else -_DRAIN_PER_S[step.mode]) * (following.at_s - step.at_s)
        level.append(min(100.0, max(6.0, level[-1] + change)))
    return level


def draw_day(key: tuple[str | int, ...], where: Location, day: date, knobs: Knobs) -> Day:
    """The robot's day. ``knobs`` are those of the average day: bad days, with rain or crowds, have more than their share."""
    made = Day(start_us=micros(midnight(day, where.zone)))
    rng = generator(*key, "missions", day.isoformat())
    mean = knobs.weekend_missions if day.weekday() >= 5 else knobs.weekday_missions
    # Log-normal of mean one: failures of a day come together.
    badness = float(np.exp(0.4 * rng.standard_normal() - 0.08))
    routes = [_Route(rng, knobs, badness) for _ in range(int(np.clip(rng.poisson(mean), 3, 36)))]
    while sum(route.lasts_s for route in routes) > 0.9 * (_CLOSE_S - _OPEN_S):
        routes.pop()
    waits = rng.exponential(size=len(routes) + 1)
    waits *= (_CLOSE_S - _OPEN_S - sum(route.lasts_s for route in routes)) / waits.sum()
    at_s = float(_OPEN_S)
    made.steps.append(Step(at_s=at_s, mode=IDLE, x_m=0.0, y_m=0.0))
    for index, (route, wait) in enumerate(zip(routes, waits[:-1], strict=True)):
        at_s += float(wait)
        made.steps.extend(route.steps(at_s))
        made.happened.extend((index, event) for event in route.events(made.start_us, at_s))
        made.under_way.append((made.start_us + _whole_ms(at_s), made.start_us + _whole_ms(at_s + route.lasts_s)))
        at_s += route.lasts_s
        made.steps.append(Step(at_s=at_s, mode=IDLE, x_m=0.0, y_m=0.0))
    made.steps.append(Step(at_s=float(_CLOSE_S), mode=CHARGING, x_m=0.0, y_m=0.0))
    full_s = _CLOSE_S + (100.0 - levels(made.steps)[-1]) / _CHARGE_PER_S
    made.steps.append(Step(at_s=full_s, mode=IDLE, x_m=0.0, y_m=0.0))
    made.missions = len(routes)
    return made


class _Route:
    """One mission: out along two sides of a rectangle, handing over, and back the same way."""

    def __init__(self, rng: np.random.Generator, knobs: Knobs, badness: float) -> None:
        chosen, outcome, where, how_long, cause = rng.random(5)
        self.name, self.x_m, self.y_m = _DESTINATIONS[int(chosen * len(_DESTINATIONS))]
        failure, intervention = min(0.9, knobs.failure * badness), min(0.9, knobs.intervention * badness)
        self.failed = bool(outcome < failure)
        self.helped = bool(failure <= outcome < failure + intervention)
        self.fraction = 0.15 + 0.7 * float(where)
        self.stopped_s = (
            (180.0 + 720.0 * how_long) if self.failed else (40.0 + 200.0 * how_long) if self.helped else 0.0
        )
        self.cause = (_FAULTS if self.failed else _REASONS)[int(cause * 4)]

    @property
    def distance_m(self) -> float:
        """One way."""
        return self.x_m + self.y_m

    @property
    def trouble_s(self) -> float:
        """When it stopped, from the mission's start."""
        return self.fraction * self.distance_m / _SPEED_M_S

    @property
    def lasts_s(self) -> float:
        if self.failed:
            return 2 * self.trouble_s + self.stopped_s
        return 2 * self.distance_m / _SPEED_M_S + _HANDOVER_S + self.stopped_s

    def steps(self, start_s: float) -> list[Step]:
        """The mission's steps but the last, at the dock again."""
        way = list(self._way_out())
        if not self.failed and not self.helped:
            return [_step(start_s + at_s, AUTOMATIC, at) for at_s, at in [*way, *self._way_back(way)]]
        trouble = (self.trouble_s, self._position(self.fraction * self.distance_m))
        before = [(at_s, at) for at_s, at in way if at_s < trouble[0]]
        steps = [_step(start_s + at_s, AUTOMATIC, at) for at_s, at in before]
        steps.append(_step(start_s + trouble[0], FAULT if self.failed else MANUAL, trouble[1]))
        onward_s = trouble[0] + self.stopped_s
        if self.failed:  # somebody drives it home
            back = [(onward_s, trouble[1])]
            back += [(onward_s + trouble[0] - at_s, at) for at_s, at in reversed(before[1:])]
            return [*steps, *(_step(start_s + at_s, MANUAL, at) for at_s, at in back)]
        rest = [(at_s, at) for at_s, at in way if at_s >= trouble[0]]
        onward = [trouble, *rest, *self._way_back(way)]
        return [*steps, *(_step(start_s + at_s + self.stopped_s, AUTOMATIC, at) for at_s, at in onward)]

    def events(self, midnight_us: int, start_s: float) -> Iterator[Event]:
        """Start and end of the mission, and what went wrong in between."""
        start_us, trouble_us = (midnight_us + _whole_ms(start_s + after) for after in (0.0, self.trouble_s))
        cleared_us = midnight_us + _whole_ms(start_s + self.trouble_s + self.stopped_s)
        yield Event(
            at_us=start_us,
            kind="mission",
            id="",
            phase="start",
            attributes={"destination": self.name, "distance_m": round(2 * self.distance_m, 1)},
        )
        if self.failed:
            yield Event(at_us=trouble_us, kind="fault", id="", phase="start", attributes={"code": self.cause})
            yield Event(at_us=cleared_us, kind="fault", id="", phase="end", attributes={"code": self.cause})
        if self.helped:
            operator_s = round(self.stopped_s)
            yield Event(
                at_us=trouble_us,
                kind="intervention",
                id="",
                attributes={"reason": self.cause, "operator_s": operator_s},
            )
            yield self._progress(cleared_us, "resumed")
        if not self.failed:
            reached_us = midnight_us + _whole_ms(start_s + self.distance_m / _SPEED_M_S + self.stopped_s)
            yield self._progress(reached_us, "reached")
            yield self._progress(reached_us + _whole_ms(_HANDOVER_S), "handed_over")
        yield Event(
            at_us=midnight_us + _whole_ms(start_s + self.lasts_s),
            kind="mission",
            id="",
            phase="end",
            attributes={
                "outcome": "failed" if self.failed else "delivered",
                "intervention": self.failed or self.helped,
                "duration_s": round(self.lasts_s),
            },
        )

    def _progress(self, at_us: int, what: str) -> Event:
        return Event(at_us=at_us, kind=PROGRESS, id="", attributes={"what": what})

    def _way_out(self) -> Iterator[tuple[float, tuple[float, float]]]:
        yield 0.0, (0.0, 0.0)
        yield self.x_m / _SPEED_M_S, (self.x_m, 0.0)
        yield self.distance_m / _SPEED_M_S, (self.x_m, self.y_m)

    def _way_back(self, way: list[tuple[float, tuple[float, float]]]) -> Iterator[tuple[float, tuple[float, float]]]:
        """After the handover; without the dock itself."""
        turn_s = way[-1][0]
        for at_s, at in reversed(way[1:]):
            yield turn_s + _HANDOVER_S + turn_s - at_s, at

    def _position(self, along_m: float) -> tuple[float, float]:
        return min(along_m, self.x_m), max(0.0, along_m - self.x_m)


def _step(at_s: float, mode: int, at: tuple[float, float]) -> Step:
    # To the millisecond, as events are: what is measured at the instant of one is what it brought about.
    return Step(at_s=_whole_ms(at_s) / SECOND_US, mode=mode, x_m=at[0], y_m=at[1])


def _whole_ms(seconds: float) -> int:
    return round(seconds * 1000) * (SECOND_US // 1000)


def days_touched(where: Location, start_us: int, end_us: int) -> Iterator[date]:
    """The local days of ``[start, end)``, none before the pilot's start."""
    day = max(where.start, instant(start_us).astimezone(where.zone).date())
    while micros(midnight(day, where.zone)) < end_us:
        yield day
        day += timedelta(days=1)
