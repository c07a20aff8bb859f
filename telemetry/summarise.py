"""Keeping the hourly summaries: closed hours that got readings are deleted and made anew, in one transaction each round.

No watermark is needed: every batch says in ``dirty_hour`` which hours it touched, so late data are never missed. Open hours
stay marked and are read raw until they are closed.

The database sends the readings hour by hour while those before are being summed up, each by itself and in the order of time:
what comes out depends on nothing else. An hour's columns are strings of the binary forms of its values, which numpy reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg

from core.database import Connection
from core.locks import SUMMARISE
from core.sql import load
from core.window import micros
from telemetry import binary, hourly
from telemetry.hourly import Facts, Hours
from telemetry.predicates import Condition
from telemetry.statistics import Rules

_SQL = load("telemetry", "summarise.sql")

GRACE_S = 300
"""An hour is closed so long after its end: readings up to five minutes ahead of our clock are taken, and the intake marks
an hour anew from two minutes after its end on."""

_AT_ONCE: Final = 50_000
"""So many readings are summed up in one go: few, so that the database goes on meanwhile; many, for short hours."""

_CHUNK: Final = 16 if psycopg.capabilities.has_stream_chunked() else 1
"""So many hours come out of the driver at a time; a libpq before 17 knows single ones only."""


def summarise(connection: Connection, *, most: int = 2_000) -> int:
    """One round over at most ``most`` marked channel-hours.

    :returns: how many channel-hours were made anew; 0 when nothing is left to do.
    """
    with connection.transaction():
        connection.execute(_SQL["one_at_a_time"], {"lock": SUMMARISE})
        claimed = connection.execute(_SQL["claim_hours"], {"grace_s": GRACE_S, "most": most}).fetchall()
        if not claimed:
            return 0
        make(connection, [(row["channel_id"], row["hour"]) for row in claimed])
    return len(claimed)


def make(connection: Connection, claimed: Sequence[tuple[int, datetime]]) -> None:
    """Delete the summaries of channel-hours and make them anew, in the caller's transaction, which holds the lock SUMMARISE."""
    if not claimed:
        return
    at = [hour for _, hour in claimed]
    hours = {
        "channels": _array(channel_id for channel_id, _ in claimed),
        "hours": _array(hour.isoformat() for hour in at),
        "from": min(at),
        "until": max(at) + timedelta(hours=1),
    }
    connection.execute(_SQL["forget_summaries"], hours)
    connection.execute(_SQL["forget_shares"], hours)
    facts = _facts(connection, {channel_id for channel_id, _ in claimed})
    rows, shares = [], []
    for channel_id, read in _read(connection, hours):
        rows.append(hourly.summaries(facts[channel_id], read))
        shares.append(hourly.shares(facts[channel_id], read))
    if rows:
        binary.copy(connection, _SQL["add_summaries"], b"".join(rows))
        binary.copy(connection, _SQL["add_shares"], b"".join(shares))


def summarise_all(connection: Connection) -> int:
    """Rounds until nothing is left.

    :returns: how many channel-hours were made anew.
    """
    total = 0
    while made := summarise(connection):
        total += made
    return total


def pending(connection: Connection) -> int:
    """How many closed channel-hours wait for their summary."""
    row = connection.execute(_SQL["pending"], {"grace_s": GRACE_S}).fetchone()
    return 0 if row is None else int(row["n"])


def mark_pilot(connection: Connection, pilot: str) -> None:
    """Have all summaries of a pilot made anew: a new version of its plan may count by new conditions."""
    connection.execute(_SQL["mark_pilot"], {"pilot": pilot})


def _array(values: Iterable[object]) -> str:
    """Numbers or instants as the text of an array: sent several times, it is written once."""
    return f"{{{','.join(map(str, values))}}}"


def _facts(connection: Connection, channels: set[int]) -> dict[int, Facts]:
    found: dict[int, Facts] = {}
    conditions: dict[int, dict[int, Condition]] = {}
    for row in connection.execute(_SQL["facts"], {"channels": sorted(channels)}):
        channel_id, hold_s = row["channel_id"], row["max_hold_s"]
        if row["predicate_id"] is not None:
            conditions.setdefault(channel_id, {})[row["predicate_id"]] = Condition(
                low=row["low"],
                low_closed=row["low_closed"],
                high=row["high"],
                high_closed=row["high_closed"],
                codes=None if row["codes"] is None else tuple(row["codes"]),
            )
        found[channel_id] = Facts(
            channel_id=channel_id,
            rules=Rules(
                period_s=row["period_s"],
                hold_us=None if hold_s is None else round(hold_s * 1e6),
                steps=row["kind"] == "state",
            ),
            counter=row["kind"] == "counter",
            conditions=conditions.get(channel_id, {}),
        )
    return found


def _read(connection: Connection, hours: Mapping[str, object]) -> Iterator[tuple[int, Hours]]:
    """The readings of the hours, some hours of one channel at a time."""
    waiting: dict[int, list[Mapping[str, Any]]] = {}
    n = 0
    for row in connection.cursor().stream(_SQL["readings_of_hours"], hours, binary=True, size=_CHUNK):
        waiting.setdefault(row["channel_id"], []).append(row)
        n += len(row["value"]) // 8
        if n >= _AT_ONCE:
            yield from ((channel_id, _columns(rows)) for channel_id, rows in waiting.items())
            waiting, n = {}, 0
    yield from ((channel_id, _columns(rows)) for channel_id, rows in waiting.items())


def _columns(rows: Sequence[Mapping[str, Any]]) -> Hours:
    counts = np.array([len(row["value"]) // 8 for row in rows])
    return Hours(
        hour_us=np.array([micros(row["hour"]) for row in rows], dtype=np.int64),
        starts=np.cumsum(counts) - counts,
        observed_us=binary.instants(_strung(rows, "observed_at")),
        received_us=binary.instants(_strung(rows, "received_at")),
        value=binary.floats(_strung(rows, "value")),
        flags=binary.flags(_strung(rows, "flags")),
    )


def _strung(rows: Sequence[Mapping[str, Any]], column: str) -> bytes:
    return b"".join(row[column] for row in rows)
