"""The condition of a share as numbers: an interval of values in canonical units, or the codes of states."""

from __future__ import annotations

import math
from dataclasses import dataclass

from devices.plan.instrument import shares_judged
from devices.plan.measure_parts import OfEvents
from devices.plan.measures import Capture, EventRate, Increase, Integral, Measure, Share, Statistic
from devices.plan.model import Channel, Kpi, Plan


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
    named = measure.of.slots
    return (named is None or slot in named) and _has(plan, slot, measure)


def _has(plan: Plan, slot: str, measure: Measure) -> bool:
    channels, events = plan.slots[slot].channels, plan.slots[slot].events
    match measure.of:
        case Share(while_=condition):
            return condition.channel in channels
        case Statistic(channel=channel) | Integral(channel=channel) | Increase(channel=channel):
            return channel in channels
        case EventRate(event=event, per=per) if per.channel is not None:
            return event in events and per.channel in channels
        case OfEvents(event=event):
            return event in events
        case Capture(channels=wanted):
            names = channels if wanted is None else wanted
            return any(name in channels and channels[name].reporting == "periodic" for name in names)
        case _:
            return True


def predicates(plan: Plan) -> dict[str, list[Predicate]]:
    """For each slot, the conditions that some KPI counts its time by."""
    found: dict[str, list[Predicate]] = {}
    for part in (part for kpi in plan.kpis.values() for part in kpi.parts):
        share = part.measure.share
        if share is None:
            continue
        channels = {slot: plan.slots[slot].channels[share.while_.channel] for slot in slots_in_effect(plan, part)}
        for judged in shares_judged(part, list(channels.values())):
            for slot, channel in channels.items():
                one = predicate(judged, channel)
                if one not in found.setdefault(slot, []):
                    found[slot].append(one)
    return found
