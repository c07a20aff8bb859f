"""Days and their counterparts before: the same weekday of the same week of the year (ISO 8601). Pure.

Week 53 has no counterpart in a year of 52. A public holiday is no ordinary day: pairs with one in them do not count; or, where
the plan says so, a holiday is paired as a Sunday, and an ordinary day whose counterpart is one with the same weekday a week
before or after it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final, Literal

NO_PAIR: Final = "no_pair"
HOLIDAY: Final = "holiday"
_WEEK: Final = timedelta(days=7)
_SUNDAY: Final = 7


def counterpart(
    day: date,
    window: tuple[date, date],
    holidays: Collection[date] = (),
    *,
    on_holidays: Literal["left_out", "sunday"] = "left_out",
) -> date | str:
    """The day of a baseline that a judged day is compared with; ``no_pair`` or ``holiday`` where there is none.

    :param window: the baseline's first day, and the day after its last.
    :param holidays: of both windows.

    >>> before = (date(2025, 3, 1), date(2026, 3, 1))
    >>> counterpart(date(2026, 7, 14), before), counterpart(date(2026, 12, 28), before)      # a Tuesday; a day of week 53
    (datetime.date(2025, 7, 15), 'no_pair')
    >>> feast = {date(2026, 9, 25)}                                                          # Chuseok
    >>> counterpart(date(2026, 9, 25), before, feast), counterpart(date(2026, 9, 25), before, feast, on_holidays="sunday")
    ('holiday', datetime.date(2025, 9, 28))
    """
    feast = day in holidays
    if feast and on_holidays == "left_out":
        return HOLIDAY
    found = _same(day, _SUNDAY if feast else day.isoweekday(), window)
    if found is None:
        return NO_PAIR
    if found not in holidays or (feast and found.isoweekday() == _SUNDAY):
        return found
    if on_holidays == "left_out":
        return HOLIDAY
    for other in (found - _WEEK, found + _WEEK):
        if window[0] <= other < window[1] and other not in holidays:
            return other
    return HOLIDAY


def _same(day: date, weekday: int, window: tuple[date, date]) -> date | None:
    """The latest day within the window of the same week of the year."""
    week = day.isocalendar().week
    for year in range(window[1].year + 1, window[0].year - 2, -1):
        try:
            found = date.fromisocalendar(year, week, weekday)
        except ValueError:  # that year has no week 53
            continue
        if window[0] <= found < window[1] and found != day:
            return found
    return None
