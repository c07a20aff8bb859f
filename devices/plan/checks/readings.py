"""What measures of how readings come ask of the plan, and conditions on time: channels of the same slots, in their dimension."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import UnitError, conversion, parse_quantity
from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import concerned, condition_faults, measures
from devices.plan.conditions import where_of
from devices.plan.draft import Draft
from devices.plan.measured_unit import channel_of
from devices.plan.measures import Delay, Exposed, Forecast, FrameSequence, Measure, Share
from devices.plan.problem import Way, guess, known


def conditioned(plan: Draft) -> Iterator[Fault]:
    """``where`` speaks of channels that stand at the slots measured, in their states or dimension."""
    for way, measure in measures(plan):
        wheres = where_of(measure.of)
        for place, condition in enumerate(wheres):
            at: Way = (*way, "where", place) if len(wheres) > 1 else (*way, "where")
            yield from _there(plan, at, measure, condition.channel)
            for channel in concerned(plan, measure, condition.channel)[:1]:
                yield from condition_faults(at, condition, channel)


def _there(plan: Draft, at: Way, measure: Measure, channel: str) -> Iterator[Fault]:
    everywhere = list(dict.fromkeys(name for slot in plan.slots.values() for name in slot.channels))
    if channel not in everywhere:
        values = {"known": known(everywhere), "guess": guess(channel, everywhere)}
        yield Fault(way=(*at, "channel"), code="channel-unknown", values=values, found=channel)
        return
    one = channel_of(measure)
    if one is not None and not _together(plan, measure, one[0], channel):
        values = {"measured": one[0], "channel": channel}
        yield Fault(way=(*at, "channel"), code="where-not-at", values=values, found=channel)


def _slots(plan: Draft, measure: Measure) -> list[str]:
    """The slots that a measure may be about: those named, else the company's."""
    named = [slot for slot in measure.of.slots or () if slot in plan.slots]
    return named or list(plan.company_slots)


def _together(plan: Draft, measure: Measure, *names: str) -> bool:
    """Whether some slot of a measure has all these channels; so also where one of them is nowhere, which is told elsewhere."""
    slots = [plan.slots[slot].channels for slot in _slots(plan, measure)]
    if not all(any(name in channels for channels in slots) for name in names):
        return True
    return any(all(name in channels for name in names) for channels in slots)


def exposures(plan: Draft) -> Iterator[Fault]:
    """What a share is of stands at the slots of its condition: a counter, or a number that can be added up."""
    for way, measure in measures(plan):
        of = measure.of
        if not isinstance(of, Share) or not isinstance(of.of, Exposed):
            continue
        name, at = of.of.by.channel, (*way, "of", of.of.key, "channel")
        everywhere = list(dict.fromkeys(one for slot in plan.slots.values() for one in slot.channels))
        if name not in everywhere:
            values = {"known": known(everywhere), "guess": guess(name, everywhere)}
            yield Fault(way=at, code="channel-unknown", values=values, found=name)
            continue
        if not _together(plan, measure, name, of.while_.channel):
            values = {"channel": of.while_.channel, "exposure": name}
            yield Fault(way=at, code="exposure-not-at", values=values, found=name)
        channels = concerned(plan, measure, name)
        if of.of.increase is not None and any(channel.kind != "counter" for channel in channels):
            yield Fault(way=at, code="increase-counter", values={"channel": name}, found=name)
        elif any(channel.kind == "state" for channel in channels):
            yield Fault(way=at, code="integral-state", values={"channel": name}, found=name)


def frames(plan: Draft) -> Iterator[Fault]:
    """Frame numbers are a counter; what begins them again is known."""
    for way, measure in measures(plan):
        of = measure.of
        if not isinstance(of, FrameSequence):
            continue
        if any(channel.kind != "counter" for channel in concerned(plan, measure, of.channel)):
            yield fault((*way, "channel"), "sequence-counter", channel=of.channel)
        if of.wrap is not None and of.first >= of.wrap:
            yield fault((*way, "first"), "sequence-first", wrap=of.wrap)
        slots = _slots(plan, measure)
        there = list(dict.fromkeys(event for slot in slots for event in plan.slots[slot].events))
        if of.reset != "rejoin" and of.reset not in there:
            yield fault((*way, "reset"), "sequence-reset", known=known(there), guess=guess(of.reset, there))


def delays(plan: Draft) -> Iterator[Fault]:
    """A delay of one channel: one that is there."""
    for way, measure in measures(plan):
        if isinstance(measure.of, Delay) and measure.of.channel is not None:
            everywhere = list(dict.fromkeys(name for slot in plan.slots.values() for name in slot.channels))
            if measure.of.channel not in everywhere:
                values = {"known": known(everywhere), "guess": guess(measure.of.channel, everywhere)}
                yield fault((*way, "channel"), "channel-unknown", **values)


def forecasts(plan: Draft) -> Iterator[Fault]:
    """A forecast is of a number, its levels are in its dimension, and nothing hangs on it."""
    for way, measure in measures(plan):
        of = measure.of
        if not isinstance(of, Forecast):
            continue
        for channel in concerned(plan, measure, of.channel)[:1]:
            if channel.states is not None:
                yield fault((*way, "channel"), "forecast-number", channel=of.channel)
                continue
            for key, level in (("until", of.until), ("recharge", of.recharge)):
                if level is not None and not _convertible(level, channel.canonical_unit):
                    yield fault((*way, key), "forecast-unit", channel=of.channel, unit=channel.canonical_unit)
    for name, kpi in plan.kpis.items():
        found = [one.way for one in kpi.promises if one.measure is not None and one.measure.kind == "forecast"]
        if found and kpi.required:
            yield fault(("kpis", name, "required"), "forecast-required")
        for way in found:
            if way:
                yield fault(("kpis", name, *way, "measure"), "forecast-among")


def _convertible(level: str, unit: str) -> bool:
    try:
        conversion(parse_quantity(level)[1], unit)
    except UnitError:
        return False
    return True


def operating(plan: Draft) -> Iterator[Fault]:
    """Operating conditions are told by channels that are there, and KPIs name those that there are."""
    for name, one in plan.conditions.items():
        if one is None:
            continue
        at: Way = ("conditions", name)
        if one.slot is not None and one.slot not in plan.slots:
            yield fault(
                (*at, "slot"), "slot-unknown", known=known(list(plan.slots)), guess=guess(one.slot, list(plan.slots))
            )
            continue
        slots = [plan.slots[one.slot]] if one.slot is not None else list(plan.slots.values())
        if not any(one.channel in slot.channels for slot in slots):
            there = list(dict.fromkeys(channel for slot in slots for channel in slot.channels))
            code = "channel-unknown" if one.slot is None else "channel-not-at"
            values = {
                "slot": one.slot,
                "channel": one.channel,
                "known": known(there),
                "guess": guess(one.channel, there),
            }
            yield fault((*at, "channel"), code, **values)
        for slot in slots:
            channel = slot.channels.get(one.channel)
            if channel is not None:
                yield from condition_faults(at, one, channel)
                break
    for name, kpi in plan.kpis.items():
        for place, wanted in enumerate(kpi.conditions or ()):
            if wanted not in plan.conditions:
                there = list(plan.conditions)
                yield fault(
                    ("kpis", name, "conditions", place),
                    "condition-unknown",
                    known=known(there),
                    guess=guess(wanted, there),
                )


CHECKS = (conditioned, exposures, frames, delays, forecasts, operating)
