"""The calendar of a pilot's zone: windows, months, quarters, weeks, hours of the day."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.recomputation import sets
from tests.recomputation.sets import Set

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[int, int]


def us(at: datetime) -> int:
    """Microseconds since 1970 began in UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def at(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def read_instant(text: str) -> int:
    """An instant as JSON has it."""
    return us(datetime.fromisoformat(text.replace("Z", "+00:00")))


def midnight(day: date, zone: ZoneInfo) -> int:
    """Where a day begins by the clock of the zone."""
    begun = us(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))
    while at(begun).astimezone(zone).date() < day:  # midnight itself is skipped
        begun += 60_000_000
    return begun


def day_of(micros: int, zone: ZoneInfo) -> date:
    return at(micros).astimezone(zone).date()


def days_of(span: Span, zone: ZoneInfo) -> list[date]:
    """The days that a span touches."""
    if span[0] >= span[1]:
        return []
    first, last = day_of(span[0], zone), day_of(span[1] - 1, zone)
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def month(label: str, zone: ZoneInfo) -> Span:
    year, number = map(int, label.split("-"))
    following = date(year + number // 12, number % 12 + 1, 1)
    return midnight(date(year, number, 1), zone), midnight(following, zone)


def daily(span: Span, zone: ZoneInfo, hours: Span | None, weekdays: Sequence[str] | None) -> Set:
    """The part of a span in certain minutes of the day and on certain weekdays, by the clock on the wall."""
    if hours is None and weekdays is None:
        return sets.of([span])
    found: list[Span] = []
    for day in days_of(span, zone):
        if weekdays is None or WEEKDAYS[day.weekday()] in weekdays:
            start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
            found += _minutes(start, end, zone, hours or (0, 1440))
    return sets.within(sets.of(found), *span)


def _minutes(start: int, end: int, zone: ZoneInfo, hours: Span) -> list[Span]:
    minute = 60_000_000
    if hours == (0, 1440):
        return [(start, end)]
    if end - start == DAY_US:
        return [(start + hours[0] * minute, start + hours[1] * minute)]
    walls = [(one, at(one).astimezone(zone)) for one in range(start, end, minute)]
    return [(one, one + minute) for one, wall in walls if hours[0] <= wall.hour * 60 + wall.minute < hours[1]]


def weeks(span: Span, zone: ZoneInfo) -> list[Span]:
    """Seven calendar days each from the span's first on; less than half a week at the end belongs to the week before."""
    first = day_of(span[0], zone)
    edges = [span[0]]
    while edges[-1] < span[1]:
        first += timedelta(days=7)
        edges.append(min(midnight(first, zone), span[1]))
    if len(edges) > 2 and edges[-1] - edges[-2] < 3.5 * DAY_US:
        del edges[-2]
    return list(itertools.pairwise(edges))


def quarters(span: Span, zone: ZoneInfo) -> list[Span]:
    """Calendar quarters; one that is there in part belongs to its neighbour."""
    begin = day_of(span[0], zone)
    starts: list[int] = []
    for number in range((begin.month - 1) // 3, 400):
        starts.append(midnight(date(begin.year + number // 4, number % 4 * 3 + 1, 1), zone))
        if starts[-1] >= span[1]:
            break
    inner = [one for one in starts if span[0] < one < span[1]]
    if inner and starts[0] != span[0]:
        del inner[0]
    if inner and starts[-1] != span[1]:
        del inner[-1]
    edges = [span[0], *inner, span[1]]
    return list(itertools.pairwise(edges))


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The windows of one evaluation."""

    whole: Span
    month: Span | None
    quarters: list[Span]
    weeks: list[Span]
