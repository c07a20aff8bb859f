"""Stretches, calendars and charges: who is charged for which microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import Window, date_window, instant, micros, month_window
from kpi.calendar import quarters, required, weeks
from kpi.charges import PlatformRecord, charge
from kpi.stretches import Stretches, contains, difference, intersection, joined, total_us, union

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600_000_000

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8).map(joined)


def points(stretches: Stretches) -> set[int]:
    return {at for at in range(61) if contains(stretches, at)}


@given(spans, spans)
def test_stretches_are_sets_of_instants(one: Stretches, other: Stretches) -> None:
    assert points(union(one, other)) == points(one) | points(other)
    assert points(intersection(one, other)) == points(one) & points(other)
    assert points(difference(one, other)) == points(one) - points(other)
    assert total_us(one) == len(points(one))


@given(spans, spans, spans, st.one_of(st.none(), st.integers(0, 60)))
def test_every_microsecond_of_a_gap_is_charged_once(
    gaps: Stretches, alive: Stretches, swap: Stretches, since: int | None
) -> None:
    known = () if since is None else ((since, 60),)
    record = PlatformRecord(alive=intersection(alive, known), since_us=since, until_us=60)
    found = charge(gaps, record, swap)
    assert total_us(found.company) + total_us(found.platform) + total_us(found.nobody) == total_us(gaps)
    assert union(found.company, found.platform, found.nobody) == gaps


@pytest.mark.parametrize("zone", [SEOUL, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")])
@pytest.mark.parametrize("hours", [(0, 1440), (300, 1440), (90, 150), (1439, 1440)])
def test_hours_are_those_of_the_clock_on_the_wall(zone: ZoneInfo, hours: tuple[int, int]) -> None:
    year = date_window(date(2026, 1, 1), date(2027, 1, 1), zone)
    found = required(year, zone, hours=hours)
    # Asked of the clock itself.
    step = timedelta(minutes=23)
    at = year.start
    while at < year.end:
        wall = at.astimezone(zone)
        inside = hours[0] <= wall.hour * 60 + wall.minute < hours[1]
        assert contains(found, micros(at)) == inside, wall
        at += step


def test_days_of_the_week() -> None:
    may = month_window("2026-05", SEOUL)
    found = required(may, SEOUL, hours=(540, 1080), weekdays=("mon", "tue", "wed", "thu", "fri"))
    assert total_us(found) == 21 * 9 * HOUR_US
    assert required(may, SEOUL, weekdays=("sat",))[0] == (
        micros(datetime(2026, 5, 1, 15, tzinfo=UTC)),
        micros(datetime(2026, 5, 2, 15, tzinfo=UTC)),
    )


@pytest.mark.parametrize("days", [1, 3, 4, 6, 7, 10, 11, 30, 365])
def test_weeks_cover_the_window(days: int) -> None:
    window = date_window(date(2026, 3, 1), date(2026, 3, 1) + timedelta(days=days), BERLIN)
    found = weeks(window, BERLIN)
    assert found[0].start == window.start and found[-1].end == window.end
    assert all(one.end == other.start for one, other in pairwise(found))
    assert len(found) == 1 or all(week.seconds > 3 * 86_400 for week in found)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 1, 1), date(2027, 1, 1), ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]),
        (date(2026, 3, 1), date(2027, 2, 1), ["2026-03-01", "2026-07-01", "2026-10-01"]),
        (date(2026, 3, 1), date(2026, 3, 20), ["2026-03-01"]),
        (date(2026, 3, 1), date(2026, 4, 20), ["2026-03-01"]),
        (date(2026, 4, 1), date(2026, 7, 1), ["2026-04-01"]),
        (date(2026, 4, 1), date(2026, 7, 2), ["2026-04-01"]),
        (date(2026, 3, 15), date(2026, 7, 1), ["2026-03-15"]),
    ],
)
def test_a_partial_quarter_is_joined_to_its_neighbour(start: date, end: date, expected: list[str]) -> None:
    found = quarters(date_window(start, end, SEOUL), SEOUL)
    assert [window.start.astimezone(SEOUL).date().isoformat() for window in found] == expected
    assert found[-1].end == date_window(start, end, SEOUL).end


def test_an_empty_window_has_no_days() -> None:
    at = instant(0)
    assert required(Window(start=at, end=at), SEOUL, hours=(0, 60)) == ()
