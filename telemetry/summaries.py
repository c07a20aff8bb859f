"""The hourly summaries of one channel over a span, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.statistics import COLUMNS, Pieces

_SQL = load("telemetry", "summaries.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Summaries in the order of their hours; all columns have the same length."""

    hour_us: NDArray[np.int64]
    pieces: Pieces
    last_received_us: NDArray[np.int64]
    whole: NDArray[np.bool_]
    """False where two revisions share the hour, or the share that was asked for is not there: the hour is read raw."""
    true_s: NDArray[np.float64]
    covered_s: NDArray[np.float64]
    dirty_us: NDArray[np.int64]
    """Hours with readings that no summary knows yet."""

    @classmethod
    def load(
        cls, connection: Connection, channel: ChannelInfo, span: Window, condition: Condition | None = None
    ) -> Summaries:
        """The summaries of every hour that the span touches, with the shares of a condition where one is given."""
        start = instant(span.start_us // HOUR_US * HOUR_US)
        parameters = {
            "channels": list(channel.channel_ids), "start": start, "end": span.end,
            "slot": channel.slot_id, "name": channel.name, "with_share": condition is not None,
            **(condition or Condition()).parameters(),
        }  # fmt: skip
        rows = connection.execute(_SQL["summaries"], parameters).fetchall()
        dirty = connection.execute(_SQL["dirty_hours"], parameters).fetchall()

        def column(name: str, kind: type = np.float64) -> NDArray[np.float64]:
            return np.array([row[name] for row in rows], dtype=kind)

        hours = np.array([micros(row["hour"]) for row in rows], dtype=np.int64)
        shared = np.isin(hours, hours[:-1][np.diff(hours) == 0]) if len(hours) else np.empty(0, dtype=np.bool_)
        instants = {"first_us": "first_at", "last_us": "last_at"}
        pieces = Pieces(
            **{
                name: np.array([micros(row[instants[name]]) for row in rows], dtype=np.int64)
                if name in instants
                else column(name, np.int64 if name in ("n", "missing") else np.float64)
                for name in COLUMNS
            }  # type: ignore[arg-type]
        )
        unknown = np.array([row["true_s"] is None for row in rows], dtype=np.bool_)
        return cls(
            hour_us=hours,
            pieces=pieces,
            last_received_us=np.array([micros(row["last_received"]) for row in rows], dtype=np.int64),
            whole=~shared & ~(unknown & (condition is not None)),
            true_s=np.array([row["true_s"] or 0.0 for row in rows]),
            covered_s=np.array([row["share_s"] or 0.0 for row in rows]),
            dirty_us=np.array([micros(row["hour"]) for row in dirty], dtype=np.int64),
        )

    def fit(self, as_of: datetime | None) -> NDArray[np.bool_]:
        """Which of them tell all that was received by ``as_of``, and nothing more."""
        return self.whole if as_of is None else self.whole & (self.last_received_us <= micros(as_of))

    def take(self, index: NDArray[np.int64]) -> Pieces:
        """Some of them, as pieces to be merged."""
        return Pieces(**{name: getattr(self.pieces, name)[index] for name in COLUMNS})
