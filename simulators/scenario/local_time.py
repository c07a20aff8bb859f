"""What a site's people and weather go by: the hour of the day, the weekday and the season of a zone, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from core.window import instant
from simulators.scenario.noise import SECOND_US, Floats, Micros

_STEP_US = 900 * SECOND_US
_DAY_S = 86_400
_THURSDAY = 3  # 1970-01-01, counted from Monday = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """Local calendar quantities of some instants, each an array of their shape."""

    hour: Floats
    """Hour of the day with its fraction, 0 ≤ hour < 24."""
    weekend: Floats
    """1.0 on Saturday and Sunday, else 0.0."""
    year: Floats
    """Position in the year, 0 on about 1 January, 1 a year later."""

    def season(self, peak: float) -> Floats:
        """1 at the position ``peak`` of the year, −1 half a year from it."""
        wave: Floats = np.cos(2 * math.pi * (self.year - peak))
        return wave

    def daily(self, peak_hour: float) -> Floats:
        """1 at ``peak_hour``, −1 twelve hours from it."""
        wave: Floats = np.cos(2 * math.pi * (self.hour - peak_hour) / 24)
        return wave

    def bump(self, hour: float, width_h: float) -> Floats:
        """A bell of height 1 around an hour of the day, ``width_h`` its standard deviation; wraps at midnight."""
        apart = np.abs(self.hour - hour)
        apart = np.minimum(apart, 24 - apart)
        bell: Floats = np.exp(-0.5 * (apart / width_h) ** 2)
        return bell


def local_time(at_us: Micros, zone: ZoneInfo) -> LocalTime:
    """The local time of instants in a zone, its clock changes included.

    Offsets are looked up once a quarter of an hour: zones change their clock at such instants only.
    """
    seconds = (at_us + _offset_us(at_us, zone)) / SECOND_US
    days = np.floor_divide(seconds, _DAY_S)
    return LocalTime(
        hour=(seconds - days * _DAY_S) / 3600,
        weekend=((days + _THURSDAY) % 7 >= 5).astype(np.float64),
        year=days / 365.2425,
    )


def _offset_us(at_us: Micros, zone: ZoneInfo) -> Micros:
    if at_us.size == 0:
        return np.zeros(0, dtype=np.int64)
    first, last = int(at_us.min()) // _STEP_US, int(at_us.max()) // _STEP_US
    table = np.array([_offset_at(step, zone) for step in range(first, last + 1)], dtype=np.int64)
    offsets: Micros = table[at_us // _STEP_US - first]
    return offsets


def _offset_at(step: int, zone: ZoneInfo) -> int:
    offset = instant(step * _STEP_US).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
