"""KPIs: they speak of slots, channels, states and events that exist, in units that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator

from core.units import UnitError
from devices.plan.checks.channels import is_difference
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft, DraftKpi
from devices.plan.measures import Capture, EventRatio, Measure, Share, Statistic, While
from devices.plan.model import Channel
from devices.plan.problem import Way, guess, known
from devices.plan.target import Bounds

PERCENT_KINDS = ("share", "capture", "availability", "event_ratio")


def weights(plan: Draft) -> Iterator[Fault]:
    """The weights come to 100, or there are none."""
    given = [kpi.weight for kpi in plan.kpis.values()]
    found = [weight for weight in given if weight is not None]
    if len(found) == len(given) and any(found) and not math.isclose(math.fsum(found), 100, abs_tol=1e-6):
        yield Fault(
            way=("kpis",), code="weights", values={"sum": f"{math.fsum(found):g}"}, found=f"{math.fsum(found):g}"
        )


def references(plan: Draft) -> Iterator[Fault]:
    """Slots, channels and events that a measure names are in the plan."""
    for way, measure in _measures(plan):
        yield from _slots(plan, way, measure)
        match measure.of:
            case Statistic(channel=channel):
                yield from _channel(plan, measure, (*way, "channel"), channel)
            case Share(while_=condition):
                yield from _channel(plan, measure, (*way, "while", "channel"), condition.channel)
            case Capture(channels=channels):
                for position, channel in enumerate(channels or ()):
                    yield from _channel(plan, measure, (*way, "channels", position), channel, everywhere=False)
            case EventRatio(event=event):
                yield from _event(plan, way, measure, event)


def _measures(plan: Draft) -> Iterator[tuple[Way, Measure]]:
    for name, kpi in plan.kpis.items():
        if kpi.measure is not None:
            yield ("kpis", name, "measure", kpi.measure.kind), kpi.measure


def _slots(plan: Draft, way: Way, measure: Measure) -> Iterator[Fault]:
    for position, slot in enumerate(measure.of.slots or ()):
        if slot not in plan.slots:
            there = list(plan.slots)
            yield fault((*way, "slots", position), "slot-unknown", known=known(there), guess=guess(slot, there))


def _named_slots(plan: Draft, measure: Measure) -> list[str] | None:
    """The slots that the measure names and that exist; None if it names none."""
    return None if measure.of.slots is None else [slot for slot in measure.of.slots if slot in plan.slots]


def _channel(plan: Draft, measure: Measure, at: Way, channel: str, *, everywhere: bool = True) -> Iterator[Fault]:
    there = list(dict.fromkeys(name for slot in plan.slots.values() for name in slot.channels))
    if channel not in there:
        yield fault(at, "channel-unknown", known=known(there), guess=guess(channel, there))
        return
    slots = _named_slots(plan, measure) or []
    lacking = [slot for slot in slots if channel not in plan.slots[slot].channels]
    if lacking and (everywhere or len(lacking) == len(slots)):
        has = known(list(plan.slots[lacking[0]].channels))
        yield fault(at, "channel-not-at", slot=lacking[0], channel=channel, known=has)


def _event(plan: Draft, way: Way, measure: Measure, event: str) -> Iterator[Fault]:
    there = list(dict.fromkeys(name for slot in plan.slots.values() for name in slot.events))
    if event not in there:
        yield fault((*way, "event"), "event-unknown", known=known(there), guess=guess(event, there))
        return
    for slot in _named_slots(plan, measure) or []:
        if event not in plan.slots[slot].events:
            has = known(list(plan.slots[slot].events))
            yield fault((*way, "event"), "event-not-at", slot=slot, event=event, known=has)


def concerned(plan: Draft, measure: Measure, channel: str) -> list[Channel]:
    """The definitions of a channel at the slots that a measure is about."""
    slots = _named_slots(plan, measure)
    names = list(plan.slots) if slots is None else slots
    found = (plan.slots[name].channels.get(channel) for name in names)
    return [definition for definition in found if definition is not None]


def units(plan: Draft) -> Iterator[Fault]:
    """The slots of one KPI measure in one unit."""
    for way, measure in _measures(plan):
        name, at = _channel_of(measure)
        if name is None:
            continue
        channels = concerned(plan, measure, name)
        if len({channel.kind == "state" for channel in channels}) > 1:
            yield fault((*way, *at), "kinds-differ", channel=name)
        elif len({channel.canonical_unit for channel in channels}) > 1:
            there = known(sorted({channel.canonical_unit for channel in channels}))
            yield fault((*way, *at), "units-differ", channel=name, units=there)


def _channel_of(measure: Measure) -> tuple[str | None, Way]:
    match measure.of:
        case Statistic(channel=channel):
            return channel, ("channel",)
        case Share(while_=condition):
            return condition.channel, ("while", "channel")
        case _:
            return None, ()


def statistics(plan: Draft) -> Iterator[Fault]:
    """A statistic is of numbers, not of states."""
    for way, measure in _measures(plan):
        if isinstance(measure.of, Statistic):
            name = measure.of.channel
            if any(channel.kind == "state" for channel in concerned(plan, measure, name)):
                yield fault((*way, "channel"), "statistic-state", channel=name)


def conditions(plan: Draft) -> Iterator[Fault]:
    """A condition is on states where there are states, on values in the channel's dimension elsewhere."""
    for way, measure in _measures(plan):
        if isinstance(measure.of, Share):
            condition = measure.of.while_
            for channel in concerned(plan, measure, condition.channel)[:1]:
                yield from _condition((*way, "while"), condition, channel)


