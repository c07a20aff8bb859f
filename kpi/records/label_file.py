"""Truth labels in a CSV file, as people keep them: what will be taken of it, row by row, and what will not and why.

A row that cannot be taken spoils nothing around it. Korean Excel writes its own encoding (CP949), or a mark before UTF-8, and
times without a zone: each is read as what it is, and a time without a zone only where somebody says which zone is meant.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from core.database import Connection
from devices.registry.queries import plan_of
from kpi.records.documents import Paper
from kpi.records.label_cells import ATTRIBUTE, COLUMNS, REQUIRED, Defaults, Unreadable, given_of
from kpi.records.labels import Given, fault_of, labels, truth_slots
from kpi.records.refusal import Refused

MOST_ROWS: Final = 200_000
Fault = tuple[str, str]
"""Korean, English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file: what is taken of it, or why nothing is."""

    line: int
    given: Given | None
    fault: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What will be taken of a file."""

    paper: Paper
    kind: str
    encoding: str
    rows: tuple[Row, ...]

    @property
    def taken(self) -> list[Given]:
        return [row.given for row in self.rows if row.given is not None and row.fault is None]

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.fault is not None]


def preview(
    connection: Connection, pilot: str, kind: str, paper: Paper, defaults: Defaults, *, now: datetime | None = None
) -> Preview:
    """What will be taken of a file of labels, and what not. Nothing is recorded.

    :raises NotFound: no such pilot, or its plan has no such truth labels.
    :raises PermanentError: it is no CSV file with the columns that are needed.
    """
    plan, _, _ = plan_of(connection, pilot)
    truth_slots(plan, kind)
    now = now or datetime.now(UTC)
    encoding, text = decoded(paper)
    there = {one.key: one.label_id for one in labels(connection, pilot, kind=kind)}
    lines: dict[tuple[Any, ...], int] = {}
    rows = []
    for line, cells in _cells(paper.name, text):
        row = _row(line, cells, defaults)
        given = row.given
        if given is not None:
            fault = fault_of(given, plan, kind, now) or _again(given, there, lines)
            row = replace(row, fault=fault)
            lines.setdefault(given.key, line)
        rows.append(row)
    return Preview(paper=paper, kind=kind, encoding=encoding, rows=tuple(rows))


def _again(given: Given, there: Mapping[tuple[Any, ...], int], lines: Mapping[tuple[Any, ...], int]) -> Fault | None:
    number, line = there.get(given.key), lines.get(given.key)
    if number is not None:
        return f"이미 기록되어 있습니다({number}번)", f"it is recorded already (label {number})"
    if line is not None:
        return f"{line}번째 줄과 같은 기록입니다", f"it is the same as line {line}"
    return None


def decoded(paper: Paper) -> tuple[str, str]:
    """A file's encoding and text.

    :raises PermanentError: it is in none that can be told.

    >>> decoded(Paper(name="a.csv", content="지점,시작".encode("cp949")))
    ('cp949', '지점,시작')
    """
    data = paper.content
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        tries = ["utf-16"]
    else:
        tries = ["utf-8-sig" if data[:3] == b"\xef\xbb\xbf" else "utf-8", "cp949"]
    for encoding in tries:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return encoding, text
    raise Refused(
        f"The file {paper.name!r} is neither UTF-8 nor CP949 text: save it as CSV UTF-8, a spreadsheet is not taken as it is.",
        f"파일 {paper.name!r}은(는) UTF-8이나 CP949 글자 파일이 아닙니다. 엑셀이라면 CSV(UTF-8)로 다시 저장하십시오.",
    )


def _cells(name: str, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row, by key; empty rows are none."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        heads = _heads(name, next(reader, []))
        rows = 0
        line = reader.line_num + 1
        for cells in reader:
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            rows += 1
            if rows > MOST_ROWS:
                raise Refused(
                    f"The file {name!r} has more than {MOST_ROWS:,} rows: give it in parts.",
                    f"파일 {name!r}이(가) {MOST_ROWS:,}줄을 넘습니다. 나누어 올리십시오.",
                )
            found = dict(zip(heads, (cell.strip() for cell in cells), strict=False))
            if len(cells) > len(heads) and any(cell.strip() for cell in cells[len(heads) :]):
                found["\0"] = str(len(cells))
            yield at, found
    except csv.Error as error:
        raise Refused(
            f"The file {name!r} is no CSV at line {reader.line_num}: {error}.",
            f"파일 {name!r}의 {reader.line_num}번째 줄은 CSV가 아닙니다({error}).",
        ) from error


def _heads(name: str, cells: Sequence[str]) -> list[str]:
    keys = {korean: key for key, korean in COLUMNS.items()} | {key: key for key in COLUMNS}
    found: list[str] = []
    for cell in cells:
        plain = cell.strip().replace(" ", "")
        if plain == "" or plain.startswith(ATTRIBUTE):
            found.append(plain)
            continue
        key = keys.get(plain.lower())
        if key is None:
            raise Refused(
                f"The file {name!r} has a column {cell.strip()[:60]!r} that labels do not have; there are: {', '.join(COLUMNS)}"
                f" ({', '.join(COLUMNS.values())}), and {ATTRIBUTE[0]}NAME for an attribute.",
                f"파일 {name!r}의 제목 {cell.strip()[:60]!r}은(는) 라벨에 없는 항목입니다. 쓸 수 있는 제목:"
                f" {', '.join(COLUMNS.values())}, 속성은 {ATTRIBUTE[1]}이름.",
            )
        found.append(key)
    lacking = [key for key in REQUIRED if key not in found]
    if lacking:
        named = ", ".join(f"{key} ({COLUMNS[key]})" for key in lacking)
        raise Refused(
            f"The file {name!r} has no column {named} in its first line: add it.",
            f"파일 {name!r}의 첫 줄에 {named} 항목이 없습니다.",
        )
    twice = next((key for key in found if key and found.count(key) > 1), None)
    if twice is not None:
        raise Refused(
            f"The file {name!r} has the column {twice} twice: remove one.",
            f"파일 {name!r}에 {twice}({COLUMNS.get(twice, twice)}) 항목이 두 번 있습니다.",
        )
    return found


def _row(line: int, cells: Mapping[str, str], defaults: Defaults) -> Row:
    if "\0" in cells:
        fault = (
            f"칸이 {cells[chr(0)]}개로 제목보다 많습니다",
            f"it has {cells[chr(0)]} cells, more than the first line",
        )
        return Row(line=line, given=None, fault=fault)
    try:
        return Row(line=line, given=given_of(line, cells, defaults), fault=None)
    except Unreadable as unreadable:
        return Row(line=line, given=None, fault=unreadable.fault)
