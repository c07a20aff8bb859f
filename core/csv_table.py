"""CSV tables as offices make them: bytes → header and rows with their line numbers. UTF-8 (with or without BOM) or CP949.

Spreadsheets in Korea save CSV in CP949; some put a UTF-8 BOM before it all the same. The separator is the one of comma, semicolon
and tab that the header has most of. What cannot be a table is one error that names the line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import PermanentError

MOST_BYTES: Final = 10 << 20
MOST_ROWS: Final = 100_000
_MOST_COLUMNS: Final = 200
_BOM: Final = b"\xef\xbb\xbf"
_SEPARATORS: Final = ",;\t"


class TableError(PermanentError):
    """Bytes that are no table, or none of the columns that are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table."""

    line: int
    """Of the file, counted from 1; where a cell holds line breaks, that of the row's end."""
    cells: Mapping[str, str]
    """Column → text without blanks around it; empty where the row ends early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A header and its rows."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    """``utf-8`` or ``cp949``."""


def read_table(data: bytes, *, most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS) -> Table:
    """Read a table; rows without any text are left out.

    :raises TableError: it is empty, too large, in another encoding, or its rows do not fit its header.

    >>> table = read_table("이름, 값\\n가, 1\\n\\n나\\n".encode("cp949"))
    >>> table.encoding, table.header, [(row.line, row.cells["값"]) for row in table.rows]
    ('cp949', ('이름', '값'), [(2, '1'), (4, '')])
    """
    if len(data) > most_bytes:
        raise TableError(f"The table has {len(data):,} bytes, at most {most_bytes:,}: divide it.")
    text, encoding = _text(data)
    if not text.strip():
        raise TableError("The table is empty: its first line names the columns.")
    first = next(line for line in text.splitlines() if line.strip())
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: tuple[str, ...] = ()
    rows: list[Row] = []
    try:
        for cells in reader:
            told = [cell.strip() for cell in cells]
            if not any(told):
                continue
            if not header:
                header = _header(told)
                continue
            if len(rows) == most_rows:
                raise TableError(f"The table has more than {most_rows:,} rows: divide it.")
            rows.append(Row(line=reader.line_num, cells=_cells(header, told, reader.line_num)))
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num} of the table cannot be read: {error}.") from None
    return Table(header=header, rows=tuple(rows), encoding=encoding)


def _text(data: bytes) -> tuple[str, str]:
    plain = data.removeprefix(_BOM)
    if b"\0" in plain:
        raise TableError("The table has zero bytes, as UTF-16 or a spreadsheet's own file has: save it as CSV (UTF-8).")
    for encoding in ("utf-8", "cp949"):
        try:
            return plain.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise TableError("The table is neither UTF-8 nor CP949 (EUC-KR): save it as CSV (UTF-8).")


def _header(told: list[str]) -> tuple[str, ...]:
    while told and not told[-1]:
        told.pop()
    if len(told) > _MOST_COLUMNS:
        raise TableError(f"The table has {len(told)} columns, at most {_MOST_COLUMNS}.")
    twice = next((name for place, name in enumerate(told) if not name or name in told[:place]), None)
    if twice is not None:
        raise TableError(f"The column {twice!r} is there twice, or has no name: each column has a name of its own.")
    return tuple(told)


def _cells(header: tuple[str, ...], told: list[str], line: int) -> dict[str, str]:
    if any(told[len(header) :]):
        raise TableError(
            f"Line {line} has {len(told)} cells, the header {len(header)} columns: is a separator missing a quote?"
        )
    return dict(zip(header, [*told, *[""] * len(header)], strict=False))
