"""Measures from events: ratio, count, rate, duration, time between failures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from tests.recomputation import chance, sets, units
from tests.recomputation.dates import DAY_US, Span, day_of, midnight
from tests.recomputation.found import Doubt, Form, Found, Sampling, complete, none, share_of
from tests.recomputation.sets import Set
from tests.recomputation.sums import increase_over, integral_over
from tests.recomputation.units import Target
from tests.recomputation.view import View

_FAR_BELOW, _FAR_ABOVE = 10, 10_000


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event; ``number_only`` where nothing but its number is known to be missing."""

    at: int
    start: int | None = None
    end: int | None = None
    attributes: Mapping[str, Any] | None = None
    number_only: bool = False
    open: bool = False
    """Of a kind with phases, and never closed."""
    number: int | None = None


def events_of(view: View, slot: str, kind: str) -> list[Event]:
    """The events of a slot, and those whose number is missing, dated by the next one heard."""
    return view.keep(("events", slot, kind), lambda: _events_of(view, slot, kind))


def _events_of(view: View, slot: str, kind: str) -> list[Event]:
    rules = view.plan["slots"][slot]["events"][kind] or {}
    numbered, phased = rules.get("numbered", False), rules.get("phased", False)
    messages: dict[str, list[Any]] = {}
    for row in view.events(slot, kind, min(view.cut.whole[1] + DAY_US, view.as_of)).itertuples():
        messages.setdefault(row.id, []).append(row)
    found = []
    for rows in messages.values():
        begins = sorted((row for row in rows if row.phase != "end"), key=lambda row: row.us)
        ends = sorted((row for row in rows if row.phase == "end"), key=lambda row: row.us)
        start = int(begins[0].us) if begins else None
        end = int(ends[-1].us) if ends else start if begins[0].phase == "" else None
        # What was said at the end overrules what was said at the start.
        attributes: dict[str, Any] = {}
        for row in [*begins, *ends]:
            attributes |= row.attributes
        number = next((int(row.number) for row in [*begins, *ends] if not pd.isna(row.number)), None)
        at = int(begins[0].us if begins else ends[-1].us)
        event = Event(at=at, start=start, end=end, attributes=attributes, open=phased and end is None, number=number)
        found.append(event)
    found.sort(key=lambda one: one.at)
    if numbered:
        found += [Event(at=at, number_only=True) for at in holes(_heard(found))]
    return sorted(found, key=lambda one: one.at)


def _heard(events: Sequence[Event]) -> list[tuple[int, int]]:
    return [(one.at, one.number) for one in events if one.number is not None]


def orders(numbers: Sequence[tuple[int, int]]) -> list[dict[int, int]]:
    """(when, number) of what was heard, in the order of time, as number → when of each order: a reset begins a new one."""
    found: list[dict[int, int]] = [{}]
    for at, number in numbers:
        order = found[-1]
        if order and (number in order or number < min(order) - _FAR_BELOW or number > max(order) + _FAR_ABOVE):
            found.append(order := {})
        order[number] = at
    return found


def holes(numbers: Sequence[tuple[int, int]]) -> list[int]:
    """For each number that is missing, when the next one that was heard began."""
    found: list[int] = []
    for order in orders(numbers):
        for before, after in itertools.pairwise(sorted(order)):
            found += [order[after]] * (after - before - 1)
    return found


def told(numbers: Sequence[tuple[int, int]], silent: Set, required: Set) -> bool:
    """Whether each silence lies between two numbers that were heard, in one order, the later of them in required time."""
    heard = sorted((at, place) for place, order in enumerate(orders(numbers)) for at in order.values())
    ats = np.array([at for at, _ in heard], dtype=np.int64)
    for start, end in silent.tolist():
        before, after = int(np.searchsorted(ats, start, side="right")) - 1, int(np.searchsorted(ats, end))
        if before < 0 or after == len(heard) or heard[before][1] != heard[after][1]:
            return False
        if not sets.has(required, ats[after : after + 1])[0]:
            return False
    return True


