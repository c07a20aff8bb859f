"""What the long and the wide form have in common: chunks of rows with positions at which an export can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from core.window import Window
from telemetry.export.reading import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows that are at hand."""

    rows: int
    table: Callable[[int, int], pa.Table]
    """Rows from the first to before the second place."""
    position: Callable[[int], list[int]]
    """Where to go on after so many rows of it."""
    breaks: bool
    """Whether these rows begin a file of their own."""


class Shape(Protocol):
    """How readings become rows."""

    schema: pa.Schema
    rows_a_group: int

    def chunks(self, source: Source, window: Window, after: list[int] | None) -> Iterator[Chunk]:
        """The rows of a window in their order, from a position on."""
        ...

    def readings(self, table: pa.Table) -> int:
        """How many readings rows hold: in the wide form several each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that are written together."""

    table: pa.Table
    after: list[int]
    """Where to go on once they are written."""
    breaks: bool
    """Whether they begin a file of their own."""


def groups(chunks: Iterator[Chunk], rows: int) -> Iterator[Group]:
    """Chunks as groups of exactly so many rows, the last one of a file apart."""
    held: list[pa.Table] = []
    n, breaks, after = 0, False, [0]

    def group() -> Group:
        return Group(table=pa.concat_tables(held), after=after, breaks=breaks)

    for chunk in chunks:
        if chunk.breaks and n:
            yield group()
            held, n, breaks = [], 0, False
        breaks = breaks or chunk.breaks
        low = 0
        while low < chunk.rows:
            high = min(chunk.rows, low + rows - n)
            held.append(chunk.table(low, high))
            after, n, low = chunk.position(high), n + high - low, high
            if n == rows:
                yield group()
                held, n, breaks = [], 0, False
    if n:
        yield group()
