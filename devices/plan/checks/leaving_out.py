"""What a measure leaves out by findings: of tests that its channels have, at a level that they reach."""

from __future__ import annotations

from collections.abc import Iterator

from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import measures
from devices.plan.draft import Draft
from devices.plan.measured_unit import channel_of
from devices.plan.measures import Capture, Change, Measure
from devices.plan.model import Channel
from devices.plan.reading_quality import quality_of

_Place = tuple[str, str, Channel]
"""A slot, the name of a channel, and what the plan says of it."""


def leaving_out(plan: Draft) -> Iterator[Fault]:
    """Whatever a measure names can be found in one of its channels; in the one channel at each of its slots."""
    for way, measure in measures(plan):
        quality = quality_of(measure.of)
        if quality is None:
            continue
        of = measure.of
        below = (*way, "of", of.of.kind, "quality") if isinstance(of, Change) else (*way, "quality")
        places = _places(plan, measure)
        every = isinstance(measure.of, Capture)
        for position, test in enumerate(quality.leave_out or ()):
            if test == "jump" and quality.from_ == "fail":
                yield fault((*below, "leave_out", position), "leave-out-never")
                continue
            lacking = [(place, code) for place in places if (code := _lacks(place[2], test)) is not None]
            if lacking and (not every or len(lacking) == len(places)):
                (slot, name, _), code = lacking[0]
                yield fault((*below, "leave_out", position), code, slot=slot, channel=name)
        if quality.leave_out is None:
            yield from _nothing(below, places, quality.tests)


def _nothing(below: tuple[str | int, ...], places: list[_Place], tests: tuple[str, ...]) -> Iterator[Fault]:
    """All tests are meant, and each of them is switched off everywhere."""
    reasons = [[_lacks(place[2], test) for test in tests] for place in places]
    if places and all(all(code is not None for code in codes) for codes in reasons):
        slot, name, _ = places[0]
        yield fault(below, "leave-out-off", slot=slot, channel=name)


def _lacks(channel: Channel, test: str) -> str | None:
    """The rule by which a test finds nothing in a channel; None where it may."""
    if channel.kind == "state":
        return None if test == "range" else "leave-out-state"
    given = None if channel.quality is None else getattr(channel.quality, test)
    if given is False and (
        test != "range" or channel.range is None
    ):  # what is physically possible is tested all the same
        return "leave-out-off"
    if test == "stuck" and channel.reporting != "periodic":
        return "leave-out-periodic"
    return None


def _places(plan: Draft, measure: Measure) -> list[_Place]:
    """The channels that a measure goes by."""
    one = channel_of(measure)
    slots = plan.slots if measure.of.slots is None else [name for name in measure.of.slots if name in plan.slots]
    found: list[_Place] = []
    for slot in slots:
        for name, channel in plan.slots[slot].channels.items():
            if channel is None:
                continue
            if name == one[0] if one is not None else _captured(measure, name, channel):
                found.append((slot, name, channel))
    return found


def _captured(measure: Measure, name: str, channel: Channel) -> bool:
    of = measure.of
    return isinstance(of, Capture) and channel.reporting == "periodic" and (of.channels is None or name in of.channels)


CHECKS = (leaving_out,)
