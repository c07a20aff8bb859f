"""A bundle in the place of the store: it answers the same named questions, so that the same code judges by it.

Whatever reads the store for a judgement does so by a named SQL block. There is an answer here for each block that a judgement
asks, from sealed lines and Parquet, and none for any other: a block that is new, or means something else, shows in the tests that
judge pilots by both. Nothing above a block knows the difference, and the code that serves the store did not have to change.

The answers themselves stand in :mod:`kpi.bundle.answering`, one module a subject; what a new measure asks becomes a module there
and a line in ``_SUBJECTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, cast

from core.database import Connection
from core.sql import load
from kpi.bundle.answering import (
    agreed,
    baselines,
    channels,
    delays,
    findings,
    happenings,
    labels,
    manual,
    readings,
    record,
    registry,
)
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row
from kpi.bundle.known import Known
from telemetry.evidence.series import Series

_HORIZON = load("telemetry", "horizon.sql")
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_SUBJECTS: Final[Sequence[Callable[[Basis], Blocks]]] = (
    registry.blocks,
    channels.blocks,
    agreed.blocks,
    manual.blocks,
    baselines.blocks,
    labels.blocks,
    record.blocks,
    findings.blocks,
    happenings.blocks,
    readings.blocks,
    delays.blocks,
)


class Answer(list[Row]):
    """Rows, asked for as those of a cursor are."""

    def fetchone(self) -> Row | None:
        return self[0] if self else None

    def fetchall(self) -> list[Row]:
        return self


class Answers:
    """Answers for one result: as of its instant."""

    def __init__(self, known: Known, series: Series, as_of: datetime) -> None:
        basis = Basis(known, series, as_of)
        self._blocks: dict[str, Callable[[Asked], Sequence[Row]]] = {
            _SNAPSHOT: lambda _: [],
            _HORIZON["advance"]: lambda _: [{"at": as_of}],
            _HORIZON["wait"]: lambda _: [],
        }
        for blocks in _SUBJECTS:
            self._blocks |= blocks(basis)

    @property
    def connection(self) -> Connection:
        """Itself, as what judges takes it: it does no more with a connection than this can."""
        return cast(Connection, self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A bundle does not change."""
        yield

    def execute(self, statement: str, asked: Asked | None = None, *, binary: bool = False) -> Answer:
        """Answer one block.

        :raises NotImplementedError: it is none that a judgement asks.
        """
        del binary
        block = self._blocks.get(statement)
        if block is None:
            raise NotImplementedError(f"A bundle has no answer to: {' '.join(statement.split())[:160]}")
        return Answer(block(asked or {}))
