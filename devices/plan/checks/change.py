"""Changes: of a measure that their baseline can be computed by, in its dimension, beside slots that are not judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.units import UnitError, same_dimension, unit_of
from devices.plan.baseline import Baseline
from devices.plan.change_measures import COMMON, DAILY, Change
from devices.plan.checks.fault import Fault, fault
from devices.plan.checks.kpis import concerned
from devices.plan.draft import Draft, DraftKpi
from devices.plan.measured_unit import channel_of, integral_unit, level_unit, unit_given
from devices.plan.measures import Measure, Statistic
from devices.plan.problem import Way, guess, known

_OF: Final = (*DAILY, "availability", "manual")
_ROWS: Final = {
    "statistic": ("value",), "share": ("value",), "integral": ("value", "amount"), "increase": ("counter", "amount"),
}  # fmt: skip
"""What can be computed from a file, and what its rows may be; the first if the plan does not say."""
_YEAR_DAYS: Final = 365


def _changes(plan: Draft) -> Iterator[tuple[Way, DraftKpi, Change]]:
    for name, kpi in plan.kpis.items():
        for promise in kpi.promises:
            if promise.measure is not None and isinstance(promise.measure.of, Change):
                yield ("kpis", name, *promise.way, "measure", "change"), kpi, promise.measure.of


def kinds(plan: Draft) -> Iterator[Fault]:
    """It is of a measure that has values on both sides, and what stands twice stands once."""
    for way, kpi, change in _changes(plan):
        kind = change.of.kind
        if kind not in _OF:
            yield fault((*way, "of", kind), "change-of", known=known(_OF))
            continue
        for key in COMMON:
            if getattr(change, key) is not None and getattr(change.of.of, key) is not None:
                yield fault((*way, key), "change-twice", key=key)
        if change.by_day and kind not in DAILY:
            yield fault((*way, "of", kind), "change-daily", kind=kind)
        if change.by_day and change.baseline.form == "value":
            yield fault((*way, "baseline"), "change-window")
        if kpi.decision == "guarded" and kind in ("share", "event_ratio"):
            yield fault((*way[:2], "decision"), "change-guarded", kind=kind)


def baselines(plan: Draft) -> Iterator[Fault]:
    """The baseline is of the right time and dimension."""
    for way, kpi, change in _changes(plan):
        at: Way = (*way, "baseline")
        yield from _times(plan, at, change.baseline)
        if change.baseline.form == "file":
            yield from _rows(plan, at, change)
            yield from _columns(plan, at, kpi, change)
        elif change.baseline.form == "value":
            yield from _value(plan, at, change)


def _times(plan: Draft, at: Way, baseline: Baseline) -> Iterator[Fault]:
    if plan.period is None or baseline.window is None:
        return
    _, end = baseline.days
    if baseline.form == "file" and end > plan.period.start:
        yield fault((*at, "window"), "baseline-before", start=plan.period.start)
    looks = [day for day in (*plan.interim, plan.data_until) if day is not None]
    if baseline.form == "window" and looks and end >= min(looks):
        yield fault((*at, "window"), "baseline-late", look=min(looks))


def _rows(plan: Draft, at: Way, change: Change) -> Iterator[Fault]:
    """What a row is, and its unit."""
    kind, baseline = change.of.kind, change.baseline
    if kind not in _ROWS:
        if kind in _OF:
            yield fault((*at, "file"), "baseline-kind", known=known(tuple(_ROWS)))
        return
    if baseline.rows is not None and baseline.rows not in _ROWS[kind]:
        yield fault((*at, "rows"), "baseline-rows", rows=baseline.rows, kind=kind, known=known(_ROWS[kind]))
        return
    unit = _channel_unit(plan, change.inner)
    if unit is None or baseline.unit is None:
        return
    needed = [unit]
    if kind == "integral":
        summed = integral_unit(unit)
        needed = {"value": [unit], "amount": [summed], None: [unit, summed]}[baseline.rows]
    if not any(_alike(baseline.unit, one) for one in needed):
        yield fault((*at, "unit"), "baseline-unit", unit=baseline.unit, needed=known(needed))
    if not _alike(baseline.temperature_unit, "degC"):
        found = {"channel": baseline.temperature or "temperature", "unit": baseline.temperature_unit}
        yield fault((*at, "temperature_unit"), "normalise-weather", **found)


def _columns(plan: Draft, at: Way, kpi: DraftKpi, change: Change) -> Iterator[Fault]:
    """A column for each slot where they are not pooled, and for each control."""
    columns, slots = change.baseline.columns, _judged(plan, change)
    for slot in columns:
        if slot and slot not in plan.slots:
            there = list(plan.slots)
            yield fault((*at, "value", slot), "slot-unknown", known=known(there), guess=guess(slot, there))
    together = "" in columns
    alone = kpi.group not in (None, "pooled") and len(slots) > 1
    needed = [*(change.control or ()), *(slots if alone or not together else ())]
    missing = [slot for slot in needed if slot not in columns]
    if missing:
        yield fault((*at, "value"), "baseline-slots", missing=known(missing))


def _value(plan: Draft, at: Way, change: Change) -> Iterator[Fault]:
    unit = _channel_unit(plan, change.inner)
    if change.of.kind == "manual" or (unit is None and channel_of(change.inner) is not None):
        return
    needed = level_unit(change, unit_given(change.inner, unit))
    found = change.baseline.quantity[1]
    if needed is not None and not _alike(found, needed):
        yield fault((*at, "value"), "baseline-unit", unit=found or "1", needed=needed)


def _channel_unit(plan: Draft, measure: Measure) -> str | None:
    one = channel_of(measure)
    channels = [] if one is None else concerned(plan, measure, one[0])
    return next((channel.canonical_unit for channel in channels), None)


def _alike(one: str, other: str) -> bool:
    try:
        unit_of(one)
        return same_dimension(one, other)
    except UnitError:
        return False


def _judged(plan: Draft, change: Change) -> list[str]:
    """The slots that it is about, as far as the plan can be read."""
    named = change.inner.of.slots
    if named is not None:
        return [slot for slot in named if slot in plan.slots]
    one = channel_of(change.inner)
    return [
        slot
        for slot in plan.company_slots
        if slot not in (change.control or ()) and (one is None or one[0] in plan.slots[slot].channels)
    ]


def controls(plan: Draft) -> Iterator[Fault]:
    """A control is in the plan, has what is measured, and is not judged."""
    for way, _, change in _changes(plan):
        one = channel_of(change.inner)
        for position, slot in enumerate(change.control or ()):
            at: Way = (*way, "control", position)
            if slot not in plan.slots:
                there = list(plan.slots)
                yield fault(at, "slot-unknown", known=known(there), guess=guess(slot, there))
            elif slot in (change.inner.of.slots or ()):
                yield fault(at, "control-kpi", slot=slot)
            elif one is not None and one[0] not in plan.slots[slot].channels:
                yield fault(at, "control-lacks", slot=slot, channel=one[0])


def weather(plan: Draft) -> Iterator[Fault]:
    """Degree days are of a temperature, explain energy, and take a year."""
    for way, _, change in _changes(plan):
        normal = change.normalise
        if normal is None:
            continue
        at: Way = (*way, "normalise")
        if change.pair is not None or change.control is not None:
            yield fault(at, "change-one")
        of = change.of.of
        statistic = isinstance(of, Statistic) and of.stat in ("mean", "sum")
        if change.of.kind not in ("integral", "increase") and not statistic:
            yield fault((*way, "of", change.of.kind), "normalise-of")
        if change.baseline.window is not None:
            start, end = change.baseline.days
            if (end - start).days < _YEAR_DAYS:
                yield fault((*way, "baseline", "window"), "normalise-year", days=(end - start).days)
        yield from _weather(plan, (*at, "weather"), change)


def _weather(plan: Draft, at: Way, change: Change) -> Iterator[Fault]:
    assert change.normalise is not None
    slot, channel = change.normalise.weather.slot, change.normalise.weather.channel
    if slot not in plan.slots:
        there = list(plan.slots)
        yield fault((*at, "slot"), "slot-unknown", known=known(there), guess=guess(slot, there))
    elif channel not in plan.slots[slot].channels:
        values = {"slot": slot, "channel": channel, "known": known(list(plan.slots[slot].channels))}
        yield Fault(way=(*at, "channel"), code="channel-not-at", values=values)
    else:
        found = plan.slots[slot].channels[channel]
        if found is not None and not _alike(found.canonical_unit, "degC"):
            yield fault((*at, "channel"), "normalise-weather", channel=channel, unit=found.canonical_unit or "states")


CHECKS = (kinds, baselines, controls, weather)
