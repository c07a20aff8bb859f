"""A delivery robot: missions by day, charging by night; battery, position and mode every period, missions as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from core.window import days
from simulators.scenario.base import Location, Quantity, Scenario
from simulators.scenario.missions import IDLE, MANUAL, MODES, PROGRESS, Day, Knobs, days_touched, draw_day, levels
from simulators.scenario.noise import SECOND_US, Floats, Micros, draws, red_noise
from simulators.scenario.outage import Outages
from simulators.scenario.records import Event

OPERATING_MODES = ("AUTOMATIC", "MANUAL")
"""Whether a person steers; who only waits, charges or is stuck is in automatic mode."""

_MESSAGES = 6
"""Events of one mission at the most."""

_FREQUENT = Outages(block_s=3 * 86_400, chance=0.9, least_s=600, most_s=5_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRobot(Scenario):
    """Some two dozen missions a day between nine and nine; some need help, some fail."""

    name: ClassVar[str] = "robot"
    title_ko: ClassVar[str] = "배송 로봇 (배터리, 위치, 운행 모드, 배송 임무)"
    title: ClassVar[str] = "delivery robot: battery, position, mode, missions"
    quantities: ClassVar[Mapping[str, Quantity]] = MappingProxyType(
        {
            "battery": Quantity(unit="%", decimals=1),
            "x": Quantity(unit="m", decimals=2),
            "y": Quantity(unit="m", decimals=2),
            "mode": Quantity(states=MODES),
            "operating_mode": Quantity(states=OPERATING_MODES),
        }
    )

    longest: ClassVar[timedelta] = timedelta(hours=2)

    loss: float = 0.01
    outages: Outages = _FREQUENT
    failure: float = 0.05
    """Share of the missions that are not delivered."""
    intervention: float = 0.07
    """Share of the missions that are delivered with a person's help."""
    docked_outages: bool = False
    """Its link breaks down while it stands at its dock only, not on its way."""
    event_loss: float = 0.001
    """Share of the event messages that never arrive: numbers missing, missions never closed."""

    def sample(self, where: Location, at_us: Micros) -> Mapping[str, Floats]:
        columns = {name: np.zeros(at_us.shape) for name in self.quantities}
        if at_us.size == 0:
            return columns
        for day in days_touched(where, int(at_us.min()), int(at_us.max()) + 1):
            drawn, following = self._day(where, day), self._day(where, day + timedelta(days=1))
            chosen = (drawn.start_us <= at_us) & (at_us < following.start_us)
            for name, values in _at(drawn, (at_us[chosen] - drawn.start_us) / SECOND_US).items():
                columns[name][chosen] = values
        for name in ("x", "y"):
            columns[name] += 0.12 * red_noise((*self._key(where), name), at_us, memory_s=300)
        return columns

    def happenings(self, where: Location, start_us: int, end_us: int) -> list[Event]:
        found: list[Event] = []
        for day in days_touched(where, start_us, end_us):
            drawn, before = self._day(where, day), self._missions_before(where, day)
            lost = draws((*self._key(where), "lost events"), before, before + drawn.missions, _MESSAGES)
            heard = [0] * drawn.missions
            for index, event in drawn.happened:
                arrives = event.kind == PROGRESS or lost[index, heard[index]] >= self.event_loss
                heard[index] += event.kind != PROGRESS
                if arrives and start_us <= event.at_us < end_us:
                    found.append(_numbered(event, before + index + 1))
        return sorted(found, key=lambda event: (event.at_us, event.id))

    def down(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:
        found = Scenario.down(self, where, start_us, end_us)  # super() does not know a class with slots
        if not self.docked_outages:
            return found
        return [(down_us, up_us) for down_us, up_us in found if not self.spans(where, down_us, up_us)]

    def spans(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:
        """Its missions."""
        return [
            span
            for day in days_touched(where, start_us, end_us)
            for span in self._day(where, day).under_way
            if span[0] < end_us and start_us < span[1]
        ]

    def _day(self, where: Location, day: date) -> Day:
        return _drawn(self._key(where), where, day, Knobs(failure=self.failure, intervention=self.intervention))

    def _missions_before(self, where: Location, day: date) -> int:
        """Missions of all days from the pilot's start to the day before."""
        return sum(self._day(where, earlier).missions for earlier in days(where.start, day))


@lru_cache(maxsize=2048)
def _drawn(key: tuple[str | int, ...], where: Location, day: date, knobs: Knobs) -> Day:
    return draw_day(key, where, day, knobs)


def _at(day: Day, since_s: Floats) -> dict[str, Floats]:
    """The robot's state so many seconds after midnight."""
    at_s = [step.at_s for step in day.steps]
    step = np.searchsorted(at_s, since_s, side="right")
    return {
        "battery": np.interp(since_s, at_s, levels(day.steps)),
        "x": np.interp(since_s, at_s, [step.x_m for step in day.steps]),
        "y": np.interp(since_s, at_s, [step.y_m for step in day.steps]),
        "mode": (mode := np.array([IDLE, *(step.mode for step in day.steps)])[step]).astype(np.float64),
        "operating_mode": (mode == MANUAL).astype(np.float64),
    }


def _numbered(event: Event, number: int) -> Event:
    """The event with its id and number: those of its mission."""
    mission = f"mission-{number:06d}"
    if event.kind in ("mission", PROGRESS):
        return replace(event, id=mission, number=number)
    return replace(event, id=f"{event.kind}-{number:06d}", attributes={**event.attributes, "mission": mission})
