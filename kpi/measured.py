"""Which measure a KPI is computed by, and what its parts are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.units import conversion, same_dimension
from devices.plan.event_measures import EventRate, span_of
from devices.plan.measures import (
    Agreement,
    Availability,
    Capture,
    Change,
    Count,
    Delay,
    Detection,
    EventDuration,
    EventRatio,
    Forecast,
    FrameSequence,
    Increase,
    Integral,
    Manual,
    Measure,
    Mtbf,
    Share,
    Statistic,
)
from devices.plan.model import Kpi
from devices.plan.truth import share_of
from kpi.measurement import Measurement
from kpi.measures import (
    agreement,
    availability,
    capture,
    change,
    count,
    delay,
    detection,
    event_duration,
    event_rate,
    event_ratio,
    exposure_share,
    forecast,
    increase,
    integral,
    manual,
    mtbf,
    sequence,
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
    "manual": "manual",
    "change": "compared",
    "detection": "labels",
    "agreement": "pairs",
    "sequence": "frames",
    "forecast": "forecast",
    "delay": "delays",
    "exposure": "exposed",
}
"""What a kind is computed from, where it is not readings: a key of ``kpi/reasons.py``'s WHAT, by the name of its gathering."""


def gathered_as(measure: Measure) -> str:
    """By which method a measure is gathered: that of its kind's name, but for what is derived under the name of another."""
    of = measure.of
    if isinstance(of, Delay):
        return "delay"
    return "exposure" if isinstance(of, Share) and of.of != "time" else measure.kind


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
        case Agreement() as of:
            target = kpi.bounds.to(unit, difference=of.shifts) if of.stat.startswith("p") else None
            return agreement.measure(parts, weeks, of=of, unit=unit, target=target)
        case Integral():
            return integral.measure(parts, weeks, unit=unit)
        case Increase():
            return increase.measure(parts, weeks, unit=unit)
        case Share(of=of):
            return share.measure(parts, weeks) if of == "time" else exposure_share.measure(parts, weeks)
        case Delay(stat=stat):
            return delay.measure(parts, weeks, stat=stat, target=kpi.bounds.to(unit))
        case FrameSequence():
            return sequence.measure(parts, weeks)
        case Forecast(stat=stat):
            return forecast.measure(parts, weeks, stat=stat)
        case Capture():
            return capture.measure(parts, weeks)
        case Availability():
            return availability.measure(parts, weeks)
        case Mtbf():
            return mtbf.measure(parts, weeks)
        case Detection(stat=stat, designed=designed) as of:
            double = None if of.truth.double is None else share_of(of.truth.double)
            return detection.measure(parts, weeks, stat=stat, designed=designed, double=double)
        case Change() as changing:
            return _change(kpi, changing, unit, parts, weeks)
        case Manual() as of:
            return manual.measure(parts, weeks, stat=of.stat, unit=unit, n_min=of.n_min, independent=of.independent)


def _exposure(of: EventRate) -> tuple[float, bool]:
    """How much exposure there is in one of the unit's, and whether the slots are exposed together."""
    if of.per.time is None:
        return 1, False
    number, unit = span_of(of.per.time)
    together = same_dimension(unit, "s")
    return round(conversion(unit, "us" if together else "device*us")(number)), together


def _change(
    kpi: Kpi, of: Change, unit: str, parts: Sequence[Any], weeks: Sequence[tuple[float, Sequence[Any]]]
) -> Measurement:
    """A change of another measure, which is computed as it is on its own."""
    given = parts[0].beside.inner_unit if parts else unit
    # A percentile compares its readings with a target; that of the change is in another unit, and decides nothing here.
    inner = kpi.model_copy(update={"measure_": of.inner, "target_": f">= 0 {given}"})

    def computed(some: Sequence[Any], by_week: Sequence[tuple[float, Sequence[Any]]] = ()) -> Measurement:
        return measured(inner, given, some, by_week)

    number, per = span_of(of.per)
    return change.measure(parts, weeks, of=computed, change=of, per_s=number * conversion(per, "s")(1.0), unit=unit)
