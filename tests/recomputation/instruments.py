"""How far instruments may be off: bands by certificate or by class, k = 2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.recomputation import units
from tests.recomputation.found import Found
from tests.recomputation.units import Target

_CLASSES = (
    ("degC", 0.3, 0.005), ("ug/m^3", 0.0, 0.5), ("W", 0.0, 0.035), ("kWh", 0.0, 0.035), ("dB", 2.0, 0.0), ("m^3", 0.0, 0.05)
)  # fmt: skip
"""Unit, absolute part, share of the value."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """``absolute + relative · |value|``, the value in ``unit``."""

    unit: str
    absolute: float
    relative: float

    def at(self, value: float, unit: str) -> float:
        """The uncertainty of a value, in its own unit."""
        there = units.convert(value, unit, self.unit)
        return units.convert(self.absolute + self.relative * abs(there), self.unit, unit, difference=True)

    def of_span(self, value: float, unit: str, times: float) -> float:
        """That of what is no point on a scale: so many times the absolute part, and the share."""
        return times * units.convert(self.absolute, self.unit, unit, difference=True) + self.relative * abs(value)


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """Those of a KPI's slots together."""

    unit: str
    known: bool
    certified: bool
    bands: tuple[Band, ...]

    def at(self, value: float) -> float:
        return max(one.at(value, self.unit) for one in self.bands)

    def of_span(self, value: float, times: float) -> float:
        return max(one.of_span(value, self.unit, times) for one in self.bands)


def instruments(channels: Sequence[dict[str, Any]]) -> Instruments | None:
    """What is known of them; None where none has a part in the value."""
    measuring = [one for one in channels if one["kind"] != "state"]
    if not measuring:
        return None
    unit = measuring[0]["unit"]
    bands: list[Band] = []
    certified = True
    for one in measuring:
        given = one.get("uncertainty")
        if given is not None:
            bands.append(_claimed(given, unit))
        if given is None or given.get("certificate") is None:
            certified = False
            default = next((Band(unit=u, absolute=a, relative=r) for u, a, r in _CLASSES if units.alike(u, unit)), None)
            if default is None:
                return Instruments(unit=unit, known=False, certified=False, bands=())
            bands.append(default)
    return Instruments(unit=unit, known=True, certified=certified, bands=tuple(bands))


def _claimed(given: dict[str, Any], unit: str) -> Band:
    scale = 2.0 / float(given.get("k", 2.0))
    relative = absolute = 0.0
    if given.get("relative") is not None:
        number, own = units.number_and_unit(given["relative"])
        relative = units.convert(number, own, "")
    if given.get("absolute") is not None:
        number, own = units.number_and_unit(given["absolute"])
        absolute = units.convert(number, own, unit, difference=True)
    return Band(unit=unit, absolute=absolute * scale, relative=relative * scale)


def moved_by(kind: str, of: dict[str, Any], found: Found, known: Instruments) -> float:
    """How far they move a value, in the measure's unit."""
    if found.members:
        return math.fsum(found.scale * moved_by(kind, of, one, known) for one in found.members)
    value = found.value
    if value is None or not math.isfinite(value):
        return 0.0
    if (kind == "statistic" and of["stat"] == "std") or kind == "event_rate":
        return known.of_span(value, 0.0)
    if kind == "statistic" and of["stat"] == "sum":
        return known.of_span(value, found.n)
    if kind == "statistic":
        return known.at(value)
    if kind == "integral":
        return known.of_span(value, found.covered_s)
    return known.of_span(value, 1.0) if kind == "increase" else 0.0


def moved_limits(limit: Target, known: Instruments) -> tuple[Target | None, Target]:
    """The limits of a condition closer together, and further apart."""

    def away(by: float) -> Target:
        ends = {}
        for name, end, sign in (("low", limit.low, -1), ("high", limit.high, 1)):
            ends[name] = end + sign * by * known.at(end) if math.isfinite(end) else end
        return Target(low_in=limit.low_in, high_in=limit.high_in, unit=limit.unit, **ends)

    closer = away(-1.0)
    empty = closer.low > closer.high or (closer.low == closer.high and not (closer.low_in and closer.high_in))
    return (None if empty else closer), away(1.0)