def _condition(way: Way, condition: While, channel: Channel) -> Iterator[Fault]:
    name, unit = condition.channel, channel.canonical_unit
    if channel.states is not None:
        if condition.in_ is None:
            yield fault((*way, "value"), "while-state", channel=name, known=known(channel.states))
        for position, state in enumerate(condition.in_ or ()):
            if state not in channel.states:
                close = guess(state, channel.states)
                values = {"channel": name, "known": known(channel.states), "guess": close}
                yield Fault(way=(*way, "in", position), code="state-unknown", values=values)
    elif condition.bounds is None:
        yield fault((*way, "in"), "while-value", channel=name, unit=unit)
    elif not _convertible(condition.bounds, unit):
        yield fault((*way, "value"), "condition-unit", channel=name, unit=unit)


def captures(plan: Draft) -> Iterator[Fault]:
    """Data capture counts channels that have a period."""
    for way, measure in _measures(plan):
        if not isinstance(measure.of, Capture):
            continue
        for position, name in enumerate(measure.of.channels or ()):
            if any(channel.reporting != "periodic" for channel in concerned(plan, measure, name)):
                yield fault((*way, "channels", position), "capture-periodic", channel=name)
        slots = _named_slots(plan, measure) or list(plan.slots)
        found = [channel for slot in slots for channel in plan.slots[slot].channels.values()]
        if not any(channel is None or channel.reporting == "periodic" for channel in found):
            yield fault(way, "capture-none")


def targets(plan: Draft) -> Iterator[Fault]:
    """A target is in the dimension of what its measure gives, and can be missed as well as met."""
    for name, kpi in plan.kpis.items():
        if kpi.measure is None or kpi.target is None:
            continue
        way: Way = ("kpis", name, "target")
        if kpi.measure.kind in PERCENT_KINDS:
            yield from _share_target(way, kpi.measure.kind, kpi.target)
        elif isinstance(kpi.measure.of, Statistic):
            yield from _statistic_target(plan, way, kpi, kpi.measure.of)


def _share_target(way: Way, kind: str, target: Bounds) -> Iterator[Fault]:
    if not _convertible(target, "%"):
        yield fault(way, "target-unit", measure=kind, unit="%")
        return
    inside = target.to("%")
    always = inside.low <= 0 and 0 in inside and 100 in inside
    never = (
        inside.low > 100
        or inside.high < 0
        or (inside.low == 100 and not inside.low_closed)
        or (inside.high == 0 and not inside.high_closed)
    )
    if always or never:
        yield fault(way, "target-share", measure=kind)


def _statistic_target(plan: Draft, way: Way, kpi: DraftKpi, statistic: Statistic) -> Iterator[Fault]:
    assert kpi.measure is not None
    assert kpi.target is not None
    for channel in concerned(plan, kpi.measure, statistic.channel)[:1]:
        unit = channel.canonical_unit
        if channel.kind == "state":
            return
        if not _convertible(kpi.target, unit):
            yield fault(way, "target-unit", measure=f"{statistic.stat} of {statistic.channel}", unit=unit)
        elif statistic.stat == "std" and kpi.target.unit and not is_difference(kpi.target.unit, unit):
            yield fault(way, "target-difference", unit=unit)


def _convertible(bounds: Bounds, unit: str) -> bool:
    try:
        bounds.to(unit)
    except UnitError:
        return False
    return True


CHECKS = (weights, references, units, statistics, conditions, captures, targets)
