"""What people entered into a CSV file: one row an entry, or one row an answer of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.csv_table import Row, TableError, read_table
from core.errors import NotFound, PermanentError
from devices.plan.model import Plan
from kpi.records.manual import quantity_of
from kpi.records.manual_rules import Given, in_unit, number, whole, window_of

_NAMES: Final[Mapping[str, str]] = {
    "항목": "quantity", "시작": "from", "끝": "to", "시각": "at", "값": "value", "노출량": "exposure", "표본수": "n",
    "표준편차": "sd", "설치 지점": "slot", "측정자": "measured_by", "비고": "note",
}  # fmt: skip
"""Korean headings of the same columns."""
COLUMNS: Final = tuple(_NAMES.values())
_MOST_TOLD: Final = 5


def given_of(data: bytes, plan: Plan, *, measured_by: str = "", note: str = "") -> list[Given]:
    """The entries of a table; columns are found by their English or Korean names.

    :param measured_by: of rows that do not say.
    :raises PermanentError: something cannot be read; the message has the lines of the first few.
    """
    table = read_table(data)
    unknown = [name for name in table.header if name not in COLUMNS and name not in _NAMES]
    missing = {"quantity", "value"} - {_NAMES.get(name, name) for name in table.header}
    if unknown or missing:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(sorted(missing))}"
        raise TableError(f"The columns of the table do not fit ({wrong}); there are: {', '.join(COLUMNS)}.")
    if not table.rows:
        raise TableError("The table has a header and no rows: there is nothing to record.")
    found, faults = [], []
    for row in table.rows:
        try:
            found.append(_given(row, plan, measured_by, note))
        except (PermanentError, NotFound) as fault:
            faults.append(f"line {row.line}: {fault}")
    if faults:
        more = f" And {len(faults) - _MOST_TOLD} more lines." if len(faults) > _MOST_TOLD else ""
        raise PermanentError(f"Nothing was recorded. {' '.join(faults[:_MOST_TOLD])}{more}")
    return found


def _given(row: Row, plan: Plan, measured_by: str, note: str) -> Given:
    cells = {_NAMES.get(name, name): text for name, text in row.cells.items()}

    def cell(name: str) -> str:
        return cells.get(name, "")

    quantity = quantity_of(plan, cell("quantity"))
    start, end = window_of(cell("from"), cell("to"), cell("at"), plan.zone)
    below = "" if quantity.exposure is None else quantity.exposure.unit
    return Given(
        quantity=cell("quantity"),
        slot=cell("slot") or None,
        start=start,
        end=end,
        value=in_unit("value", cell("value"), quantity.unit),
        exposure=in_unit("exposure", cell("exposure"), below) if cell("exposure") else None,
        n=whole("n", cell("n")) if cell("n") else None,
        sd=number("sd", cell("sd")) if cell("sd") else None,
        measured_by=cell("measured_by") or measured_by,
        note=cell("note") or note,
        line=row.line,
    )


def answers_of(data: bytes, column: str) -> list[float]:
    """The scores of a table with one row an answer; rows without a score are no answers.

    :raises PermanentError: there is no such column, or a score is no number.
    """
    table = read_table(data)
    if column not in table.header:
        raise TableError(f"The table has no column {column!r}; it has: {', '.join(table.header)}.")
    found = []
    for row in table.rows:
        text = row.cells[column]
        if not text:
            continue
        try:
            found.append(number(column, text))
        except PermanentError as fault:
            raise PermanentError(f"Line {row.line}: {fault} Nothing was recorded.") from None
    return found
