"""KPIs: they speak of slots, channels, states and events that exist."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import UnitError
from devices.plan.agreement_measures import Agreement
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.event_measures import EventDuration, EventRate, OfEventsOrMatch
from devices.plan.measure_parts import OfEvents
from devices.plan.measured_unit import channel_of
from devices.plan.measures import Capture, Change, Increase, Integral, Measure, Share, Statistic, While
from devices.plan.model import Channel, EventKind
from devices.plan.problem import Way, guess, known
from devices.plan.target import Bounds


def weights(plan: Draft) -> Iterator[Fault]:
    """A weighted score takes weights. That they come to 100 is advised, not asked: they are divided by their sum."""
    given = [kpi.weight for kpi in plan.kpis.values()]
    if plan.overall is not None and plan.overall.rule == "weighted" and not any(weight != 0 for weight in given):
        yield fault(("overall", "rule"), "weights-none")


def references(plan: Draft) -> Iterator[Fault]:
    """Slots, channels and events that a measure names are in the plan."""
    for way, measure in measures(plan):
        yield from _slots(plan, way, measure)
        one = channel_of(measure)
        if one is not None:
            yield from _channel(plan, measure, (*way, *one[1]), one[0])
        match measure.of:
            case Capture(channels=channels):
                for position, channel in enumerate(channels or ()):
                    yield from _channel(plan, measure, (*way, "channels", position), channel, everywhere=False)
            case OfEventsOrMatch(match=str()):
                pass  # devices/plan/checks/detection.py
            case OfEvents(event=event):
                yield from event_named(plan, (*way, "event"), measure, event)
                if one is not None:
                    yield from _both(plan, (*way, *one[1]), measure, event, one[0])
            case _:
                pass


def measures(plan: Draft) -> Iterator[tuple[Way, Measure]]:
    """Every measure that can be read, with the path of its kind."""
    for name, kpi in plan.kpis.items():
        for promise in kpi.promises:
            if promise.measure is not None:
                way: Way = ("kpis", name, *promise.way, "measure", promise.measure.kind)
                if isinstance(promise.measure.of, Change):  # it speaks of slots and channels by what it is a change of
                    yield (*way, "of", promise.measure.of.of.kind), promise.measure.of.inner
                else:
                    yield way, promise.measure


def _slots(plan: Draft, way: Way, measure: Measure) -> Iterator[Fault]:
    for position, slot in enumerate(measure.of.slots or ()):
        if slot not in plan.slots:
            there = list(plan.slots)
            yield fault((*way, "slots", position), "slot-unknown", known=known(there), guess=guess(slot, there))
        elif plan.owner_of(slot) != "company":
            yield fault((*way, "slots", position), "slot-not-companys", owner=plan.owner_of(slot))


def _named_slots(plan: Draft, measure: Measure) -> list[str] | None:
    """The slots that the measure names and that exist; None if it names none."""
    return None if measure.of.slots is None else [slot for slot in measure.of.slots if slot in plan.slots]


def _among(plan: Draft, measure: Measure) -> tuple[str, ...]:
    """The slots that a measure may be about: those of the company, where it names none."""
    return plan.company_slots if measure.of.slots is None else tuple(plan.slots)


def _channel(plan: Draft, measure: Measure, at: Way, channel: str, *, everywhere: bool = True) -> Iterator[Fault]:
    there = list(dict.fromkeys(name for slot in _among(plan, measure) for name in plan.slots[slot].channels))
    if channel not in there:
        # Named alone (integral: power) it does not stand at the path of its own.
        values = {"known": known(there), "guess": guess(channel, there)}
        yield Fault(way=at, code="channel-unknown", values=values, found=channel)
        return
    slots = _named_slots(plan, measure) or []
    lacking = [slot for slot in slots if channel not in plan.slots[slot].channels]
    if lacking and (everywhere or len(lacking) == len(slots)):
        has = known(list(plan.slots[lacking[0]].channels))
        values = {"slot": lacking[0], "channel": channel, "known": has}
        yield Fault(way=at, code="channel-not-at", values=values, found=channel)


def event_named(plan: Draft, way: Way, measure: Measure, event: str) -> Iterator[Fault]:
    """A kind of event that a measure names at a path is reported by its slots."""
    there = list(dict.fromkeys(name for slot in _among(plan, measure) for name in plan.slots[slot].events))
    if event not in there:
        yield fault(way, "event-unknown", known=known(there), guess=guess(event, there))
        return
    for slot in _named_slots(plan, measure) or []:
        if event not in plan.slots[slot].events:
            has = known(list(plan.slots[slot].events))
            yield fault(way, "event-not-at", slot=slot, event=event, known=has)


def _both(plan: Draft, at: Way, measure: Measure, event: str, channel: str) -> Iterator[Fault]:
    """Events and what they are counted by are of the same slots."""
    slots = [plan.slots[name] for name in (_named_slots(plan, measure) or plan.company_slots)]
    somewhere = any(event in slot.events for slot in slots) and any(channel in slot.channels for slot in slots)
    if somewhere and not any(event in slot.events and channel in slot.channels for slot in slots):
        yield Fault(way=at, code="per-elsewhere", values={"event": event, "channel": channel}, found=channel)


def concerned(plan: Draft, measure: Measure, channel: str) -> list[Channel]:
    """The definitions of a channel at the slots that a measure is about."""
    slots = _named_slots(plan, measure)
    names = plan.company_slots if slots is None else slots
    reference = measure.of.reference.slot if isinstance(measure.of, Agreement) else None
    found = (plan.slots[name].channels.get(channel) for name in names if name != reference)
    return [definition for definition in found if definition is not None]


def _kinds_of(plan: Draft, measure: Measure, event: str) -> list[EventKind]:
    slots = _named_slots(plan, measure)
    names = plan.company_slots if slots is None else slots
    found = (plan.slots[name].events.get(event) for name in names)
    return [kind for kind in found if kind is not None]


def units(plan: Draft) -> Iterator[Fault]:
    """The slots of one KPI measure in one unit."""
    for way, measure in measures(plan):
        one = channel_of(measure)
        if one is None:
            continue
        name, at = one
        channels = concerned(plan, measure, name)
        if len({channel.kind == "state" for channel in channels}) > 1:
            yield Fault(way=(*way, *at), code="kinds-differ", values={"channel": name}, found=name)
        elif len({channel.canonical_unit for channel in channels}) > 1:
            there = known(sorted({channel.canonical_unit for channel in channels}))
            yield Fault(way=(*way, *at), code="units-differ", values={"channel": name, "units": there}, found=name)


def kinds(plan: Draft) -> Iterator[Fault]:
    """A statistic and an integral are of numbers, an increase is of a counter, a duration of what starts and ends."""
    for way, measure in measures(plan):
        of, one = measure.of, channel_of(measure)
        if one is not None:
            channels = concerned(plan, measure, one[0])
            code = _wrong_kind(measure, channels)
            if code:
                yield Fault(way=(*way, *one[1]), code=code, values={"channel": one[0]}, found=one[0])
        if (
            isinstance(of, EventDuration)
            and of.match is None
            and not all(kind.phased for kind in _kinds_of(plan, measure, of.event))
        ):
            yield fault((*way, "event"), "event-phased", event=of.event)


def _wrong_kind(measure: Measure, channels: list[Channel]) -> str:
    of = measure.of
    increase = isinstance(of, Increase) or (isinstance(of, EventRate) and of.per.increase is not None)
    integral = isinstance(of, Integral) or (isinstance(of, EventRate) and of.per.integral is not None)
    if increase and any(channel.kind != "counter" for channel in channels):
        return "increase-counter"
    if any(channel.kind == "state" for channel in channels):
        if isinstance(of, Agreement):
            return "agreement-state"
        return "integral-state" if integral else "statistic-state" if isinstance(of, Statistic) else ""
    return ""


def conditions(plan: Draft) -> Iterator[Fault]:
    """A condition is on states where there are states, on values in the channel's dimension elsewhere."""
    for way, measure in measures(plan):
        if isinstance(measure.of, Share):
            condition = measure.of.while_
            for channel in concerned(plan, measure, condition.channel)[:1]:
                yield from condition_faults((*way, "while"), condition, channel)


def condition_faults(way: Way, condition: While, channel: Channel) -> Iterator[Fault]:
    """What is wrong with a condition on a channel: states for values, or another dimension."""
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
    elif not convertible(condition.bounds, unit):
        yield fault((*way, "value"), "condition-unit", channel=name, unit=unit)


def captures(plan: Draft) -> Iterator[Fault]:
    """Data capture counts channels that have a period."""
    for way, measure in measures(plan):
        if not isinstance(measure.of, Capture):
            continue
        for position, name in enumerate(measure.of.channels or ()):
            if any(channel.reporting != "periodic" for channel in concerned(plan, measure, name)):
                yield fault((*way, "channels", position), "capture-periodic", channel=name)
        slots = _named_slots(plan, measure) or plan.company_slots
        found = [channel for slot in slots for channel in plan.slots[slot].channels.values()]
        if not any(channel is None or channel.reporting == "periodic" for channel in found):
            yield fault(way, "capture-none")


def convertible(bounds: Bounds, unit: str, *, difference: bool = False) -> bool:
    """Whether a condition can be told in a unit."""
    try:
        bounds.to(unit, difference=difference)
    except UnitError:
        return False
    return True


CHECKS = (weights, references, units, kinds, conditions, captures)
