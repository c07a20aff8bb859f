"""How far an instrument may have moved a change. Pure."""

from __future__ import annotations

import math

from core.units import conversion
from devices.plan.event_measures import span_of
from devices.plan.instrument import Widest
from devices.plan.measures import Change, Increase, Integral, Statistic
from kpi.measures.change_chance import Changed


def change_band(of: Change, unit: str, changed: object, band: Widest) -> float:
    """The expanded uncertainty of a change, in its unit: both sides' own, in quadrature.

    Baseline and pilot may have been measured by other instruments, so what is systematic in one is none in the other.

    :param unit: the channel's.
    :param changed: what the measure says of its sides.
    """
    if not isinstance(changed, Changed) or changed.levels is None:
        return 0.0
    own = [_of_level(of, unit, level, band) for level in changed.levels]
    if not changed.ratio:
        return math.hypot(*own)
    relative = [u / abs(level) if level else 0.0 for u, level in zip(own, changed.levels, strict=True)]
    return 100 * abs(changed.centre) * math.hypot(*relative)


def _of_level(of: Change, unit: str, level: float, band: Widest) -> float:
    match of.of.of:
        case Statistic(stat="std"):
            return band.of_span(level, unit, times=0.0)
        case Statistic():
            return band.at(level, unit)
        case Integral():
            number, per = span_of(of.per)
            return band.of_span(level, unit, times=number * conversion(per, "s")(1.0))
        case Increase():
            return band.of_span(level, unit, times=0.0)
        case _:
            return 0.0
