"""Which part of a window counts, and how it is cut: hours and days of the pilot's zone, weeks, quarters."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from core.window import Window, days, instant, micros, midnight
from devices.plan.holidays import Holidays
from kpi.stretches import Stretches, joined, of_windows

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE_US = 60_000_000
_DAY_US = 86_400_000_000
_WHOLE_DAY = (0, 1440)


def local_days(window: Window, zone: ZoneInfo) -> Iterator[date]:
    """The calendar days of the zone that a window touches."""
    if window.start == window.end:
        return
    first = window.start.astimezone(zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    yield from days(first, last + timedelta(days=1))


def required(
    window: Window,
    zone: ZoneInfo,
    *,
    hours: tuple[int, int] | None = None,
    weekdays: Collection[str] | None = None,
    holidays: Holidays | None = None,
) -> Stretches:
    """The part of a window that lies in a daily span and on certain days, by the clock on the wall of the zone.

    :param hours: minutes after midnight, half-open.
    :param weekdays: ``mon`` … ``sun``.
    :param holidays: what public holidays are to it.

    >>> from core.window import month_window
    >>> from kpi.stretches import total_us
    >>> march = month_window("2026-03", ZoneInfo("Europe/Berlin"))
    >>> total_us(required(march, ZoneInfo("Europe/Berlin"))) / 3_600_000_000  # one hour is skipped on the 29th
    743.0
    >>> total_us(required(march, ZoneInfo("Europe/Berlin"), hours=(120, 180))) / 3_600_000_000
    30.0
    """
    if hours is None and weekdays is None and holidays is None:
        return of_windows([window])
    spans: list[tuple[int, int]] = []
    for day in local_days(window, zone):
        among = weekdays is None or WEEKDAYS[day.weekday()] in weekdays
        if among if holidays is None else holidays.holds(day, among=among):
            spans += _daily(day, zone, hours or _WHOLE_DAY)
    low, high = window.start_us, window.end_us
    return joined((max(start, low), min(end, high)) for start, end in spans)


def _daily(day: date, zone: ZoneInfo, hours: tuple[int, int]) -> list[tuple[int, int]]:
    start_us = micros(midnight(day, zone))
    end_us = micros(midnight(day + timedelta(days=1), zone))
    if hours == _WHOLE_DAY:
        return [(start_us, end_us)]
    if end_us - start_us == _DAY_US:
        return [(start_us + hours[0] * _MINUTE_US, start_us + hours[1] * _MINUTE_US)]
    # On the two days of the year that are not 24 hours long, ask the clock on the wall minute by minute.
    inside = []
    for at_us in range(start_us, end_us, _MINUTE_US):
        wall = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone)
        if hours[0] <= wall.hour * 60 + wall.minute < hours[1]:
            inside.append((at_us, at_us + _MINUTE_US))
    return inside


def by_day(stretches: Stretches, zone: ZoneInfo) -> dict[date, Stretches]:
    """Stretches cut at the midnights of a zone.

    >>> hour = 3_600_000_000
    >>> seoul = by_day(((0, 20 * hour),), ZoneInfo("Asia/Seoul"))      # 1970-01-01 09:00 to 1970-01-02 05:00
    >>> from kpi.stretches import total_us
    >>> [(day.day, total_us(part) // hour) for day, part in seoul.items()]
    [(1, 15), (2, 5)]
    """
    found: dict[date, list[tuple[int, int]]] = {}
    day, midnight_us = date.min, -(2**62)
    for start_us, end_us in stretches:
        while start_us < end_us:
            if start_us >= midnight_us:
                day = instant(start_us).astimezone(zone).date()
                midnight_us = micros(midnight(day + timedelta(days=1), zone))
            until_us = min(end_us, midnight_us)
            found.setdefault(day, []).append((start_us, until_us))
            start_us = until_us
    return {day: tuple(spans) for day, spans in found.items()}


def weeks(window: Window, zone: ZoneInfo) -> list[Window]:
    """Blocks of seven calendar days from the window's start; a rest shorter than half a week belongs to the last one.

    >>> from core.window import month_window
    >>> [w.seconds / 86400 for w in weeks(month_window("2026-05", ZoneInfo("Asia/Seoul")), ZoneInfo("Asia/Seoul"))]
    [7.0, 7.0, 7.0, 10.0]
    """
    found: list[Window] = []
    day = window.start.astimezone(zone).date()
    start = window.start
    while start < window.end:
        day += timedelta(days=7)
        end = min(midnight(day, zone), window.end)
        found.append(Window(start=start, end=end))
        start = end
    if len(found) > 1 and found[-1].seconds < 3.5 * 86_400:
        found[-2:] = [Window(start=found[-2].start, end=found[-1].end)]
    return found


def quarters(window: Window, zone: ZoneInfo) -> list[Window]:
    """The calendar quarters of a window; a partial one is joined to its neighbour.

    >>> from core.window import date_window
    >>> seoul = ZoneInfo("Asia/Seoul")
    >>> [(q.start.astimezone(seoul).month, q.end.astimezone(seoul).month) for q in
    ...  quarters(date_window(date(2026, 3, 1), date(2027, 2, 1), seoul), seoul)]
    [(3, 7), (7, 10), (10, 2)]
    """
    edges = [window.start]
    day = window.start.astimezone(zone).date()
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    whole_first = midnight(first, zone) == window.start
    while True:
        first = (first.replace(day=1) + timedelta(days=100)).replace(day=1)
        edge = midnight(first, zone)
        if edge >= window.end:
            break
        edges.append(edge)
    whole_last = edge == window.end
    edges.append(window.end)
    if not whole_first and len(edges) > 2:
        del edges[1]
    if not whole_last and len(edges) > 2:
        del edges[-2]
    return [Window(start=start, end=end) for start, end in pairwise(edges)]
