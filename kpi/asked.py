"""What one KPI promises in one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from devices.plan.instrument import Instrument, instrument_of
from devices.plan.manual import manual_unit
from devices.plan.measured_unit import channel_of, unit_given
from devices.plan.measures import Agreement, Forecast, FrameSequence
from devices.plan.model import Channel, Kpi, Plan
from devices.plan.predicate import slots_in_effect
from devices.plan.references import reference_channel
from devices.plan.target import Bounds
from kpi.decision import Terms
from kpi.groups import grouped
from kpi.measured import measured
from kpi.measurement import Measurement
from kpi.quantity import converted, unit_for
from kpi.spans import Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a KPI promises, with everything in the unit in which it is shown."""

    id: str
    kpi: Kpi
    channel_unit: str
    """The unit of what the measure gives: ``%``, the channel's, s, 건 …"""
    alpha: float
    """Of one look: 5 % over all evaluation dates."""
    zone: ZoneInfo
    spans: Spans
    promises: int = 1
    """How many things the KPI promises at once: each that misses is taken at 5 %/(k·m)."""
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    """Of the channel that the measure is of, by slot; none where the platform itself counts."""
    instrument_unit: str = ""
    """The unit of that channel."""

    @property
    def unit(self) -> str:
        return unit_for(self.kpi.bounds, self.channel_unit)

    @property
    def target(self) -> Bounds:
        return self.kpi.bounds if self.kpi.bounds.unit == self.unit else self.kpi.bounds.to(self.unit)

    @property
    def terms(self) -> Terms:
        return Terms(
            target=self.target,
            scope=self.kpi.scope,
            rule=self.kpi.rule,
            completeness=self.kpi.completeness / 100,
        )

    def measured(self, parts: Any, weeks: Any = ()) -> Measurement:
        return measured(self.kpi, self.channel_unit, parts, weeks)

    def found(self, slots: Sequence[str], parts: Sequence[Any], weeks: Any = ()) -> Measurement:
        """The measure over several slots: together, or the mean or sum of theirs.

        :param slots: the slot of each part.
        """
        how = self.kpi.group
        if how in ("mean", "sum") and len(set(slots)) > 1:
            least = self.kpi.completeness / 100
            return grouped(self.measured, slots, parts, weeks, how=how, least=least)
        return self.measured(parts, weeks)

    def instruments_of(self, slots: Sequence[str]) -> list[Instrument]:
        return [self.instruments[slot] for slot in dict.fromkeys(slots) if slot in self.instruments]

    def shown(self, value: float, found: Measurement) -> float:
        return converted(value, found.unit, self.unit, difference=found.difference)

    def with_target_moved(self, by: float) -> Asked:
        """The same promise with its one-sided target further up or down, in the unit that is shown."""
        target = self.target
        low = target.one_sided == "low"
        end, closed = (target.low, target.low_closed) if low else (target.high, target.high_closed)
        sign = (">" if low else "<") + ("=" if closed else "")
        return replace(self, kpi=self.kpi.model_copy(update={"target_": f"{sign} {end + by!r} {self.unit}"}))


def asked_of(plan: Plan, name: str, kpi: Kpi, cut: Spans, alpha: float) -> Asked:
    """What a KPI of a plan promises over these windows.

    :param kpi: one that promises one thing.
    :param alpha: error of one look, 0 to 1.
    """
    channel = _channel(plan, kpi)
    # Without a slot that has it there is nothing to measure either, in whatever unit.
    given = unit_given(kpi.measure, None if channel is None else channel.canonical_unit)
    given = given or manual_unit(plan.manual, kpi.measure)
    return Asked(
        id=name,
        kpi=kpi,
        channel_unit=given or kpi.bounds.unit,
        alpha=alpha,
        zone=plan.zone,
        spans=cut,
        instruments={slot: instrument_of(one) for slot, one in measuring(plan, kpi).items()},
        instrument_unit="" if channel is None else channel.canonical_unit,
    )


def measuring(plan: Plan, kpi: Kpi) -> dict[str, Channel]:
    """The channel of each slot whose instrument has a part in the value; a state is no measured value."""
    found = channel_of(kpi.measure)
    if found is None:
        return {}
    if isinstance(kpi.measure.of, FrameSequence | Forecast):
        return {}  # frames are counted, and a forecast is not judged
    slots = slots_in_effect(plan, kpi)
    if isinstance(kpi.measure.of, Agreement):
        # What is compared is the channel's own deviation: only the reference's uncertainty has a part in it.
        reference = reference_channel(plan, kpi.measure.of)
        return {} if reference is None else dict.fromkeys(slots, reference)
    channels = {slot: plan.slots[slot].channels[found[0]] for slot in slots}
    return {slot: channel for slot, channel in channels.items() if channel.kind != "state"}


def _channel(plan: Plan, kpi: Kpi) -> Channel | None:
    """The channel whose values a KPI is about; its slots share unit and kind."""
    found = channel_of(kpi.measure)
    if found is None:
        return None
    return next((plan.slots[slot].channels[found[0]] for slot in slots_in_effect(plan, kpi)), None)
