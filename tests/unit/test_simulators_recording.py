"""Reading a CSV file: what a row says, what is wrong with one, and clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import NotFound, PermanentError
from core.window import instant
from simulators.recording import BadRow, Row, count_rows, rows

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def written(folder: Path, *lines: str, heading: str = "timestamp,value", encoding: str = "utf-8") -> Path:
    path = folder / "series.csv"
    path.write_text("\n".join([heading, *lines, ""]), encoding=encoding)
    return path


def read(path: Path, zone: ZoneInfo = SEOUL, **options: str) -> list[Row | BadRow]:
    return list(rows(path, zone=zone, **options))


def instants(found: list[Row | BadRow]) -> list[str]:
    return [
        instant(row.at_us).strftime("%m-%dT%H:%M") if isinstance(row, Row) else f"line {row.number}" for row in found
    ]


def test_local_times_are_the_zone_s_and_values_stand_as_written(tmp_path: Path) -> None:
    path = written(tmp_path, "2013-07-04 00:00:00,69.88083514", "2013-07-04 01:00:00,71", "2013-07-04 01:00:00,-1e-3")
    assert read(path) == [
        Row(number=2, at_us=int(datetime(2013, 7, 3, 15, tzinfo=UTC).timestamp() * 1e6), value=69.88083514),
        Row(number=3, at_us=int(datetime(2013, 7, 3, 16, tzinfo=UTC).timestamp() * 1e6), value=71),
        Row(number=4, at_us=int(datetime(2013, 7, 3, 16, tzinfo=UTC).timestamp() * 1e6), value=-0.001),
    ]
    assert count_rows(path) == 3


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T00:00:00Z",
        "2026-03-01T09:00:00+09:00",
        "2026-03-01 09:00",
        "2026.03.01 09:00:00",
        "2026.3.1 9:00",
        "2026/3/1 9:00:00",
        "20260301T090000",
        "1772323200",
        "1772323200.0",
        "1772323200000",
        "1772323200000000",
        "1772323200000000000",
    ],
)
def test_forms_of_one_instant(tmp_path: Path, text: str) -> None:
    (row,) = read(written(tmp_path, f"{text},1"))
    assert isinstance(row, Row), row
    assert instant(row.at_us) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-03-01 09:00,abc", "value 'abc' is no finite number"),
        ("2026-03-01 09:00,", "value '' is no finite number"),
        ("2026-03-01 09:00,NaN", "value 'NaN' is no finite number"),
        ("2026-03-01 09:00,1e999", "value '1e999' is no finite number"),
        ("2026-03-01 09:00,0x1F", "value '0x1F' is no finite number"),
        ("2026-03-01 09:00,1_000", "value '1_000' is no finite number"),
        ('2026-03-01 09:00,"1,000"', "value '1,000' is no finite number"),
        ("2026-13-01 09:00,1", "time '2026-13-01 09:00' is none: write it as in 2026-03-01 09:00:00"),
        (",1", "time '' is none: write it as in 2026-03-01 09:00:00"),
        ("12345,1", "time '12345' is none: write it as in 2026-03-01 09:00:00"),
        ("2026-03-01 09:00", "1 columns where 2 are needed"),
        ('"2026-03-01 09:00,1', "1 columns where 2 are needed"),
    ],
)
def test_a_bad_row_says_why_and_spoils_nothing_around_it(tmp_path: Path, line: str, problem: str) -> None:
    found = read(written(tmp_path, "2026-03-01 08:00,1", line, "2026-03-01 10:00,2"))
    assert [type(row) for row in found] == [Row, BadRow, Row]
    assert found[1] == BadRow(number=3, problem=problem)


def test_an_hour_that_comes_twice_goes_on(tmp_path: Path) -> None:
    # Berlin, 25 October 2026: 03:00 becomes 02:00. UTC: 02:00 is 00:00, then 01:00.
    lines = [f"2026-10-25 {clock},1" for clock in ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")]
    assert instants(read(written(tmp_path, *lines), BERLIN)) == [
        "10-24T23:30",
        "10-25T00:00",
        "10-25T00:30",
        "10-25T01:00",
        "10-25T01:30",
        "10-25T02:00",
    ]


def test_hourly_rows_in_the_hour_that_comes_twice(tmp_path: Path) -> None:
    lines = [f"2026-10-25 {clock},1" for clock in ("01:00", "02:00", "02:00", "03:00")]
    found = instants(read(written(tmp_path, *lines), BERLIN))
    assert found == ["10-24T23:00", "10-25T00:00", "10-25T01:00", "10-25T02:00"]


def test_a_time_that_never_was_is_a_bad_row(tmp_path: Path) -> None:
    lines = [f"2026-03-29 {clock},1" for clock in ("01:59", "02:30", "03:00")]
    found = read(written(tmp_path, *lines), BERLIN)
    assert instants(found) == ["03-29T00:59", "line 3", "03-29T01:00"]
    assert isinstance(found[1], BadRow)
    assert found[1].problem.startswith("time '2026-03-29 02:30' never was in Europe/Berlin")


def test_columns_by_name_by_place_and_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "5,x,2026-03-01 09:00,7", heading="Value,note,Timestamp,other")
    assert isinstance(row := read(path)[0], Row) and row.value == 5
    assert isinstance(row := read(path, value_column="other")[0], Row) and row.value == 7
    path = written(tmp_path, "2026-03-01 09:00,5", heading="when,how much")
    assert isinstance(row := read(path)[0], Row) and row.value == 5
    with pytest.raises(PermanentError, match="has no column 'pm25': it has when, how much"):
        read(path, value_column="pm25")
    with pytest.raises(PermanentError, match="time and value are both read from column 'when'"):
        read(path, value_column="when")


def test_korean_headings_and_excel_s_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        path = written(tmp_path, "강남,2026-03-01 09:00,5", heading="지점,측정일시,측정값", encoding=encoding)
        assert isinstance(row := read(path)[0], Row) and row.value == 5


def test_no_such_file_and_no_table(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        read(tmp_path / "none.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(PermanentError, match="has 0 columns"):
        read(tmp_path / "empty.csv")


def test_states_are_of_the_channel(tmp_path: Path) -> None:
    found = list(
        rows(written(tmp_path, "2026-03-01 09:00,IDLE", "2026-03-01 09:01,idle"), zone=SEOUL, states=("IDLE", "RUN"))
    )
    assert isinstance(found[0], Row) and found[0].value == "IDLE"
    assert found[1] == BadRow(number=3, problem="value 'idle' is no state of the channel; it has IDLE, RUN")
