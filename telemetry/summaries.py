"""The hourly summaries of one channel over a span, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.rows import PG_EPOCH_US
from telemetry.statistics import COLUMNS, Pieces

_SQL = load("telemetry", "summaries.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Summaries in the order of their hours; all columns have the same length."""

    hour_us: NDArray[np.int64]
    pieces: Pieces
    last_received_us: NDArray[np.int64]
    whole: NDArray[np.bool_]
    """False where two revisions share the hour, the revision had other rules, or the share that was asked for is not there:
    the hour is read raw."""
    falls: NDArray[np.int64]
    """Steps down of a counter inside the hour; -1 where they were not counted."""
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
            "channels": list(channel.channel_ids),
            "alike": list(channel.alike_ids), "start": start, "end": span.end,
            "slot": channel.slot_id, "name": channel.name, "with_share": condition is not None,
            **(condition or Condition()).parameters(),
        }  # fmt: skip
        row = connection.execute(_SQL["summaries"], parameters, binary=True).fetchone()
        assert row is not None
        dirty = connection.execute(_SQL["dirty_hours"], parameters).fetchall()
        hours = _instants(row["hour"])
        shared = np.isin(hours, hours[:-1][np.diff(hours) == 0])
        true_s, share_s = _column(row["true_s"], ">f8"), _column(row["share_s"], ">f8")
        wholes: dict[str, Any] = {"n": _column(row["n"], ">i4"), "missing": _column(row["missing"], ">i4")}
        instants: dict[str, Any] = {"first_us": _instants(row["first_at"]), "last_us": _instants(row["last_at"])}
        floats: dict[str, Any] = {
            name: _column(row[name], ">f8").astype(np.float64)
            for name in COLUMNS
            if name not in wholes and name not in instants
        }
        return cls(
            hour_us=hours,
            pieces=Pieces(**{name: column.astype(np.int64) for name, column in wholes.items()}, **instants, **floats),
            last_received_us=_instants(row["last_received"]),
            whole=_column(row["alike"], "?") & ~shared & ~(np.isnan(true_s) & (condition is not None)),
            falls=_column(row["falls"], ">i4").astype(np.int64),
            true_s=np.nan_to_num(true_s.astype(np.float64)),
            covered_s=np.nan_to_num(share_s.astype(np.float64)),
            dirty_us=np.array([micros(found["hour"]) for found in dirty], dtype=np.int64),
        )

    def fit(self, as_of: datetime | None) -> NDArray[np.bool_]:
        """Which of them tell all that was received by ``as_of``, and nothing more."""
        return self.whole if as_of is None else self.whole & (self.last_received_us <= micros(as_of))

    def take(self, index: NDArray[np.int64]) -> Pieces:
        """Some of them, as pieces to be merged."""
        return Pieces(**{name: getattr(self.pieces, name)[index] for name in COLUMNS})


def _column(sent: bytes | None, kind: str) -> NDArray[Any]:
    """Values that the database strung together; nothing for no row."""
    return np.frombuffer(sent or b"", dtype=kind)


def _instants(sent: bytes | None) -> NDArray[np.int64]:
    """The same for instants, as microseconds since 1970."""
    return _column(sent, ">i8").astype(np.int64) + PG_EPOCH_US
