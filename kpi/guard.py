"""The guard band of a guarded decision: how far the instruments may have moved a value.

An instrument's error is systematic: it moves every reading the same way, so it moves a mean, an extreme or a percentile by as
much as one reading, and is never divided by √n. It moves a sum by n readings' worth, an integral by the covered time's worth, and
the limit that a share of time is counted by. What is counted by the platform itself (events, link states, readings received,
durations) has no instrument, and no guard band.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from devices.plan.instrument import Instrument, Widest, moved, together
from devices.plan.measures import Agreement, Change, EventRate, Increase, Integral, Share, Statistic
from devices.plan.model import Channel, Kpi
from kpi.decision import Guard
from kpi.gathered import Gathered
from kpi.measurement import Measurement
from kpi.measures.agreement_band import agreement_band
from kpi.measures.change_band import change_band

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLimits(Generic[Part]):
    """The parts of a share of time with its limits moved by the uncertainty."""

    closer: Gathered[Part] | None
    """None: nothing is left between the limits."""
    wider: Gathered[Part]


def moved_kpis(
    kpi: Kpi, channels: Mapping[str, Channel], instruments: Sequence[Instrument]
) -> tuple[Kpi | None, Kpi] | None:
    """A guarded share of time with its limits closer together and further apart; None where no limit is moved."""
    share = kpi.measure.share
    if kpi.rule != "guarded" or share is None or share.while_.bounds is None or not channels:
        return None
    instrument = together(instruments)
    if instrument is None or instrument.against is None:
        return None
    closer, wider = moved(share, list(channels.values()), instrument.against)

    def of(one: Share) -> Kpi:
        return kpi.model_copy(update={"measure_": kpi.measure.model_copy(update={"share": one})})

    return None if closer is None else of(closer), of(wider)


def band_of(kpi: Kpi, unit: str, found: Measurement, band: Widest) -> float:
    """How far one instrument moves a value, in the unit of the measure.

    :param unit: the channel's.
    :param found: of one slot, or of several together. The value's own unit is that of the measure.
    """
    value = found.value
    if value is None or not math.isfinite(value):
        return 0.0
    match kpi.measure.of:
        case Statistic(stat="std"):
            # What moves every reading alike drops out of their deviations; what stretches them does not.
            return band.of_span(value, unit, times=0.0)
        case Statistic(stat="sum"):
            return band.of_span(value, unit, times=found.n)
        case Statistic():
            return band.at(value, unit)
        case Integral():
            return band.of_span(value, unit, times=float(found.facts.get("covered_s", 0)))
        case Increase():
            return band.of_span(value, unit)
        case Change() as changing:
            return change_band(changing, unit, found.own, band)
        case Agreement() as of:
            return agreement_band(of, unit, found.pairs, band)
        case EventRate(per=per) if per.channel is not None:
            return band.of_span(value, unit, times=0.0)
        case _:
            return 0.0


def guard_of(
    kpi: Kpi,
    unit: str,
    found: Measurement,
    instruments: Sequence[Instrument],
    moved_shares: tuple[float, float] | None,
) -> tuple[Instrument, Guard] | None:
    """The instrument that stands for all, and the guard band in the unit of the measure.

    :param instruments: of the slots; none where no instrument has a part in the value.
    :param moved_shares: of a share of time, its values with the limits closer together and further apart.
    :returns: None where no instrument has a part in it. Where nothing is known of one, the band is all zero, and the
        instrument's ``basis`` says so.
    """
    instrument = together(instruments)
    if instrument is None:
        return None
    if moved_shares is not None and found.value is not None:
        below, above = max(found.value - moved_shares[0], 0.0), max(moved_shares[1] - found.value, 0.0)
        if instrument.in_favour is None:
            return instrument, Guard(below=below, above=above)
        return instrument, Guard(below=below, above=above, below_missed=below, above_missed=above)
    against = _whole(kpi, unit, found, instrument.against)
    favour = _whole(kpi, unit, found, instrument.in_favour)
    return instrument, Guard(below=against, above=against, below_missed=favour, above_missed=favour)


def _whole(kpi: Kpi, unit: str, found: Measurement, band: Widest | None) -> float:
    if band is None:
        return 0.0
    if found.members:
        # Their errors may all point the same way.
        return math.fsum(found.scale * band_of(kpi, unit, one, band) for one in found.members)
    return band_of(kpi, unit, found, band)


def described(instrument: Instrument, guard: Guard | None) -> dict[str, Any]:
    """What an entry says of the instrument. The band is in the unit that the entry shows; None: it is not known here."""
    default = instrument.default
    return {
        "basis": instrument.basis,
        "certificate": instrument.certificate,
        "class": None if default is None else {"ko": default.korean, "en": default.english, "source": default.source},
        "k": 2,
        "against": None if guard is None else max(guard.below, guard.above),
        "in_favour": None if guard is None else max(guard.below_missed, guard.above_missed),
    }
