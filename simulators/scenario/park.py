"""Solar benches in a park that measure noise and shade, and whose batteries are flat most of the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from simulators.scenario.base import Location, Quantity, Scenario
from simulators.scenario.local_time import LocalTime, local_time
from simulators.scenario.noise import Floats, Micros, red_noise
from simulators.scenario.outage import Outages

_JULY = 0.55
_LONG = Outages(block_s=3 * 86_400, chance=1.0, least_s=1.4 * 86_400, most_s=2.4 * 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarBench(Scenario):
    """Silent for a day or two of every three: what it says is good, and too little."""

    name: ClassVar[str] = "park"
    title_ko: ClassVar[str] = "공원 태양광 벤치 (소음, 좌면 온도, 전압), 긴 통신 두절"
    title: ClassVar[str] = "solar benches in a park: noise, seat temperature, voltage; long outages"
    quantities: ClassVar[Mapping[str, Quantity]] = MappingProxyType(
        {
            "noise": Quantity(unit="dBA", decimals=1),
            "seat_temperature": Quantity(unit="degC", decimals=1),
            "voltage": Quantity(unit="V", decimals=2),
        }
    )

    loss: float = 0.02
    outages: Outages = _LONG

    def sample(self, where: Location, at_us: Micros) -> Mapping[str, Floats]:
        time = local_time(at_us, where.zone)
        sun = self._sun(where, time, at_us)
        visitors = (time.bump(11.5, 2.2) + 0.9 * time.bump(17.5, 2.0)) * (0.7 + 0.5 * time.weekend)
        noise = 43 + 11 * visitors + 2.2 * self._noise(where, "noise", at_us, memory_s=420)
        air = (
            12.0 + 14.0 * time.season(_JULY) + 4.0 * time.daily(15.0) + 3.0 * self._weather(where, "temperature", at_us)
        )
        return {
            "noise": np.clip(noise, 33.0, 95.0),
            "seat_temperature": air + 7.0 * sun + 0.3 * self._noise(where, "seat", at_us, memory_s=600),
            "voltage": np.clip(
                11.9 + 1.3 * sun + 0.25 * time.daily(17.0) + 0.05 * self._noise(where, "v", at_us, memory_s=900),
                10.8,
                14.4,
            ),
        }

    def _sun(self, where: Location, time: LocalTime, at_us: Micros) -> Floats:
        """Sun on the panel, 0 … 1: by the hour, the season and the clouds."""
        height = np.maximum(0.0, time.daily(12.6) + 0.25 * time.season(_JULY))
        clouds = np.clip(0.75 + 0.3 * self._weather(where, "clouds", at_us), 0.15, 1.0)
        sun: Floats = np.minimum(1.0, height) * clouds
        return sun

    def _noise(self, where: Location, what: str, at_us: Micros, *, memory_s: float) -> Floats:
        return red_noise((*self._key(where), what), at_us, memory_s=memory_s)

    def _weather(self, where: Location, what: str, at_us: Micros) -> Floats:
        """Slow noise that all benches of the park share."""
        return red_noise((self.seed, where.pilot, what), at_us, memory_s=36 * 3600, step_s=3600)
