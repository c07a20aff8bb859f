"""A drone in its station at a park by the Han river: four patrols a day over the bank, charging in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from simulators.scenario.base import Location, Quantity, Scenario
from simulators.scenario.flights import GUIDED, MODES, Flight, Knobs, days_near, flights_of, levels
from simulators.scenario.noise import SECOND_US, Floats, Micros, red_noise
from simulators.scenario.outage import Outages
from simulators.scenario.records import Event

WAYPOINT = "waypoint"
CRITICAL = "critical"
TOUCHDOWN = "touchdown"
"""What happens in a flight, and is told by messages of its own."""

_M_A_DEGREE = 111_195.0
_DRAIN_PER_S, _CHARGE_PER_S = 3.2 / 60, 1.4 / 60
_FREQUENT = Outages(block_s=3 * 86_400, chance=0.9, least_s=600, most_s=5_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolDrone(Scenario):
    """Four flights a day of a quarter of an hour each; now and then one turns home before its time. Its link is down on the
    ground only.
    """

    name: ClassVar[str] = "drone"
    title_ko: ClassVar[str] = "한강공원 순찰 드론 (배터리, 위치, 고도, 속도, 비행 모드, 비행 기록)"
    title: ClassVar[str] = "patrol drone over a park by the river: battery, position, height, speed, mode, flights"
    quantities: ClassVar[Mapping[str, Quantity]] = MappingProxyType(
        {
            "battery": Quantity(unit="%", decimals=0),
            "latitude": Quantity(unit="degree", decimals=7),
            "longitude": Quantity(unit="degree", decimals=7),
            "height": Quantity(unit="m", decimals=2),
            "ground_speed": Quantity(unit="m/s", decimals=1),
            "flight_mode": Quantity(states=MODES),
        }
    )
    longest: ClassVar[timedelta] = timedelta(hours=1)

    loss: float = 0.005
    outages: Outages = _FREQUENT
    station: tuple[float, float] = (37.5287, 127.0665)
    """Latitude and longitude, WGS 84."""
    one_fails_of: int = 25
    """Of so many flights in a row one turns home before its time."""

    def sample(self, where: Location, at_us: Micros) -> Mapping[str, Floats]:
        x_m, y_m, z_m, speed, battery = (np.zeros(at_us.shape) for _ in range(5))
        mode = np.full(at_us.shape, float(GUIDED))
        battery += 100.0
        if at_us.size:
            flights = self._flights(where, int(at_us.min()), int(at_us.max()) + 1)
            corners = levels(flights, _DRAIN_PER_S, _CHARGE_PER_S)
            battery = np.interp(at_us, [us for us, _ in corners], [level for _, level in corners], left=100.0)
            for flight in flights:
                self._fly(flight, at_us, (x_m, y_m, z_m, speed), mode)
        flying = (z_m > 1.0).astype(np.float64)
        x_m, y_m = (
            metres + flying * 0.6 * red_noise((*self._key(where), name), at_us, memory_s=120, step_s=10)
            for name, metres in (("x", x_m), ("y", y_m))
        )
        return {
            "battery": battery,
            "latitude": self.station[0] + y_m / _M_A_DEGREE,
            "longitude": self.station[1] + x_m / (_M_A_DEGREE * np.cos(np.radians(self.station[0]))),
            "height": z_m,
            "ground_speed": speed,
            "flight_mode": mode,
        }

    def happenings(self, where: Location, start_us: int, end_us: int) -> list[Event]:
        found = [event for flight in self._flights(where, start_us, end_us) for event in _events(flight)]
        return sorted(
            (event for event in found if start_us <= event.at_us < end_us), key=lambda event: (event.at_us, event.id)
        )

    def down(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:
        found = Scenario.down(self, where, start_us, end_us)  # super() does not know a class with slots
        return [(down_us, up_us) for down_us, up_us in found if not self.spans(where, down_us, up_us)]

    def spans(self, where: Location, start_us: int, end_us: int) -> list[tuple[int, int]]:
        """Its flights."""
        return [
            (flight.start_us, flight.end_us)
            for flight in self._flights(where, start_us, end_us)
            if flight.start_us < end_us and start_us < flight.end_us
        ]

    def _flights(self, where: Location, start_us: int, end_us: int) -> list[Flight]:
        """The flights of the days that a window touches, and of the day before it."""
        knobs = Knobs(one_fails_of=self.one_fails_of)
        days = days_near(where, start_us, end_us)
        return [flight for day in days for flight in flights_of(self._key(where), where, day, knobs)]

    def _fly(self, flight: Flight, at_us: Micros, moving: tuple[Floats, Floats, Floats, Floats], mode: Floats) -> None:
        """Put in where the drone is during a flight."""
        chosen = (flight.start_us <= at_us) & (at_us < flight.end_us)
        if not chosen.any():
            return
        steps = flight.steps
        corners_us = np.array([step.at_us for step in steps])
        since = at_us[chosen]
        index = np.searchsorted(corners_us, since, side="right") - 1
        places = np.array([(step.x_m, step.y_m, step.z_m) for step in steps])
        for axis in range(3):
            moving[axis][chosen] = np.interp(since, corners_us, places[:, axis])
        far_m = np.hypot(*np.diff(places[:, :2], axis=0).T)
        took_s = np.diff(corners_us) / SECOND_US
        moving[3][chosen] = (far_m / np.maximum(took_s, 1e-3))[index]
        mode[chosen] = np.array([step.mode for step in steps], dtype=np.float64)[index]


def _events(flight: Flight) -> list[Event]:
    name = f"flight-{flight.number:06d}"
    failed = flight.critical_us is not None
    found = [Event(at_us=flight.start_us, kind="flight", id=name, phase="start", number=flight.number)]
    found += [
        Event(at_us=at_us, kind=WAYPOINT, id=name, attributes={"item": item})
        for item, at_us in enumerate(flight.reached_us, start=1)
    ]
    if flight.critical_us is not None:
        found.append(Event(at_us=flight.critical_us, kind=CRITICAL, id=name))
    found.append(Event(at_us=flight.touched_us, kind=TOUCHDOWN, id=name))
    found.append(
        Event(
            at_us=flight.end_us,
            kind="flight",
            id=name,
            phase="end",
            number=flight.number,
            attributes={
                "result": "failed" if failed else "completed",
                "duration_s": round((flight.end_us - flight.start_us) / SECOND_US, 3),
                "items": len(flight.reached_us),
            },
        )
    )
    return found
