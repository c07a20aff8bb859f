"""Calendar days and instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import Window, date_window, day_window, instant, micros, midnight, month_window, months

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def test_a_day_is_the_zones_own() -> None:
    assert day_window(date(2026, 3, 1), SEOUL).start == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert day_window(date(2026, 3, 29), BERLIN).seconds == 23 * 3600
    assert day_window(date(2026, 10, 25), BERLIN).seconds == 25 * 3600


def test_a_leap_day_and_a_month() -> None:
    assert month_window("2028-02", SEOUL).seconds == 29 * 86_400
    assert month_window("2026-12", SEOUL).end == datetime(2026, 12, 31, 15, tzinfo=UTC)
    with pytest.raises(ValueError, match="YYYY-MM"):
        month_window("2026-13", SEOUL)


def test_a_midnight_that_the_clock_skips() -> None:
    """Santiago jumped from 24:00 to 01:00 on 2024-09-08: that day begins at 04:00 UTC, and not the day before."""
    zone = ZoneInfo("America/Santiago")
    start = midnight(date(2024, 9, 8), zone)
    assert start.astimezone(zone).replace(tzinfo=None) == datetime(2024, 9, 8, 1)  # noqa: DTZ001 - wall time is meant


def test_months_that_a_period_touches() -> None:
    assert list(months(date(2013, 7, 4), date(2014, 1, 1))) == [
        "2013-07", "2013-08", "2013-09", "2013-10", "2013-11", "2013-12",
    ]  # fmt: skip


def test_naive_datetimes_are_errors() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        micros(naive)
    with pytest.raises(ValueError, match="aware"):
        Window(start=naive, end=naive)
    with pytest.raises(ValueError, match="before it starts"):
        Window(start=datetime(2026, 1, 2, tzinfo=UTC), end=datetime(2026, 1, 1, tzinfo=UTC))


@given(st.integers(-(10**15), 10**16))
def test_microseconds_there_and_back(us: int) -> None:
    assert micros(instant(us)) == us


@given(
    st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York"])
)
def test_days_tile_the_calendar(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    following = day + timedelta(days=1)
    assert day_window(day, zone).end == day_window(following, zone).start
    assert date_window(day, following + timedelta(days=1), zone).seconds == (
        day_window(day, zone).seconds + day_window(following, zone).seconds
    )
