"""The parts of what people entered: for each slot, or the pilot as a whole, the entries that lie within each window.

A measure over other windows than those that are judged (a baseline) takes the same: a :class:`ManualGatherer` with the spans of
those windows, or :func:`parts_of` with the entries themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from core.window import Window, micros
from devices.plan.manual import ManualQuantity, manual_slots
from devices.plan.manual_measures import Manual
from devices.plan.model import Kpi, Plan
from kpi.calendar import by_day
from kpi.gathered import Gathered, arranged
from kpi.inputs.reader import Reader
from kpi.measures.manual import Entered, ManualPart
from kpi.records.manual import ManualEntry, manual_entries
from kpi.spans import Spans
from kpi.stretches import Stretches, difference, intersection, joined, of_windows, total_us, union

_WHOLE = ""
"""In the place of a slot's name: of the pilot as a whole."""


class ManualGatherer:
    """Gathers what people entered, for the KPIs of one plan."""

    def __init__(self, reader: Reader, plan: Plan, spans: Spans) -> None:
        self.reader = reader
        self.plan = plan
        self.spans = spans

    def manual(self, kpi: Kpi, of: Manual) -> Gathered[ManualPart]:
        """The parts of a KPI by what was known at the reader's ``as_of``."""
        del kpi
        quantity = self.plan.manual.get(of.of)
        if quantity is None:
            return arranged((), self.spans, [])
        known = manual_entries(self.reader.connection, self.reader.pilot, quantity=of.of, as_of=self.reader.as_of)
        slots = manual_slots(self.plan.manual, of) if quantity.slots is not None else (_WHOLE,)
        units = []
        for slot in slots:
            own = [one for one in known if (one.slot or _WHOLE) == slot]
            without = self.reader.excluded(slot) if slot else ()
            units.append(parts_of(own, quantity, of, self.spans.all, self.plan.zone, excluded=without))
        return arranged(slots, self.spans, units)


def parts_of(
    known: Sequence[ManualEntry],
    quantity: ManualQuantity,
    of: Manual,
    windows: Sequence[Window],
    zone: ZoneInfo,
    *,
    excluded: Stretches = (),
) -> list[ManualPart]:
    """The part of each window; the first window is the whole, of which the others are pieces.

    :param known: the entries of one slot, or of the pilot as a whole.
    :param excluded: stretches left out of judgement: an entry that lies in them altogether does not count, any other does.
    """
    counting = [one for one in known if not _within(one, excluded)]
    whole = [one for one in counting if _inside(one, windows[0])]
    days = of.stat in ("sum", "rate")
    return [
        _part(counting, whole, quantity, of, window, zone, excluded, days=days, first=place == 0)
        for place, window in enumerate(windows)
    ]


def _part(
    counting: Sequence[ManualEntry],
    whole: Sequence[ManualEntry],
    quantity: ManualQuantity,
    of: Manual,
    window: Window,
    zone: ZoneInfo,
    excluded: Stretches,
    *,
    days: bool,
    first: bool,
) -> ManualPart:
    inside = [one for one in counting if _inside(one, window)]
    partly = [one for one in counting if not _inside(one, window) and _touches(one, window)]
    if days:
        obtained, expected = _days(whole, window, zone, excluded)
    else:
        # Asked now and then: a month or a quarter without any lacks nothing, the whole lacks all.
        obtained, expected = 1.0 if whole or not first else 0.0, 1.0
    return ManualPart(
        entries=tuple(entered(one) for one in inside if of.stat != "rate" or one.exposure),
        left_out=len(partly),
        kind=quantity.kind,
        span=(quantity.low, quantity.high),
        obtained=obtained,
        expected=expected,
    )


def entered(one: ManualEntry) -> Entered:
    """An entry as a measure takes it."""
    start_us, end_us = micros(one.start_at), micros(one.end_at)
    n, mean, sd = one.n or 1, one.value, one.sd
    if one.scores is not None:
        # What was entered were the answers: what follows from them is worked out from them.
        n = len(one.scores)
        mean = math.fsum(one.scores) / n
        sd = math.sqrt(math.fsum((score - mean) ** 2 for score in one.scores) / (n - 1)) if n > 1 else None
    return Entered(
        number=one.manual_id, start_us=start_us, end_us=end_us, value=mean, exposure=one.exposure, n=n, sd=sd
    )  # fmt: skip


def _days(whole: Sequence[ManualEntry], window: Window, zone: ZoneInfo, excluded: Stretches) -> tuple[float, float]:
    """Days of a window that entries cover from end to end, and days that it has; excluded ones are neither."""
    covered = union(*(of_windows([one.window]) for one in whole if one.window is not None))
    required = difference(of_windows([window]), excluded)
    obtained = expected = 0
    for day in by_day(required, zone).values():
        expected += 1
        obtained += total_us(intersection(day, covered)) == total_us(day)
    return float(obtained), float(expected)


def _inside(one: ManualEntry, window: Window) -> bool:
    end = one.end_at if one.window is not None else one.start_at
    within = window.start <= one.start_at and end <= window.end
    return within and (one.window is not None or one.start_at < window.end)


def _touches(one: ManualEntry, window: Window) -> bool:
    return one.window is not None and one.start_at < window.end and one.end_at > window.start


def _within(one: ManualEntry, excluded: Stretches) -> bool:
    span = joined([(micros(one.start_at), max(micros(one.end_at), micros(one.start_at) + 1))])
    return not difference(span, excluded)
