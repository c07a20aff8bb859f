"""A recorded series in a CSV file: times and values, row by row, with what is wrong in a row said for that row."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from core.errors import NotFound, PermanentError
from core.window import micros

_TIME_NAMES = ("timestamp", "time", "ts", "datetime", "date", "observed_at", "일시", "시각", "측정일시", "측정시각")
_VALUE_NAMES = ("value", "reading", "값", "측정값")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_EPOCH = re.compile(r"-?\d{9,19}(\.\d+)?", re.ASCII)
_OTHER_DATE = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})\.?(.*)", re.ASCII | re.DOTALL)

Value = int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One reading of the file."""

    number: int
    """Its line in the file; the heading is line 1."""
    at_us: int
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that is no reading: what stood there and why not."""

    number: int
    problem: str


class _NotUsable(ValueError):
    """The text is what the row's problem says."""


def rows(
    path: Path,
    *,
    zone: ZoneInfo,
    time_column: str | None = None,
    value_column: str | None = None,
    states: Sequence[str] | None = None,
) -> Iterator[Row | BadRow]:
    """The file's rows in its order, duplicates and all; constant memory.

    Times without a zone are local ones of ``zone``: where the clock goes back and a time comes twice, the first of the two
    unless that would lie before the row above; where it goes forward, a time that never was is a bad row.

    :param states: for a state channel: what a value may be.
    :raises NotFound: no such file.
    :raises PermanentError: it is no CSV file with such columns.
    """
    encoding = _encoding(path)
    read_value = _number if states is None else _state_of(states)
    with path.open(encoding=encoding) as file:
        heading = _cells(file.readline())
        time_at, value_at = _columns(path, heading, time_column, value_column)
        previous_us: int | None = None
        for number, line in enumerate(file, start=2):
            if line.isspace():
                continue
            found = _row(number, _cells(line), time_at, value_at, zone, previous_us, read_value)
            if isinstance(found, Row):
                previous_us = found.at_us
            yield found


def _cells(line: str) -> list[str]:
    """The cells of one line. Each line is read alone: a quote that is never closed spoils its own row, not the file."""
    return next(csv.reader([line.rstrip("\r\n")]), [])


def count_rows(path: Path) -> int:
    """About how many rows there are, for a progress bar: the lines under the heading."""
    with path.open("rb") as file:
        return max(0, sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1)


def _encoding(path: Path) -> str:
    """UTF-8, or what Korean Excel writes."""
    try:
        for encoding in ("utf-8-sig", "cp949"):
            try:
                with path.open(encoding=encoding, newline="") as file:
                    while file.read(1 << 20):
                        pass
            except UnicodeDecodeError:
                continue
            return encoding
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}: give the path of a CSV file.") from None
    except OSError as error:
        raise PermanentError(f"The CSV file {path} cannot be read: {error.strerror}.") from error
    raise PermanentError(f"{path} is neither UTF-8 nor CP949 text: save it as CSV UTF-8.")


def _columns(path: Path, heading: Sequence[str], time_column: str | None, value_column: str | None) -> tuple[int, int]:
    names = [name.strip() for name in heading]
    if len(names) < 2:
        raise PermanentError(
            f"{path} has {len(names)} columns: a time and a value are needed, with a heading above them."
        )
    time_at = _place(path, names, time_column, _TIME_NAMES, fallback=0)
    value_at = _place(path, names, value_column, _VALUE_NAMES, fallback=1 if time_at == 0 else 0)
    if time_at == value_at:
        raise PermanentError(f"{path}: time and value are both read from column {names[time_at]!r}: name two.")
    return time_at, value_at


def _place(path: Path, names: Sequence[str], asked: str | None, usual: Sequence[str], *, fallback: int) -> int:
    if asked is not None:
        if asked not in names:
            raise PermanentError(f"{path} has no column {asked!r}: it has {', '.join(names)}.")
        return names.index(asked)
    lowered = [name.lower() for name in names]
    return next((lowered.index(name) for name in usual if name in lowered), fallback)


def _row(
    number: int,
    cells: Sequence[str],
    time_at: int,
    value_at: int,
    zone: ZoneInfo,
    previous_us: int | None,
    read_value: Callable[[str], Value],
) -> Row | BadRow:
    if len(cells) <= max(time_at, value_at):
        return BadRow(number=number, problem=f"{len(cells)} columns where {max(time_at, value_at) + 1} are needed")
    try:
        return Row(
            number=number,
            at_us=_time(cells[time_at].strip(), zone, previous_us),
            value=read_value(cells[value_at].strip()),
        )
    except _NotUsable as error:
        return BadRow(number=number, problem=str(error))


def _number(text: str) -> Value:
    if _NUMBER.fullmatch(text) is None or not math.isfinite(float(text)):
        raise _NotUsable(f"value {_short(text)} is no finite number")
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 16 else float(text)


def _state_of(states: Sequence[str]) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        if text not in states:
            raise _NotUsable(f"value {_short(text)} is no state of the channel; it has {', '.join(states)}")
        return text

    return read


def _time(text: str, zone: ZoneInfo, previous_us: int | None) -> int:
    if _EPOCH.fullmatch(text):
        return _epoch_us(text)
    other = _OTHER_DATE.fullmatch(text)
    written = text if other is None else f"{other[1]}-{int(other[2]):02}-{int(other[3]):02}{_padded(other[4])}"
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise _NotUsable(f"time {_short(text)} is none: write it as in 2026-03-01 09:00:00") from None
    if found.tzinfo is not None:
        return micros(found)
    first, second = (found.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != found:
        raise _NotUsable(
            f"time {_short(text)} never was in {zone.key}, where the clock goes forward then: give it its offset"
        )
    if first.utcoffset() != second.utcoffset() and previous_us is not None and micros(first) <= previous_us:
        return micros(second)
    return micros(first)


def _epoch_us(text: str) -> int:
    """Seconds up to the year 5138, then milliseconds, microseconds, nanoseconds: by the number's size."""
    size = abs(float(text))
    if text.lstrip("-").isdigit():
        whole = int(text)
        return (
            whole * 1_000_000
            if size < 1e11
            else whole * 1_000
            if size < 1e14
            else whole
            if size < 1e17
            else whole // 1_000
        )
    return round(float(text) * (1e6 if size < 1e11 else 1e3 if size < 1e14 else 1.0 if size < 1e17 else 1e-3))


def _padded(clock: str) -> str:
    """``9:05`` → ``09:05``, as after a date in the Korean manner."""
    text = clock.strip()
    if not text:
        return ""
    return f" 0{text}" if text[1:2] == ":" else f" {text}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
