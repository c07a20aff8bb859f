"""How many rows of the store an answer rests on: counted while it is worked out, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class RowsRead:
    """Rows that came out of the store; a row that is fetched twice counts twice."""

    readings: int = 0
    summaries: int = 0
    shares: int = 0


_counting: ContextVar[RowsRead | None] = ContextVar("rows_read", default=None)


@contextmanager
def counted() -> Iterator[RowsRead]:
    """Count what is read within a block by this thread.

    >>> with counted() as rows:
    ...     count(readings=3)
    ...     count(summaries=2, shares=2)
    >>> rows
    RowsRead(readings=3, summaries=2, shares=2)
    """
    rows = RowsRead()
    token = _counting.set(rows)
    try:
        yield rows
    finally:
        _counting.reset(token)


def count(*, readings: int = 0, summaries: int = 0, shares: int = 0) -> None:
    """Say that so many rows were read; heard only within :func:`counted`."""
    rows = _counting.get()
    if rows is not None:
        rows.readings += readings
        rows.summaries += summaries
        rows.shares += shares
