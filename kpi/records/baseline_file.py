"""Reading a baseline's file: a table of instants and numbers, as people keep it. Pure; every fault names its line.

UTF-8 or CP949, commas, semicolons or tabs. A time with an offset is what it says; one without is of the plan's zone for the
file, where an hour that the clock had twice is its first until it has gone by once. The day's end may be written 24:00.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.errors import PermanentError
from core.units import conversion
from core.window import instant, micros
from devices.plan.baseline import Baseline

MOST_BYTES: Final = 64 << 20
_ENCODINGS: Final = (("utf-8-sig", "UTF-8"), ("cp949", "CP949"))
_TIME: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\.?(?:[T ]\s*(.+))?")
_LONGER: Final = 1.5
"""A row lasts until the next one, if that comes within so many periods; else one period."""
_NOTHING: Final = frozenset({"", "-", "NaN", "nan", "NA", "N/A", "null", "결측"})


class BaselineProblem(PermanentError):
    """A baseline's file cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file, in the order of time; a value that is not there is NaN."""

    at_us: NDArray[np.int64]
    lasts_us: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]
    """Slot → values in the file's unit; under an empty name those of all slots together."""
    temperature: NDArray[np.float64] | None
    """In °C."""
    period_us: int
    encoding: str
    rows: int
    repeated: int
    """Rows that said once more what another had said."""


