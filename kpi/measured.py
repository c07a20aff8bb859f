"""Which measure a KPI is computed by, and what its parts are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.units import conversion, same_dimension
from devices.plan.event_measures import EventRate, span_of
from devices.plan.measures import (
    Availability,
    Capture,
    Count,
    EventDuration,
    EventRatio,
    Increase,
    Integral,
    Mtbf,
    Share,
    Statistic,
)
from devices.plan.model import Kpi
from kpi.measurement import Measurement
from kpi.measures import (
    availability,
    capture,
    count,
    event_duration,
    event_rate,
    event_ratio,
    increase,
    integral,
    mtbf,
    share,
    statistic,
)

COUNTED: Final[Mapping[str, str]] = {
    "event_ratio": "events",
    "event_rate": "events",
    "count": "events",
    "event_duration": "events",
    "mtbf": "failures",
    "availability": "time",
    "share": "time",
}
"""What a kind is computed from, where it is not readings; a key of ``kpi/sentences.py``."""


def measured(
    kpi: Kpi, unit: str, parts: Sequence[Any], weeks: Sequence[tuple[float, Sequence[Any]]] = ()
) -> Measurement:
    """A KPI's measure over its parts.

    :param kpi: one that promises one thing.
    :param unit: of what the measure gives.
    """
    match kpi.measure.of:
        case Statistic(stat=stat):
            # The share form of a percentile compares readings, so it takes the target in their unit.
            target = kpi.bounds.to(unit) if stat.startswith("p") else None
            return statistic.measure(parts, weeks, stat=stat, unit=unit, target=target)
        case EventDuration(stat=stat, designed=designed):
            target = kpi.bounds.to(unit) if stat.startswith("p") else None
            return event_duration.measure(parts, weeks, stat=stat, target=target, designed=designed)
        case EventRatio(designed=designed):
            return event_ratio.measure(parts, weeks, designed=designed)
        case EventRate() as of:
            one, together = _exposure(of)
            return event_rate.measure(parts, weeks, unit=unit, one=one, together=together, independent=of.independent)
        case Count(independent=independent):
            return count.measure(parts, weeks, independent=independent)
        case Integral():
            return integral.measure(parts, weeks, unit=unit)
        case Increase():
            return increase.measure(parts, weeks, unit=unit)
        case Share():
            return share.measure(parts, weeks)
        case Capture():
            return capture.measure(parts, weeks)
        case Availability():
            return availability.measure(parts, weeks)
        case Mtbf():
            return mtbf.measure(parts, weeks)


def _exposure(of: EventRate) -> tuple[float, bool]:
    """How much exposure there is in one of the unit's, and whether the slots are exposed together."""
    if of.per.time is None:
        return 1, False
    number, unit = span_of(of.per.time)
    together = same_dimension(unit, "s")
    return round(conversion(unit, "us" if together else "device*us")(number)), together
