"""Channels: a source unit that can become the canonical one, one source each, known states, uncertainties of their dimension."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import UnitError, conversion, parse_quantity, same_dimension, seconds, unit_of
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.model import Channel
from devices.plan.problem import Way, guess, known
from devices.plan.states import as_said, doubted


def channels_of(plan: Draft) -> Iterator[tuple[Way, str, Channel]]:
    """Every channel that could be read, with its path and name."""
    for slot_name, slot in plan.slots.items():
        for name, channel in slot.channels.items():
            if channel is not None:
                yield ("slots", slot_name, "channels", name), name, channel


def source_units(plan: Draft) -> Iterator[Fault]:
    """What the message carries can become what is stored."""
    for way, _, channel in channels_of(plan):
        if channel.unit is None or channel.source_unit is None:
            continue
        if not converts(channel.source_unit, channel.unit):
            yield fault((*way, "source_unit"), "source-unit", source=channel.source_unit, unit=channel.unit)


def sources(plan: Draft) -> Iterator[Fault]:
    """No two channels of a slot read the same place of a message."""
    for slot_name, slot in plan.slots.items():
        first: dict[str, str] = {}
        for name, channel in slot.channels.items():
            if channel is None:
                continue
            other = first.setdefault(channel.source or name, name)
            if other != name:
                way: Way = ("slots", slot_name, "channels", name)
                yield fault((*way, "source") if channel.source else way, "source-twice", other=other)


def source_states(plan: Draft) -> Iterator[Fault]:
    """What a device says means one state of the channel's."""
    for way, _, channel in channels_of(plan):
        if channel.source_states is None or channel.states is None:
            continue
        for key, state in channel.source_states.items():
            if state not in channel.states:
                close = guess(state, channel.states)
                yield fault((*way, "source_states", key), "source-states", known=known(channel.states), guess=close)
        for key in doubted(channel.source_states):
            yield fault((*way, "source_states", key), "source-states-twice", said=as_said(key))


def max_hold(plan: Draft) -> Iterator[Fault]:
    """A reading stands at least until the next one is due."""
    for way, _, channel in channels_of(plan):
        if channel.max_hold and channel.period and seconds(channel.max_hold) < seconds(channel.period):
            yield fault((*way, "max_hold"), "max-hold", period=channel.period)


def uncertainties(plan: Draft) -> Iterator[Fault]:
    """An uncertainty is a share of the value, or a difference in the channel's dimension."""
    for way, _, channel in channels_of(plan):
        if channel.kind == "state":
            for key in ("uncertainty", "range"):
                if getattr(channel, key) is not None:
                    yield fault((*way, key), "uncertainty-state")
            continue
        if channel.uncertainty is None or channel.unit is None:
            continue
        relative, absolute = channel.uncertainty.relative, channel.uncertainty.absolute
        if relative is not None and not same_dimension(parse_quantity(relative)[1], "%"):
            yield fault((*way, "uncertainty", "relative"), "uncertainty-relative")
        if absolute is not None and not is_difference(parse_quantity(absolute)[1], channel.unit):
            yield fault((*way, "uncertainty", "absolute"), "uncertainty-absolute", unit=channel.unit)


def is_difference(unit: str, of: str) -> bool:
    """Whether a difference of values in the unit ``of`` can be written in ``unit``.

    5 degF more is not what the temperature 5 degF is, so where the scale has a zero of its own, only the same unit will do.
    """
    if unit_of(unit) == unit_of(of):
        return True
    return converts(unit, of) and conversion(unit, of).offset == 0 and conversion(of, unit).offset == 0


def converts(unit: str, to: str) -> bool:
    """Whether values in one unit can become values in another: of one dimension, and not a difference here, a point there."""
    try:
        conversion(unit, to)
    except UnitError:
        return False
    return True


CHECKS = (source_units, sources, source_states, max_hold, uncertainties)
