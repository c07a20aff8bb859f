"""Dates: evaluations inside the period, in order; devices installed in time; nothing kept too briefly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from core.units import seconds
from devices.plan.checks.fault import Fault, fault
from devices.plan.draft import Draft


def data_until(plan: Draft) -> Iterator[Fault]:
    """The final evaluation's data end inside the period."""
    if plan.period is None or plan.data_until is None:
        return
    if not plan.period.start < plan.data_until <= plan.period.end:
        yield fault(("evaluation", "data_until"), "data-until", start=plan.period.start, end=plan.period.end)


def interim(plan: Draft) -> Iterator[Fault]:
    """Interim dates lie between the start and the final evaluation, and ascend."""
    before: date | None = None
    for position, day in enumerate(plan.interim):
        if day is None:
            continue
        way = ("evaluation", "interim", position)
        if plan.period is not None and plan.data_until is not None and not plan.period.start < day < plan.data_until:
            yield fault(way, "interim", start=plan.period.start, until=plan.data_until)
        if before is not None and day <= before:
            yield fault(way, "interim-order")
        before = day


def meeting(plan: Draft) -> Iterator[Fault]:
    """The committee meets when the data are there."""
    if plan.data_until is not None and plan.meeting is not None and plan.meeting < plan.data_until:
        yield fault(("evaluation", "meeting"), "meeting", until=plan.data_until)


def installed(plan: Draft) -> Iterator[Fault]:
    """Every device stands before the period ends."""
    for name, slot in plan.slots.items():
        day = None if slot.device is None else slot.device.installed
        if plan.period is not None and day is not None and day >= plan.period.end:
            yield fault(("slots", name, "device", "installed"), "installed", end=plan.period.end)


def retention(plan: Draft) -> Iterator[Fault]:
    """Readings outlive the raw messages that they came from."""
    if plan.keep_messages and plan.retention and seconds(plan.retention) < seconds(plan.keep_messages):
        yield fault(("retention",), "retention", messages=plan.keep_messages)


CHECKS = (data_until, interim, meeting, installed, retention)
