"""A station platform with smart ventilation: dust, carbon dioxide and climate, driven by passengers, weather and fans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from simulators.scenario.base import Location, Quantity, Scenario
from simulators.scenario.local_time import LocalTime, local_time
from simulators.scenario.noise import SECOND_US, Floats, Micros, red_noise

_JULY, _JANUARY = 0.55, 0.05
_CALIBRATION_STEP_US = 600 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class AirQuality(Scenario):
    """Passengers stir up dust and breathe out; outdoor air brings its own; fans follow the hours and the crowd."""

    name: ClassVar[str] = "air"
    title_ko: ClassVar[str] = "역사 공기질 (초미세먼지, 미세먼지, 이산화탄소, 온도, 습도)"
    title: ClassVar[str] = "station air: PM2.5, PM10, CO2, temperature, humidity"
    quantities: ClassVar[Mapping[str, Quantity]] = MappingProxyType(
        {
            "pm25": Quantity(unit="ug/m^3", decimals=1),
            "pm10": Quantity(unit="ug/m^3", decimals=1),
            "co2": Quantity(unit="ppm", decimals=0),
            "temperature": Quantity(unit="degC", decimals=2),
            "humidity": Quantity(unit="%", decimals=1),
        }
    )

    limit: float = 35.0
    """The limit of PM2.5 in µg/m³ …"""
    above: float = 0.02
    """… and the share of time above it, from the pilot's start to its first evaluation date."""

    def sample(self, where: Location, at_us: Micros) -> Mapping[str, Floats]:
        time = local_time(at_us, where.zone)
        crowd, fan = _crowd(time), self._fan(where, time, at_us)
        pm25 = np.maximum(2.0, self.dust(where, time, at_us) * _dust_scale(self, where))
        coarse = 0.35 + 0.25 * crowd + 0.08 * self._noise(where, "coarse", at_us, memory_s=3_600)
        outdoors = self._outdoor_temperature(where, time, at_us)
        temperature = (
            15.5 + 0.42 * (outdoors - 12.0) + 1.6 * crowd + 0.15 * self._noise(where, "t", at_us, memory_s=900)
        )
        humidity = (
            52 + 14 * time.season(_JULY) + 7 * self._weather(where, "moisture", at_us) - 0.9 * (temperature - 17) * fan
        )
        breath = 620 * crowd / (0.55 + fan) * (1 + 0.08 * self._noise(where, "co2", at_us, memory_s=1_200))
        return {
            "pm25": pm25,
            "pm10": pm25 * (1 + np.clip(coarse, 0.1, 1.5)) + 3.0,
            "co2": 428 + np.maximum(0.0, breath) + 4 * self._noise(where, "co2-sensor", at_us, memory_s=120),
            "temperature": temperature,
            "humidity": np.clip(humidity + 0.6 * self._noise(where, "rh", at_us, memory_s=600), 8.0, 98.0),
        }

    def _noise(self, where: Location, what: str, at_us: Micros, *, memory_s: float) -> Floats:
        return red_noise((*self._key(where), what), at_us, memory_s=memory_s)

    def _weather(self, where: Location, what: str, at_us: Micros) -> Floats:
        """Slow noise that all slots of the site share, with a memory of a day and a half."""
        return red_noise((self.seed, where.pilot, what), at_us, memory_s=36 * 3600, step_s=3600)

    def _fan(self, where: Location, time: LocalTime, at_us: Micros) -> Floats:
        """Fan speed 0.15 … 1: low while the station is closed, above that with the crowd."""
        opened = _smooth(time.hour, 4.8, 0.4) * (1 - _smooth(time.hour, 23.9, 0.4))
        wandering = 0.04 * self._noise(where, "fan", at_us, memory_s=1_800)
        speed: Floats = np.clip(0.15 + opened * (0.35 + 0.5 * _crowd(time) + wandering), 0.15, 1.0)
        return speed

    def dust(self, where: Location, time: LocalTime, at_us: Micros) -> Floats:
        """PM2.5 before it is fitted to the share of time above the limit."""
        outdoors = (21 + 7 * time.season(_JANUARY)) * np.exp(0.38 * self._weather(where, "dust", at_us) - 0.07)
        platform = 11 * (1 + 0.15 * where.index) * _crowd(time) / (0.5 + self._fan(where, time, at_us))
        local = np.exp(0.14 * self._noise(where, "dust", at_us, memory_s=2_400))
        mixed: Floats = (0.5 * outdoors + platform) * local
        return mixed + 0.4 * self._noise(where, "dust-sensor", at_us, memory_s=90)

    def _outdoor_temperature(self, where: Location, time: LocalTime, at_us: Micros) -> Floats:
        """Seoul's, roughly: −2 °C in January, 26 °C in July, 4 °C up and down in a day, and its weather."""
        weather = self._weather(where, "temperature", at_us)
        return 12.0 + 14.0 * time.season(_JULY) + 4.0 * time.daily(15.0) + 3.0 * weather


def _crowd(time: LocalTime) -> Floats:
    """How full the platform is, 0 … 1: two rushes on weekdays, a long afternoon at weekends, nobody at night."""
    workday = 0.85 * time.bump(8.3, 0.8) + 0.28 * time.bump(13.0, 3.2) + 0.9 * time.bump(18.6, 1.1)
    weekend = 0.5 * time.bump(15.0, 3.6) + 0.15 * time.bump(20.0, 1.6)
    opened = _smooth(time.hour, 5.3, 0.3) * (1 - _smooth(time.hour, 23.7, 0.3))
    crowd: Floats = opened * (0.06 + np.where(time.weekend > 0, weekend, workday))
    return crowd


def _smooth(hour: Floats, at: float, width: float) -> Floats:
    """From 0 before the hour to 1 after it."""
    step: Floats = 0.5 * (1 + np.tanh((hour - at) / width))
    return step


@lru_cache(maxsize=256)
def _dust_scale(scenario: AirQuality, where: Location) -> float:
    """The factor that puts the share ``above`` of the time to the first evaluation date above the limit."""
    at_us = np.arange(where.start_us, where.look_us, _CALIBRATION_STEP_US, dtype=np.int64)
    dust = scenario.dust(where, local_time(at_us, where.zone), at_us)
    return scenario.limit / float(np.quantile(dust, 1 - scenario.above))
