"""Baselines as people keep them: encodings, zones, clocks that are turned, duplicates; each read, or refused with its line."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from core.window import micros
from devices.plan.baseline import Baseline
from kpi.records.baseline_file import BaselineProblem, read_table


def given(**more: Any) -> Baseline:
    usual = {"file": "m.csv", "sha256": "0" * 64, "window": ["2025-03-01", "2026-03-01"], "value": "값", "unit": "kWh"}
    return Baseline.model_validate({**usual, "time": "일시", "zone": "Asia/Seoul", **more})


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text).astimezone(UTC))


def test_a_spreadsheet_of_an_office_is_read() -> None:
    text = '일시,비고,값\r\n2025-03-01 00:00,가,"1,234.5"\r\n2025/03/01 1:00,나,-\r\n2025. 3. 1. 02:00,다,7\r\n'
    found = read_table(text.replace("2025. 3. 1. 02:00", "2025.3.1 02:00").encode("cp949"), given())
    assert found.encoding == "CP949"
    assert found.at_us.tolist() == [at(f"2025-03-01T0{hour}:00+09:00") for hour in range(3)]
    assert found.columns[""].tolist()[::2] == [1234.5, 7.0] and math.isnan(found.columns[""][1])


def test_the_byte_order_mark_semicolons_and_midnight_as_24_are_read() -> None:
    found = read_table("\ufeff일시;값\n2025-03-01 23:00;1\n2025-03-01 24:00;2\n".encode(), given())
    assert found.encoding == "UTF-8" and found.at_us.tolist()[1] == at("2025-03-02T00:00+09:00")


def test_an_offset_counts_more_than_the_files_zone() -> None:
    found = read_table("일시,값\n2025-03-01T00:00:00Z,1\n2025-03-01T10:00+09:00,2\n".encode(), given(zone=None))
    assert found.at_us.tolist() == [at("2025-03-01T00:00+00:00"), at("2025-03-01T01:00+00:00")]


def test_the_hour_that_a_clock_had_twice_is_its_first_until_that_is_over() -> None:
    rows = ["2025-10-26 01:00,1", "2025-10-26 02:00,2", "2025-10-26 02:00,3", "2025-10-26 03:00,4"]
    found = read_table(("일시,값\n" + "\n".join(rows)).encode(), given(zone="Europe/Berlin"))
    assert [(b - a) / 3.6e9 for a, b in zip(found.at_us.tolist(), found.at_us.tolist()[1:], strict=False)] == [1, 1, 1]
    assert found.columns[""].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("일시,값\n2025-03-01 00:00,1\n", {"zone": None}, "Line 2.*has no zone"),
        ("일시,값\n2025-03-30 01:00,1\n2025-03-30 02:30,1\n", {"zone": "Europe/Berlin"}, "Line 3.*skipped by the clock"),
        ("일시,값\n2025-03-01 00:00,1\n2025-03-01 00:00,2\n2025-03-01 01:00,2\n", {}, "Lines 2 and 3 have other values"),
        ("일시,값\n2025-03-01 00:00,many\n", {}, "Line 2: 'many' is no number"),
        ("일시,값\n2025-03-01 00:00,inf\n", {}, "Line 2: 'inf' is no number"),
        ("일시,값\nyesterday,1\n", {}, "Line 2: 'yesterday' is no time"),
        ("일시,값\n2025-02-30 00:00,1\n", {}, "Line 2.*is no time"),
        ("일시,값\n2025-03-01 00:00\n", {}, "Line 2 has 1 cells"),
        ("일시,다른 값\n2025-03-01 00:00,1\n", {}, "no column '값'"),
        ("일시,값,값\n2025-03-01 00:00,1,2\n", {}, "two columns '값'"),
        ("일시,값\n", {}, "no row"),
        ("", {}, "no column"),
        ("일시,값\n2025-03-01 00:00,1\n", {}, "one row"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(text: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(BaselineProblem, match=said):
        read_table(text.encode(), given(**more))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BaselineProblem, match="neither UTF-8 nor CP949"):
        read_table(b"\xff\xfe\x00\x01PK\x03\x04", given())


def test_a_row_said_twice_is_counted_once() -> None:
    found = read_table("일시,값\n2025-03-01 01:00,2\n2025-03-01 00:00,1\n2025-03-01 01:00,2\n".encode(), given())
    assert (found.rows, found.repeated, found.columns[""].tolist()) == (3, 1, [1.0, 2.0])


def test_a_row_lasts_until_the_next_but_not_over_a_hole() -> None:
    rows = [f"2025-03-01 {hour:02}:00,1" for hour in (0, 1, 2, 3, 9, 10)]
    found = read_table(("일시,값\n" + "\n".join(rows)).encode(), given())
    assert (found.lasts_us / 3.6e9).tolist() == [1, 1, 1, 1, 1, 1]
