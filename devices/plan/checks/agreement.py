"""Agreement with a reference: one that exists, is not the company's own, and can be compared; and whose the slots are."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import UnitError, conversion, seconds
from devices.plan.agreement_measures import RATIOS, Agreement, agreement_unit, has_no_zero
from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import convertible, measures
from devices.plan.draft import Draft
from devices.plan.model import Channel
from devices.plan.problem import Way, guess, known


def owners(plan: Draft) -> Iterator[Fault]:
    """A connection speaks for slots of one owner: nobody speaks for what it is compared with."""
    for name in dict.fromkeys(plan.connection_of(slot) for slot in plan.slots):
        found = list(dict.fromkeys(plan.owner_of(slot) for slot in plan.slots_of(name)))
        if len(found) > 1:
            odd = next(slot for slot in plan.slots_of(name) if plan.owner_of(slot) != found[0])
            yield fault(("slots", odd), "connection-owners", connection=name, owners=known(found))


def references(plan: Draft) -> Iterator[Fault]:
    """The reference is in the plan, is not the company's own, and is none of the slots that are compared with it."""
    for way, of in _agreements(plan):
        at: Way = (*way, "reference")
        slot = of.reference.slot
        if slot not in plan.slots:
            there = list(plan.slots)
            yield fault((*at, "slot"), "slot-unknown", known=known(there), guess=guess(slot, there))
            continue
        channels = plan.slots[slot].channels
        if of.reference.channel not in channels:
            values = {"slot": slot, "channel": of.reference.channel, "known": known(list(channels))}
            yield Fault(way=(*at, "channel"), code="channel-not-at", values=values)
        own = plan.owner_of(slot) == "company"
        if own and of.reference.by is None:
            yield fault((*at, "slot"), "reference-own", slot=slot)
        if not own and of.reference.by is not None:
            yield fault((*at, "by"), "reference-not-own", slot=slot)
        if own and slot in (of.slots or ()):
            yield fault((*way, "slots", list(of.slots or ()).index(slot)), "reference-itself", slot=slot)
        beside = [one for one in plan.company_slots if one != slot and of.channel in plan.slots[one].channels]
        if own and of.slots is None and not beside:
            yield fault((*way, "channel"), "agreement-alone", channel=of.channel)


def comparable(plan: Draft) -> Iterator[Fault]:
    """Both sides are numbers of one dimension, and of one kind; a share of the reference is asked only where there is one."""
    for way, of in _agreements(plan):
        theirs = _reference(plan, of)
        ours = next(iter(_compared(plan, of)), None)
        if theirs is None or ours is None:
            continue
        if theirs.kind == "state":
            yield fault((*way, "reference", "channel"), "agreement-state", channel=of.reference.channel)
        elif ours.kind != "state":
            yield from _pair(way, of, ours, theirs)


def _pair(way: Way, of: Agreement, ours: Channel, theirs: Channel) -> Iterator[Fault]:
    unit, other = ours.canonical_unit, theirs.canonical_unit
    try:
        conversion(other, unit)
    except UnitError:
        values = {"channel": of.reference.channel, "theirs": other, "unit": unit}
        yield Fault(way=(*way, "reference", "channel"), code="agreement-unit", values=values)
        return
    if of.average is not None and of.take == "mean" and (ours.kind == "counter") != (theirs.kind == "counter"):
        yield fault(way, "agreement-kinds")
    for period in (ours.period, theirs.period):
        if of.average is not None and period is not None and seconds(of.average) < seconds(period):
            yield fault((*way, "average"), "agreement-period", period=period)
    if of.stat in RATIOS and of.in_percent and has_no_zero(unit):
        yield fault((*way, "stat"), "agreement-scale", unit=unit)
    if of.condition is not None and not convertible(of.condition, other):
        yield fault((*way, "where_reference"), "condition-unit", channel=of.reference.channel, unit=other)


def targets(plan: Draft) -> Iterator[Fault]:
    """A target that can be missed as well as met: errors are not negative, r² lies between 0 and 1."""
    for name, kpi in plan.kpis.items():
        for promise in kpi.promises:
            if promise.measure is None or promise.target is None or not isinstance(promise.measure.of, Agreement):
                continue
            of, target = promise.measure.of, promise.target
            channel = next(iter(_compared(plan, of)), None)
            given = agreement_unit(of, None if channel is None else channel.canonical_unit)
            if given is None or of.stat in ("bias", "drift") or not convertible(target, given, difference=of.shifts):
                continue
            inside = target.to(given, difference=of.shifts)
            most = {"r2": 1.0, "relative_error": 100.0}.get(of.stat)
            least = None if of.stat == "relative_error" else 0.0
            if _idle(inside.low, inside.high, least, most):
                yield fault(("kpis", name, *promise.way, "target"), "target-negative", measure=of.stat)


def _idle(low: float, high: float, least: float | None, most: float | None) -> bool:
    """Whether a target holds of all values that there can be, or of none."""
    always = ((least is not None and low <= least) or low == float("-inf")) and (
        (most is not None and high >= most) or high == float("inf")
    )
    never = (least is not None and high < least) or (most is not None and low > most)
    return always or never


def _agreements(plan: Draft) -> Iterator[tuple[Way, Agreement]]:
    for way, measure in measures(plan):
        if isinstance(measure.of, Agreement):
            yield way, measure.of


def _reference(plan: Draft, of: Agreement) -> Channel | None:
    slot = plan.slots.get(of.reference.slot)
    return None if slot is None else slot.channels.get(of.reference.channel)


def _compared(plan: Draft, of: Agreement) -> list[Channel]:
    """The definitions of the channel at the slots that are compared."""
    names = plan.company_slots if of.slots is None else [slot for slot in of.slots if slot in plan.slots]
    found = (plan.slots[name].channels.get(of.channel) for name in names if name != of.reference.slot)
    return [definition for definition in found if definition is not None]


CHECKS = (owners, references, comparable, targets)
