"""Calibration pairs: of a channel that is measured, in its dimension, for a change within the period, each once."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import parse_quantity
from devices.plan.checks.channels import converts, is_difference
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.model import Calibration, Channel
from devices.plan.problem import Way, guess, known


def references(plan: Draft) -> Iterator[Fault]:
    """Slot and channel are in the plan, and what the pair says is in the channel's dimension."""
    for way, one in _pairs(plan):
        if one.slot not in plan.slots:
            there = list(plan.slots)
            yield fault((*way, "slot"), "slot-unknown", known=known(there), guess=guess(one.slot, there))
            continue
        channels = plan.slots[one.slot].channels
        if one.channel not in channels:
            values = {"slot": one.slot, "channel": one.channel, "known": known(list(channels))}
            yield Fault(way=(*way, "channel"), code="channel-not-at", values=values)
            continue
        channel = channels[one.channel]
        if channel is not None:
            yield from _of_channel(way, one, channel)


def _of_channel(way: Way, one: Calibration, channel: Channel) -> Iterator[Fault]:
    if channel.kind == "state":
        yield fault((*way, "channel"), "calibration-state", channel=one.channel)
        return
    for side, shown in (("before", one.before), ("after", one.after)):
        if not converts(parse_quantity(shown.value)[1], channel.canonical_unit):
            yield fault((*way, side, "value"), "calibration-unit", unit=channel.canonical_unit)
        if not is_difference(parse_quantity(shown.uncertainty)[1], channel.canonical_unit):
            yield fault((*way, side, "uncertainty"), "uncertainty-absolute", unit=channel.canonical_unit)


def days(plan: Draft) -> Iterator[Fault]:
    """The change lies in the period."""
    for way, one in _pairs(plan):
        if plan.period is not None and not plan.period.start <= one.change < plan.period.end:
            yield fault((*way, "change"), "calibration-day", start=plan.period.start, end=plan.period.end)


def once(plan: Draft) -> Iterator[Fault]:
    """One pair a change."""
    seen = set()
    for way, one in _pairs(plan):
        key = (one.slot, one.channel, one.change)
        if key in seen:
            yield fault((*way, "change"), "calibration-twice")
        seen.add(key)


def _pairs(plan: Draft) -> Iterator[tuple[Way, Calibration]]:
    for position, one in enumerate(plan.calibrations):
        if one is not None:
            yield ("calibrations", position), one


CHECKS = (references, days, once)
