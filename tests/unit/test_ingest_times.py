"""Times as devices write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import instant, micros
from ingest.protocols.json.times import TimeUnreadable, reader

SEOUL = ZoneInfo("Asia/Seoul")
instants = st.integers(1_000_000_000_000_000, 4_000_000_000_000_000).map(instant)  # 2001 to 2096


@given(instants)
def test_the_unit_is_told_by_the_magnitude(at: datetime) -> None:
    us, read = micros(at), reader("auto", None)
    assert read(us // 10**6) == us // 10**6 * 10**6
    assert read(us // 1000) == us // 1000 * 1000
    assert read(us) == us
    assert read(us * 1000 + 999) == us
    assert read(str(us // 1000)) == us // 1000 * 1000
    assert abs(read(us / 1e6) - us) <= 1  # a double has a quarter of a microsecond here


@given(instants, st.sampled_from([None, SEOUL, UTC]), st.sampled_from(["T", " "]))
def test_iso_8601(at: datetime, zone: ZoneInfo | None, between: str) -> None:
    read = reader("auto", zone)
    assert read(at.isoformat(between)) == micros(at)
    assert read(at.astimezone(SEOUL).isoformat(between)) == micros(at)
    naive = at.astimezone(zone or UTC).replace(tzinfo=None).isoformat(between)
    if zone is None:
        with pytest.raises(TimeUnreadable, match="zone=-"):
            read(naive)
    else:
        assert read(naive) == micros(at)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-01T03:00:00Z", "2026-06-01T03:00:00+00:00"),
        ("20260601T030000Z", "2026-06-01T03:00:00+00:00"),
        ("2026-06-01T03:00:00.5+0900", "2026-05-31T18:00:00.500000+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2026-06-01T03:00:00.1234567Z", "2026-06-01T03:00:00.123456+00:00"),
    ],
)
def test_forms_of_iso_8601(text: str, expected: str) -> None:
    assert instant(reader("iso", None)(text)).isoformat() == expected


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("auto", "yesterday"), ("auto", ""), ("auto", "2026-06-01"), ("auto", True), ("auto", [1]), ("auto", {}),
        ("auto", float("nan")), ("auto", float("inf")), ("auto", "12:00"), ("auto", 10**30), ("auto", "9" * 50),
        ("s", 1e308), ("s", -1e308), ("s", 10**400), ("ms", "soon"), ("iso", 1780282800), ("iso", "1780282800"),
        ("auto", "2026-02-30T00:00:00Z"), ("s", "2026-06-01T03:00:00Z"),
    ],
)  # fmt: skip
def test_what_is_no_time(form: str, raw: object) -> None:
    with pytest.raises(TimeUnreadable) as refused:
        reader(form, SEOUL)(raw)
    assert 0 < len(str(refused.value)) < 200


@pytest.mark.parametrize(("form", "raw", "us"), [("s", 5, 5_000_000), ("ms", 5, 5_000), ("us", 5, 5), ("ns", 5_000, 5)])
def test_a_named_unit_is_believed(form: str, raw: int, us: int) -> None:
    assert reader(form, None)(raw) == us
