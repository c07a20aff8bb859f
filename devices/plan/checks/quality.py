"""Quality thresholds: differences and rates that can be told in the channel's unit, in order, of tests that the channel has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.units import UnitError, conversion, parse_quantity, same_dimension, seconds
from devices.plan.checks.channels import channels_of
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft
from devices.plan.model import Channel
from devices.plan.problem import Way
from devices.plan.quality import Quality, Resting, rate_parts


def quality(plan: Draft) -> Iterator[Fault]:
    """Whatever a channel's ``quality:`` says fits the channel."""
    for way, _, channel in channels_of(plan):
        if channel.quality is not None:
            yield from _of(channel, channel.quality, (*way, "quality"))


def _of(channel: Channel, given: Quality, way: Way) -> Iterator[Fault]:
    if channel.kind == "state":
        for key in ("stuck", "range", "spike", "rate", "jump"):
            if getattr(given, key) not in (None, False):
                yield fault((*way, key), "quality-state")
    if channel.reporting != "periodic":
        for key in ("gap", "stuck"):
            if getattr(given, key) not in (None, False):
                yield fault((*way, key), "quality-periodic")
    if isinstance(given.gap, str) and channel.period_s is not None and seconds(given.gap) < channel.period_s:
        yield fault((*way, "gap"), "quality-gap", period=channel.period)
    yield from _resting(channel, given, (*way, "stuck"))
    if given.range and given.range[0] > given.range[1]:
        yield fault((*way, "range"), "range-order")
    if channel.unit is None:
        return
    yield from _sizes(given.spike, channel.unit, (*way, "spike"), rate=False)
    yield from _sizes(given.rate, channel.unit, (*way, "rate"), rate=True)
    yield from _sizes(given.jump, channel.unit, (*way, "jump"), rate=False)


def _resting(channel: Channel, given: Quality, way: Way) -> Iterator[Fault]:
    match given.stuck:
        case (suspect, fail) if seconds(suspect) > seconds(fail):
            yield fault(way, "quality-order")
        case Resting(after=suspect, fail=fail, tolerance=tolerance):
            if fail is not None and seconds(suspect) > seconds(fail):
                yield fault((*way, "fail"), "quality-order")
            if tolerance is not None and channel.unit is not None:
                yield from _sizes(tolerance, channel.unit, (*way, "tolerance"), rate=False)


def _sizes(given: str | Sequence[str] | bool | None, unit: str, way: Way, *, rate: bool) -> Iterator[Fault]:
    if given is None or isinstance(given, bool):
        return
    one = isinstance(given, str)
    texts = (given,) if isinstance(given, str) else tuple(given)
    sizes = []
    for place, text in enumerate(texts):
        size = _size(text, unit, rate=rate)
        if size is None:
            yield fault(way if one else (*way, place), "quality-rate" if rate else "quality-change", unit=unit)
        else:
            sizes.append(size)
    if len(sizes) == 2 and sizes[0] > sizes[1]:
        yield fault(way, "quality-order")


def _size(text: str, unit: str, *, rate: bool) -> float | None:
    """A difference in the channel's unit, or one a second; None where it is of something else."""
    try:
        change, per = rate_parts(text) if rate else (text, "1 s")
        number, of = parse_quantity(change)
        if (of == "") != (unit == "") or not same_dimension(of, unit):
            return None
        return number * conversion(of, unit).scale / seconds(per)
    except UnitError:
        return None


CHECKS = (quality,)
