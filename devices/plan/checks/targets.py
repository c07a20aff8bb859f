"""Targets: in the dimension of what their measure gives, and such that they can be missed as well as met."""

from __future__ import annotations

from collections.abc import Iterator

from core.units import shown_unit
from devices.plan.agreement_measures import Agreement
from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import concerned, convertible
from devices.plan.draft import Draft, DraftKpi
from devices.plan.manual import manual_unit
from devices.plan.measured_unit import channel_of, unit_given
from devices.plan.measures import Change, Delay, Increase, Integral, Measure, Statistic
from devices.plan.problem import Way
from devices.plan.target import Bounds

_SHARES = ("share", "capture", "availability", "event_ratio", "detection", "sequence")
_NEVER_NEGATIVE = ("increase", "event_rate", "count", "event_duration", "mtbf", "forecast")


def targets(plan: Draft) -> Iterator[Fault]:
    """A target is in the dimension of what its measure gives, and can be missed as well as met."""
    for name, kpi in plan.kpis.items():
        for promise in kpi.promises:
            if promise.measure is not None and promise.target is not None:
                yield from _target(plan, ("kpis", name, *promise.way, "target"), promise.measure, promise.target)


def _target(plan: Draft, way: Way, measure: Measure, target: Bounds) -> Iterator[Fault]:
    one, unit = channel_of(measure), None
    if one is not None:
        channels = concerned(plan, measure, one[0])
        if any(channel.kind == "state" for channel in channels) and measure.kind not in _SHARES:
            return  # told of the channel already
        unit = next((channel.canonical_unit for channel in channels), None)
    declared = {name: quantity for name, quantity in plan.manual.items() if quantity is not None}
    given = unit_given(measure, unit)
    if given is None:
        given = manual_unit(declared, measure)
    if given is None:
        return
    of = measure.of
    difference = (isinstance(of, Statistic) and of.stat == "std") or (isinstance(of, Agreement) and of.shifts)
    difference = difference or (isinstance(of, Change) and of.as_ == "difference")
    if not convertible(target, given, difference=difference):
        yield fault(way, "target-unit", measure=_said(measure), unit=shown_unit(given) if "*" in given else given)
    elif measure.kind in _SHARES and _idle(target.to(given), most=100 if given == "%" else 1):
        yield fault(way, "target-share", measure=measure.kind)
    elif measure.kind in _NEVER_NEGATIVE and _idle(target.to(given), most=None):
        yield fault(way, "target-negative", measure=measure.kind)


def _said(measure: Measure) -> str:
    match measure.of:
        case Statistic(stat=stat, channel=channel):
            return f"{stat} of {channel}"
        case Delay(stat=stat):
            return f"{stat} of the delay"
        case Integral(channel=channel) | Increase(channel=channel):
            return f"{measure.kind} of {channel}"
        case _:
            return measure.kind


def _idle(inside: Bounds, *, most: float | None) -> bool:
    """Whether a condition holds always or never, of a value from 0 up to ``most``."""
    least_met = 0 in inside and inside.low <= 0
    always = least_met and (most in inside if most is not None else inside.one_sided == "low")
    never = inside.high < 0 or (inside.high == 0 and not inside.high_closed)
    if most is not None:
        never = never or inside.low > most or (inside.low == most and not inside.low_closed)
    return always or never


def bounds_of_failures(plan: Draft) -> Iterator[Fault]:
    """A mean time between failures is judged by its lower confidence bound: a few failures estimate next to nothing."""
    for name, kpi in plan.kpis.items():
        if any(promise.measure is not None and promise.measure.kind == "mtbf" for promise in kpi.promises):
            yield from _confident(name, kpi)


def _confident(name: str, kpi: DraftKpi) -> Iterator[Fault]:
    if kpi.scope == "period":
        yield fault(("kpis", name, "scope"), "mtbf-scope")
    if kpi.decision == "estimate":
        yield fault(("kpis", name, "decision"), "mtbf-scope")


CHECKS = (targets, bounds_of_failures)
