"""Time: half-open windows, instants as UTC microseconds, calendar days and months of a pilot's zone.

Every stored instant is UTC. Days, months and quarters are calendar ones of the pilot's time zone, so a day may have 23 or
25 hours where the zone changes its clock. A naive datetime is an error wherever it turns up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000


def micros(instant: datetime) -> int:
    """Microseconds since the Unix epoch, exact.

    :raises ValueError: the datetime has no zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"A naive datetime is no instant: {instant.isoformat()}; give it a zone.")
    return (instant - EPOCH) // MICROSECOND


def instant(us: int) -> datetime:
    """The aware UTC datetime of so many microseconds since the Unix epoch."""
    return EPOCH + timedelta(microseconds=us)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a calendar day begins in a zone, as UTC.

    Where the clock skips midnight, the first instant that belongs to the day.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    # In a gap, fold=0 names an instant before the change, whose local date is still the day before.
    while start.astimezone(zone).date() < day:
        start += timedelta(minutes=15)
    return start


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """The half-open interval ``[start, end)`` between two instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"A window needs aware instants: {self.start.isoformat()} to {self.end.isoformat()}.")
        if self.end < self.start:
            raise ValueError(
                f"A window cannot end before it starts: {self.start.isoformat()} to {self.end.isoformat()}."
            )

    @property
    def start_us(self) -> int:
        return micros(self.start)

    @property
    def end_us(self) -> int:
        return micros(self.end)

    @property
    def seconds(self) -> float:
        return (self.end_us - self.start_us) / 1e6

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def intersection(self, other: Window) -> Window:
        """What both windows share; empty (start == end) if they share nothing."""
        start = max(self.start, other.start)
        return Window(start=start, end=max(start, min(self.end, other.end)))


def day_window(day: date, zone: ZoneInfo) -> Window:
    """A calendar day of the zone."""
    return Window(start=midnight(day, zone), end=midnight(day + timedelta(days=1), zone))


def date_window(start: date, end: date, zone: ZoneInfo) -> Window:
    """The calendar days from ``start`` up to, not including, ``end``."""
    return Window(start=midnight(start, zone), end=midnight(end, zone))


def next_month(day: date) -> date:
    """The first day of the month after the one that ``day`` lies in."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_window(month: str, zone: ZoneInfo) -> Window:
    """The calendar month ``YYYY-MM`` of the zone.

    :raises ValueError: the text is no month.
    """
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise ValueError(f"{month!r} is no month; write it as YYYY-MM.") from None
    return date_window(first, next_month(first), zone)


def months(start: date, end: date) -> Iterator[str]:
    """The calendar months, as ``YYYY-MM``, that ``[start, end)`` touches."""
    month = start.replace(day=1)
    while month < end:
        yield month.strftime("%Y-%m")
        month = next_month(month)


def days(start: date, end: date) -> Iterator[date]:
    """The calendar days of ``[start, end)``."""
    for offset in range((end - start).days):
        yield start + timedelta(days=offset)
