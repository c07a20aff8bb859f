"""The condition of a share as numbers: an interval of values in canonical units, or the codes of states."""

from __future__ import annotations

import math
from dataclasses import dataclass

from devices.plan.agreement_measures import Agreement
from devices.plan.conditions import where_of
from devices.plan.detection import about, detection_behind
from devices.plan.event_measures import OfEventsOrMatch
from devices.plan.instrument import shares_judged
from devices.plan.manual import manual_slots
from devices.plan.manual_measures import Manual
from devices.plan.measure_parts import OfEvents
from devices.plan.measures import (
    Capture,
    Change,
    Delay,
    Detection,
    EventRate,
    Forecast,
    FrameSequence,
    Increase,
    Integral,
    Measure,
    Share,
    Statistic,
)
from devices.plan.model import Channel, Kpi, OperatingCondition, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A condition on one channel's values. The same condition always has the same fields, so that it can be looked up."""

    channel: str
    low: float | None
    """None: no lower end, and then ``low_closed`` is true; likewise above."""
    low_closed: bool
    high: float | None
    high_closed: bool
    codes: tuple[int, ...] | None
    """A state channel: the codes that count, ascending; ``low`` and ``high`` are None then."""


def predicate(share: Share, channel: Channel) -> Predicate:
    """The condition of a share at a slot with this channel."""
    name = share.while_.channel
    bounds = share.while_.bounds
    if bounds is None:
        codes = tuple(sorted(channel.code(state) for state in share.while_.in_ or ()))
        return Predicate(channel=name, low=None, low_closed=True, high=None, high_closed=True, codes=codes)
    inside = bounds.to(channel.canonical_unit)
    bounded_low, bounded_high = math.isfinite(inside.low), math.isfinite(inside.high)
    return Predicate(
        channel=name,
        # Adding zero makes one number of −0.0 and 0.0.
        low=inside.low + 0.0 if bounded_low else None,
        low_closed=inside.low_closed or not bounded_low,
        high=inside.high + 0.0 if bounded_high else None,
        high_closed=inside.high_closed or not bounded_high,
        codes=None,
    )


def slots_in_effect(plan: Plan, kpi: Kpi) -> tuple[str, ...]:
    """The slots that a KPI is about, in the plan's order: those named, else all that have what it measures."""
    return tuple(slot for slot in plan.slots if any(_about(plan, slot, one.measure) for one in kpi.parts))


def _about(plan: Plan, slot: str, measure: Measure) -> bool:
    if isinstance(measure.of, Change):
        # What it is compared with is not judged, though it may have the same channel.
        return (measure.of.inner.of.slots is not None or slot not in (measure.of.control or ())) and _about(
            plan, slot, measure.of.inner
        )
    # What stands there for comparison is nothing that the company promises.
    named = plan.owner_of(slot) == "company" if measure.of.slots is None else slot in measure.of.slots
    conditioned = all(one.channel in plan.slots[slot].channels for one in where_of(measure.of))
    return named and conditioned and _has(plan, slot, measure)


def slots_read(plan: Plan, kpi: Kpi) -> tuple[str, ...]:
    """The slots from whose readings a KPI's value is computed, in the plan's order: those it is about, and its references."""
    about = set(slots_in_effect(plan, kpi))
    beside = {one.measure.of.reference.slot for one in kpi.parts if isinstance(one.measure.of, Agreement)}
    beside |= {slot for one in kpi.parts if isinstance(one.measure.of, Change) for slot in one.measure.of.beside}
    beside |= {one.slot for _, one in conditions_of(plan, kpi) if one.slot is not None}
    return tuple(slot for slot in plan.slots if slot in about | beside)


def conditions_of(plan: Plan, kpi: Kpi) -> tuple[tuple[str, OperatingCondition], ...]:
    """The operating conditions under which a KPI is judged: all of the plan's, where it names none."""
    return tuple(
        (name, one) for name, one in plan.conditions.items() if kpi.conditions is None or name in kpi.conditions
    )


def _has(plan: Plan, slot: str, measure: Measure) -> bool:
    channels, events = plan.slots[slot].channels, plan.slots[slot].events
    match measure.of:
        case Share(while_=condition, of=of):
            return condition.channel in channels and (of == "time" or of.by.channel in channels)
        case Delay(channel=None):
            return bool(channels)
        case FrameSequence(channel=name) | Forecast(channel=name) | Delay(channel=name):
            return name in channels
        case Statistic(channel=channel) | Integral(channel=channel) | Increase(channel=channel):
            return channel in channels
        case Agreement(channel=channel, reference=reference):
            return channel in channels and slot != reference.slot
        case Detection() as of:
            return about(plan.slots[slot], of)
        case OfEventsOrMatch(match=str()) as matched:
            return _has_match(plan, slot, measure, matched)
        case EventRate(event=event, per=per) if per.channel is not None:
            return event in events and per.channel in channels
        case OfEvents(event=event):
            return event in events
        case Manual() as of:
            return slot in manual_slots(plan.manual, of)
        case Capture(channels=wanted):
            names = channels if wanted is None else wanted
            return any(name in channels and channels[name].reporting == "periodic" for name in names)
        case _:
            return True


def _has_match(plan: Plan, slot: str, measure: Measure, of: OfEventsOrMatch) -> bool:
    """A match is about the slots of the detection that it takes its pairs from."""
    behind = detection_behind(plan.kpis, measure)
    if behind is None or (behind.slots is not None and slot not in behind.slots):
        return False
    by = of.per.channel if isinstance(of, EventRate) else None
    return about(plan.slots[slot], behind) and (by is None or by in plan.slots[slot].channels)


def predicates(plan: Plan) -> dict[str, list[Predicate]]:
    """For each slot, the conditions that some KPI counts its time by."""
    found: dict[str, list[Predicate]] = {}
    for part in (part for kpi in plan.kpis.values() for part in kpi.parts):
        share = part.measure.share
        if share is None or share.of != "time":
            continue
        channels = {slot: plan.slots[slot].channels[share.while_.channel] for slot in slots_in_effect(plan, part)}
        for judged in shares_judged(part, list(channels.values())):
            for slot, channel in channels.items():
                one = predicate(judged, channel)
                if one not in found.setdefault(slot, []):
                    found[slot].append(one)
    return found
