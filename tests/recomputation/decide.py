"""From what is known to a status or a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.recomputation.chance import Bounds
from tests.recomputation.units import Target

RANK = {"not_met": 0, "at_risk": 0, "insufficient": 1, "inconclusive": 2, "watch": 2, "met": 3, "on_track": 3}
"""The least favourable first."""

Away = tuple[float, float, float, float]
"""How far below and above the value may lie: for *met*, then for *not met*."""
NOWHERE: Away = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of one KPI, in the unit of its target."""

    target: Target
    capability: bool
    rule: str
    least: float
    value: float | None
    ends: Bounds | None
    fill: Bounds | None
    chance: Away | None
    """None: there is no interval."""
    band: Away | None
    """None: nothing is known of the instruments."""
    completeness: float | None
    quarters: tuple[float | None, ...]


def verdict(known: Known) -> str:
    """At an evaluation date."""
    if known.value is None or known.ends is None:
        return "insufficient"
    bounded = (known.rule != "guarded" or known.band is not None) and (not _sampled(known) or known.chance is not None)
    lacking = known.completeness is None or any(
        one is not None and one < known.least for one in (known.completeness, *known.quarters)
    )
    if lacking:
        return "insufficient" if known.fill is None or not bounded else _compared(known, known.fill, "insufficient")
    return _compared(known, known.ends, "inconclusive") if bounded else "inconclusive"


def status(known: Known, month: float | None) -> str:
    """Of a month, by the cumulative value.

    :param month: the completeness of the month alone.
    """
    if month is None or month < known.least or known.value is None or known.ends is None:
        return "insufficient"
    if not known.target.holds(known.value):
        return "at_risk"
    if (known.rule == "guarded" and known.band is None) or (known.capability and known.chance is None):
        return "watch"
    met, _ = _widened(known, known.ends, chance=known.capability)
    return "on_track" if all(map(known.target.holds, met)) else "watch"


def _sampled(known: Known) -> bool:
    return known.capability and known.rule != "estimate"


def _compared(known: Known, ends: Bounds, otherwise: str) -> str:
    met, missed = _widened(known, ends, chance=_sampled(known))
    if all(map(known.target.holds, met)):
        return "met"
    return "not_met" if _outside(missed, known.target) else otherwise


def _widened(known: Known, ends: Bounds, *, chance: bool) -> tuple[Bounds, Bounds]:
    by_chance = known.chance if chance and known.chance is not None else NOWHERE
    by_band = known.band if known.rule == "guarded" and known.band is not None else NOWHERE
    below, above, below_missed, above_missed = map(math.hypot, by_chance, by_band)
    return (ends[0] - below, ends[1] + above), (ends[0] - below_missed, ends[1] + above_missed)


def _outside(ends: Bounds, target: Target) -> bool:
    low, high = ends
    below = high < target.low or (high == target.low and math.isfinite(high) and not target.low_in)
    above = low > target.high or (low == target.high and math.isfinite(low) and not target.high_in)
    return below or above
