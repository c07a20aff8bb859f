"""``jump`` of a position: a device that stands somewhere else than before.

The two-window test of :mod:`telemetry.quality.jump` on hourly mean positions: the distance between the median positions of the 24
hours before and after an hour's start. 3 where it is more than 100 m and three times the scatter, and abrupt. A device that moves
about (a scatter above 100 m) has no place to be moved from: 2.

Unit: m; positions in degrees. Source: great-circle distance by the haversine formula on the mean Earth radius (6 371 009 m,
IUGG).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from telemetry.quality.flags import GOOD, SUSPECT, UNKNOWN, Flags, Floats, flags
from telemetry.quality.jump import STEP_H, Levels, largest, levels, settled, stands_out, three_hours

LEAST_M: Final = 100.0
RADIUS_M: Final = 6_371_009.0


def distance_m(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """How far apart positions are.

    >>> np.round(distance_m(*(np.array([x]) for x in (37.0, 127.0, 37.001, 127.0))), 1)
    array([111.2])
    """
    a, b = np.radians(lat), np.radians(to_lat)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    apart: Floats = 2 * RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return apart


def relocation(lat: Floats, lon: Floats) -> tuple[Flags, Floats]:
    """One flag an hour, about its start, and how far the place moved there.

    :param lat, lon: hourly means, hour after hour without a hole; NaN where there are none.
    """
    north, east = levels(lat), levels(lon)
    moved = distance_m(north.before, east.before, north.after, east.after)
    scatter = _scatter(north, east)
    first, second = three_hours(lat), three_hours(lon)
    step = distance_m(first[:-STEP_H], second[:-STEP_H], first[STEP_H:], second[STEP_H:])
    known = north.known & east.known & (scatter <= LEAST_M)
    with np.errstate(invalid="ignore"):
        stands = known & stands_out(moved, scatter, LEAST_M) & (step >= moved / 2)
    change = np.zeros(len(lat))
    change[1:] = np.nan_to_num(distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]))
    found = flags(len(lat), UNKNOWN)
    found[known & settled(len(lat))] = GOOD
    most = largest(np.where(stands, moved + change, 0.0))
    found[stands & most & settled(len(lat))] = SUSPECT
    return found, moved


def _scatter(north: Levels, east: Levels) -> Floats:
    degree_m = np.radians(1.0) * RADIUS_M
    scatter: Floats = degree_m * np.hypot(north.noise, east.noise * np.cos(np.radians(north.before)))
    return scatter