def read_table(content: bytes, baseline: Baseline) -> Table:
    """Read a file by what the plan says of its columns.

    :raises BaselineProblem: a column is missing, a time has no zone, a value is no number, an instant has two values …

    >>> given = Baseline.model_validate({"file": "m.csv", "sha256": "0" * 64, "window": ["2025-03-01", "2025-03-02"],
    ...                                  "value": "kWh", "unit": "kWh", "zone": "Asia/Seoul"})
    >>> found = read_table("time,kWh\\n2025-03-01 00:00,1.5\\n2025-03-01 00:15,\\n2025-03-01 00:30,2".encode(), given)
    >>> found.rows, found.period_us // 60_000_000, found.columns[""].tolist(), found.encoding
    (3, 15, [1.5, nan, 2.0], 'UTF-8')
    """
    text, encoding = _decoded(content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = [name.strip() for name in next(lines, [])]
    columns = {slot: _place(header, name, "value") for slot, name in baseline.columns.items()}
    time = _place(header, baseline.time, "time")
    warmth = None if baseline.temperature is None else _place(header, baseline.temperature, "temperature")
    wanted = [*columns.values(), *(() if warmth is None else (warmth,))]
    zone = None if baseline.zone is None else ZoneInfo(baseline.zone)
    rows = list(_rows(lines, time, wanted, zone))
    if not rows:
        raise BaselineProblem("The file has a header and no row: a baseline needs data.")
    kept, repeated = _once(rows)
    at_us = np.array([row[0] for row in kept], dtype=np.int64)
    values = np.array([row[1] for row in kept], dtype=np.float64).reshape(len(kept), len(wanted))
    period_us = _period_us(at_us, baseline)
    temperature = None
    if warmth is not None:
        change = conversion(baseline.temperature_unit, "degC")
        temperature = values[:, -1] * change.scale + change.offset
    return Table(
        at_us=at_us,
        lasts_us=_lasts(at_us, period_us),
        columns={slot: values[:, index] for index, slot in enumerate(columns)},
        temperature=temperature,
        period_us=period_us,
        encoding=encoding,
        rows=len(rows),
        repeated=repeated,
    )


def _decoded(content: bytes) -> tuple[str, str]:
    if len(content) > MOST_BYTES:
        raise BaselineProblem(
            f"The file has {len(content):,} bytes; a baseline has at most {MOST_BYTES:,}: average it."
        )
    for encoding, name in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, name
    raise BaselineProblem("The file is neither UTF-8 nor CP949 text: save it as CSV in UTF-8.")


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _place(header: Sequence[str], name: str, what: str) -> int:
    found = [index for index, column in enumerate(header) if column == name]
    if len(found) != 1:
        there = ", ".join(header[:20]) or "none"
        problem = "no column" if not found else "two columns"
        raise BaselineProblem(f"The file has {problem} {name!r} for {what}; its columns are: {there}.")
    return found[0]


_Row = tuple[int, tuple[float, ...], int]
"""Instant, values, line."""


def _rows(lines: Iterator[list[str]], time: int, wanted: Sequence[int], zone: ZoneInfo | None) -> Iterator[_Row]:
    before = -(2**62)
    try:
        for number, cells in enumerate(lines, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) <= max(time, *wanted):
                raise BaselineProblem(
                    f"Line {number} has {len(cells)} cells: the columns read are further to the right."
                )
            at_us = _instant(cells[time].strip(), zone, before, number)
            before = at_us
            yield at_us, tuple(_number(cells[index].strip(), number) for index in wanted), number
    except csv.Error as error:
        raise BaselineProblem(f"The file is no table: {error}.") from error


def _instant(text: str, zone: ZoneInfo | None, before_us: int, line: int) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise BaselineProblem(f"Line {line}: {text!r} is no time: write it as 2025-03-01T09:00+09:00.")
    year, month, day, clock = match.groups()
    clock, late = (clock or "00:00").strip(), timedelta(0)
    if re.fullmatch(r"24:00(:00)?", clock):
        clock, late = "00:00", timedelta(days=1)
    if re.match(r"\d:", clock):
        clock = f"0{clock}"
    try:
        found = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{clock}") + late
    except (ValueError, OverflowError):
        raise BaselineProblem(f"Line {line}: {text!r} is no time: write it as 2025-03-01T09:00+09:00.") from None
    if found.tzinfo is not None:
        return micros(found)
    if zone is None:
        raise BaselineProblem(
            f"Line {line}: {text!r} has no zone, and the plan gives the file none: write baseline: {{zone: Asia/Seoul}}."
        )
    return _local(found, zone, before_us, line)


def _local(wall: datetime, zone: ZoneInfo, before_us: int, line: int) -> int:
    first, second = (micros(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if instant(first).astimezone(zone).replace(tzinfo=None) != wall:
        raise BaselineProblem(
            f"Line {line}: {wall} is skipped by the clock of {zone.key}: write times with their offset."
        )
    return second if first != second and first <= before_us else first


def _number(text: str, line: int) -> float:
    if text in _NOTHING:
        return math.nan
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise BaselineProblem(f"Line {line}: {text!r} is no number: leave it empty where there is no value.")
    return value


def _once(rows: list[_Row]) -> tuple[list[_Row], int]:
    """Each instant once: of two values of one instant nobody knows which counts."""
    kept: list[_Row] = []
    for row in sorted(rows, key=lambda one: one[0]):
        if kept and kept[-1][0] == row[0]:
            first = kept[-1]
            if not all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(first[1], row[1], strict=True)):
                at = instant(row[0]).isoformat()
                raise BaselineProblem(
                    f"Lines {first[2]} and {row[2]} have other values of the same instant, {at}: keep one."
                )
            continue
        kept.append(row)
    return kept, len(rows) - len(kept)


def _period_us(at_us: NDArray[np.int64], baseline: Baseline) -> int:
    if baseline.period_s is not None:
        return round(baseline.period_s * 1e6)
    if len(at_us) < 2:
        raise BaselineProblem("The file has one row, so nothing tells how long it lasts: write baseline: {period: …}.")
    return int(np.median(np.diff(at_us)))


def _lasts(at_us: NDArray[np.int64], period_us: int) -> NDArray[np.int64]:
    gaps = np.append(np.diff(at_us), period_us)
    return np.where(gaps <= _LONGER * period_us, gaps, period_us).astype(np.int64)