def holds(conditions: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool | None:
    """Whether all conditions hold; None where none fails, but an attribute is not there."""
    known = [
        _one(wanted, attributes[name]) if attributes.get(name) is not None else None
        for name, wanted in conditions.items()
    ]
    return False if False in known else None if None in known else True


def _one(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list):
        return any(_one(one, value) for one in wanted)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(wanted, str) and number:
        try:
            return units.target(wanted).holds(float(value))
        except ValueError:
            return False
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(wanted == value)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The events of one slot in one window's required time."""

    slot: str
    required: Set
    events: list[Event]
    numbered: bool
    """Whether numbers tell how many events there were, also while nobody listened."""
    up: int
    due: int


def seen(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> list[Seen]:
    """Events that began in required time, with the slot's connected and required time."""
    found = []
    for slot in slots:
        required, states = view.required(slot, of, window), view.states(slot)
        events = events_of(view, slot, of["event"])
        kept = sets.has(required, np.array([one.at for one in events], dtype=np.int64))
        found.append(
            Seen(
                slot=slot,
                required=required,
                events=[one for one, there in zip(events, kept, strict=True) if there],
                numbered=bool((view.plan["slots"][slot]["events"][of["event"]] or {}).get("numbered", False))
                and told(_heard(events), sets.without(required, states.up), required),
                up=sets.length_in(states.up, required),
                due=sets.length(required) - sets.length_in(states.out, required),
            )
        )
    return found


def _completeness(rows: Sequence[Seen]) -> float | None:
    return complete(sum(row.up for row in rows), sum(row.due for row in rows))


def _pairs(
    view: View, rows: Sequence[Seen], good: Callable[[Event], bool], counts: Callable[[Event], bool]
) -> tuple[int, int, list[tuple[int, int]]]:
    """Successes and trials, together and of each slot's days."""
    days: dict[tuple[int, date], list[int]] = {}
    for place, row in enumerate(rows):
        for one in row.events:
            if counts(one):
                day = days.setdefault((place, day_of(one.at, view.zone)), [0, 0])
                day[0] += good(one)
                day[1] += 1
    pairs = [(k, n) for _, (k, n) in sorted(days.items())]
    return sum(k for k, _ in pairs), sum(n for _, n in pairs), pairs


def _trials(successes: int, trials: int, days: list[tuple[int, int]], designed: bool) -> Sampling:
    """Bounds of a proportion, 0 to 1."""

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        del window_s
        if not trials:
            return None
        return chance.proportion(successes, trials, alpha) if designed else chance.clustered_proportion(days, alpha)

    return sampling


def _percent(of_unit: Sampling) -> Sampling:
    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        found = of_unit(alpha, window_s)
        return None if found is None else (100 * found[0], 100 * found[1])

    return sampling


def ratio(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """Events that succeeded out of all."""
    rows, where = seen(view, of, slots, window), of.get("where") or {}
    now = min(view.cut.whole[1] + DAY_US, view.as_of)

    def good(one: Event) -> bool:
        return not one.number_only and not one.open and holds(of["success"], one.attributes or {}) is True

    def counts(one: Event) -> bool:
        if one.number_only:
            return True
        if one.open and now - one.at < DAY_US:
            return False
        return holds(where, one.attributes or {}) is not False

    successes, trials, days = _pairs(view, rows, good, counts)
    value = share_of(successes, trials) if trials else None
    sure = value is not None and all(row.numbered for row in rows)
    sampling = _percent(_trials(successes, trials, days, bool(of.get("designed", False))))
    return Found(
        value=value,
        unit="%",
        n=trials,
        completeness=_completeness(rows),
        ends=None if value is None else (value, value),
        fill=(value, value) if sure and value is not None else None,
        sampling=sampling,
        share=True,
        trials=True,
    )


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many events there were, and by how much exposure."""

    least: int
    most: int
    exposure: float
    more: float
    days: Callable[[], list[tuple[int, float]]]
    """(events, exposure) of each slot's days, for whoever asks how they spread."""


def _counted(
    view: View, of: dict[str, Any], rows: Sequence[Seen], exposed: Callable[[str, Set], tuple[float, float]]
) -> Counted:
    """:param exposed: a slot's exposure in some of its time: for sure, and how much more it may be."""
    where = of.get("where") or {}
    least = most = 0
    exposure = more = 0.0
    daily: list[dict[date, int]] = []
    for row in rows:
        daily.append({})
        for one in row.events:
            held = not where or None if one.number_only else holds(where, one.attributes or {})
            if held is False:
                continue
            most += 1
            least += held is True
            day = day_of(one.at, view.zone)
            daily[-1][day] = daily[-1].get(day, 0) + (held is True)
        sure, doubtful = exposed(row.slot, row.required)
        exposure, more = exposure + sure, more + doubtful

    def days() -> list[tuple[int, float]]:
        found = [
            (counted.get(day, 0), exposed(row.slot, part)[0])
            for row, counted in zip(rows, daily, strict=True)
            for day, part in _by_day(view, row.required)
        ]
        return [(number, there) for number, there in found if there > 0]

    return Counted(least=least, most=most, exposure=exposure, more=more, days=cache(days))


def _by_day(view: View, required: Set) -> list[tuple[date, Set]]:
    if not len(required):
        return []
    found = []
    day = day_of(int(required[0, 0]), view.zone)
    start = midnight(day, view.zone)
    while start < required[-1, 1]:
        following = date.fromordinal(day.toordinal() + 1)
        end = midnight(following, view.zone)
        part = sets.within(required, start, end)
        if len(part):
            found.append((day, part))
        day, start = following, end
    return found


def _up(view: View, *, whole: bool = False) -> Callable[[str, Set], tuple[float, float]]:
    """Up time in µs; or up and down, which is all that is not left out."""

    def exposed(slot: str, required: Set) -> tuple[float, float]:
        states = view.states(slot)
        up = sets.length_in(states.up, required) + (sets.length_in(states.down, required) if whole else 0)
        return float(up), float(sets.length_in(states.unknown, required))

    return exposed


def _bounds_of(found: Counted, scale: float, independent: bool) -> Callable[[int], Sampling]:
    def of(number: int) -> Sampling:
        def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
            del window_s
            if scale <= 0:
                return None
            bounds = chance.count(number, alpha) if independent else chance.clustered_count(number, found.days(), alpha)
            return bounds[0] / scale, bounds[1] / scale

        return sampling

    return of


def count(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """How many events there were."""
    rows = seen(view, of, slots, window)
    found = _counted(view, of, rows, _up(view))
    sampling_of = _bounds_of(found, 1.0, bool(of.get("independent", False)))
    most = float(found.most) if all(row.numbered for row in rows) else math.inf
    return Found(
        value=float(found.least),
        unit="건",
        n=found.least,
        completeness=_completeness(rows),
        ends=(float(found.least), float(found.most)),
        fill=(float(found.least), most),
        sampling=sampling_of(found.least),
        doubt=Doubt(most=found.most, exposure=1.0, per_event=False, sampling_of=sampling_of),
    )


def rate(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """Events by exposure."""
    rows = seen(view, of, slots, window)
    per = of["per"]
    one, among, unit = 1.0, 1, ""
    if isinstance(per, str) or "time" in per:
        text = per if isinstance(per, str) else per["time"]
        number, span = units.number_and_unit(text if text.strip()[0].isdigit() else f"1 {text}")
        together = units.alike(span, "s")
        one = round(units.convert(number, span, "us" if together else "device*us"))
        among = len(slots) if together else 1
        unit = f"건/({number:g} {span})"
        exposed = _up(view)
    else:
        [(how, given)] = per.items()
        given = {"channel": given} if isinstance(given, str) else given
        below = view.channel(slots[0], given["channel"])["unit"]
        unit = f"건/({below})" if how == "increase" else f"건/(({below})*s)"

        def exposed(slot: str, required: Set) -> tuple[float, float]:
            if how == "increase":
                return increase_over(view, slot, given, required)
            return integral_over(view, slot, given["channel"], required)[0], 0.0

    found = _counted(view, of, rows, exposed)

    def by(number: int, exposure: float) -> float | None:
        return number * among * one / exposure if exposure > 0 else None

    value, high = by(found.least, found.exposure), by(found.most, found.exposure)
    low = by(found.least, found.exposure + found.more)
    ends = None if value is None or low is None or high is None else (low, high)
    scale = found.exposure / one / among
    sampling_of = _bounds_of(found, scale, bool(of.get("independent", False)))
    return Found(
        value=value,
        unit=unit,
        n=found.least,
        completeness=_completeness(rows),
        ends=ends,
        fill=ends if all(row.numbered for row in rows) else None,
        sampling=sampling_of(found.least),
        doubt=Doubt(most=found.most, exposure=scale, per_event=False, sampling_of=sampling_of),
    )


def between_failures(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """Operating time by failure."""
    rows = seen(view, of, slots, window)
    found = _counted(view, of, rows, _up(view, whole=of.get("operating", "up") == "whole"))
    time_s = found.exposure / 1e6

    def sampling_of(number: int) -> Sampling:
        def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
            del window_s
            if time_s <= 0:
                return None
            low, high = chance.count(number, alpha)
            return time_s / high, time_s / low if low else math.inf

        return sampling

    value = time_s / found.least if found.least and time_s else None
    return Found(
        value=value,
        unit="s",
        n=found.least,
        completeness=_completeness(rows),
        ends=None if value is None else (time_s / found.most, (time_s + found.more / 1e6) / found.least),
        sampling=sampling_of(found.least),
        doubt=Doubt(most=found.most, exposure=time_s, per_event=True, sampling_of=sampling_of),
    )


def duration(
    view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span], target: Target
) -> Found:
    """How long events lasted; for ever where they were never seen to end."""
    stat, where = of["stat"], of.get("where") or {}
    now = min(view.cut.whole[1] + DAY_US, view.as_of)

    def counts(one: Event) -> bool:
        if one.number_only:
            return True
        if one.end is None and now - one.at < DAY_US:
            return False
        return holds(where, one.attributes or {}) is not False

    def lasted(one: Event) -> float:
        if one.start is None or one.end is None or one.end < one.start:
            return math.inf
        return (one.end - one.start) / 1e6

    rows = seen(view, of, slots, window)
    every = sorted(lasted(one) for row in rows for one in row.events if counts(one))
    value = None
    if every:
        value = every[-1]
        if stat == "mean":
            value = math.fsum(every) / len(every)
        elif stat[0] == "p":
            value = every[max(math.ceil(Fraction(stat[1:]) / 100 * len(every)), 1) - 1]
    sure = all(row.numbered for row in rows)
    form, sampling, blocks = None, none, []
    asked = target.to("s")
    if stat[0] == "p" and every and asked.side != "both":
        k, n, days = _pairs(view, rows, lambda one: asked.holds(lasted(one)), counts)
        p = float(stat[1:]) / 100
        form = Form(
            share=k / n,
            least=p if asked.side == "high" else 1 - p,
            fill=(k / n, k / n) if sure else None,
            sampling=_trials(k, n, days, bool(of.get("designed", False))),
        )
    elif stat == "mean" and value is not None and math.isfinite(value):
        for week in weeks:
            some = [lasted(one) for row in seen(view, of, slots, week) for one in row.events if counts(one)]
            mean = math.fsum(some) / len(some) if some else 0.0
            blocks.append(((week[0] + week[1]) / 2e6, float(len(some)), mean))
        if blocks:
            mean_value, weekly = value, blocks
            sampling = lambda alpha, window_s: chance.weekly_mean(mean_value, weekly, alpha, window_s)  # noqa: E731
    return Found(
        value=value,
        unit="s",
        n=len(every),
        completeness=_completeness(rows),
        ends=None if value is None else (value, value),
        fill=(value, value) if sure and value is not None else None,
        sampling=sampling,
        form=form,
        blocks=blocks,
    )
