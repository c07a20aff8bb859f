"""The hourly summaries of one channel over a span, as columns; within :func:`kept` each is read from the store once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry import binary
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.rows_read import count
from telemetry.statistics import COLUMNS, Pieces

_SQL = load("telemetry", "summaries.sql")

_MOST_KEPT: Final = 1_000_000
"""So many summaries are kept in memory at the most, some 160 MB: a year of more than a hundred channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Summaries in the order of their hours; all columns have the same length."""

    hour_us: NDArray[np.int64]
    channel_id: NDArray[np.int64]
    pieces: Pieces
    last_received_us: NDArray[np.int64]
    whole: NDArray[np.bool_]
    """False where two revisions share the hour, the revision had other rules, some of its readings stand no more, or the share
    that was asked for is not there: the hour is read raw."""
    falls: NDArray[np.int64]
    """Steps down of a counter inside the hour; -1 where they were not counted."""
    true_s: NDArray[np.float64]
    """0 where no condition was asked for, as ``covered_s``."""
    covered_s: NDArray[np.float64]
    dirty_us: NDArray[np.int64]
    """Hours with readings that no summary knows yet."""

    @classmethod
    def load(
        cls, connection: Connection, channel: ChannelInfo, span: Window, condition: Condition | None = None
    ) -> Summaries:
        """The summaries of every hour that the span touches, with the shares of a condition where one is given."""
        hours = Window(start=instant(span.start_us // HOUR_US * HOUR_US), end=span.end)
        kept = _keeping.get()
        if kept is None or kept.connection is not connection:
            return _fetched(connection, channel, hours, condition)
        return kept.summaries(channel, hours, condition)

    def fit(self, as_of: datetime | None) -> NDArray[np.bool_]:
        """Which of them tell all that was received by ``as_of``, and nothing more."""
        return self.whole if as_of is None else self.whole & (self.last_received_us <= micros(as_of))

    def take(self, index: NDArray[np.int64] | slice) -> Pieces:
        """Some of them, as pieces to be merged."""
        return Pieces(**{name: getattr(self.pieces, name)[index] for name in COLUMNS})

    def within(self, hours: Window) -> Summaries:
        """Those of a part of the span."""
        low, high = np.searchsorted(self.hour_us, [hours.start_us, hours.end_us])
        part = slice(int(low), int(high))
        columns = {
            one.name: getattr(self, one.name)[part] for one in fields(self) if one.name not in ("pieces", "dirty_us")
        }
        dirty = self.dirty_us[(self.dirty_us >= hours.start_us) & (self.dirty_us < hours.end_us)]
        return replace(self, pieces=self.take(part), dirty_us=dirty, **columns)

    def with_shares(self, shares: _Shares) -> Summaries:
        """The same with a condition's seconds, where they are known."""
        keys, wanted = _keys(shares.hour_us, shares.channel_id), _keys(self.hour_us, self.channel_id)
        order = np.argsort(keys)
        place = np.searchsorted(keys, wanted, sorter=order)
        place[place == len(keys)] = 0
        if not len(keys):
            return replace(self, whole=np.zeros(len(wanted), dtype=np.bool_))
        found = order[place]
        known = keys[found] == wanted
        return replace(
            self,
            whole=self.whole & known,
            true_s=np.where(known, shares.true_s[found], 0.0),
            covered_s=np.where(known, shares.covered_s[found], 0.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shares:
    """A condition's seconds of some hours."""

    hour_us: NDArray[np.int64]
    channel_id: NDArray[np.int64]
    true_s: NDArray[np.float64]
    covered_s: NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What was read of an unchanging view of the store: nothing is read twice."""

    connection: Connection
    known: dict[Hashable, tuple[Window, Summaries]] = field(default_factory=dict)
    rows: int = 0

    def summaries(self, channel: ChannelInfo, hours: Window, condition: Condition | None) -> Summaries:
        key = _key(channel)
        span, plain = self.known.get((key, None), (hours, None))
        if plain is None or not (span.start <= hours.start and hours.end <= span.end):
            span = _wider(channel, hours)
            plain = self._keep((key, None), span, _fetched(self.connection, channel, span, None))
        if condition is None:
            return plain.within(hours)
        shared, found = self.known.get((key, condition), (None, None))
        if found is None or shared != span:
            shares = _fetched_shares(self.connection, channel, span, condition)
            found = self._keep((key, condition), span, plain.with_shares(shares))
        return found.within(hours)

    def _keep(self, key: Hashable, hours: Window, found: Summaries) -> Summaries:
        if self.rows + len(found.hour_us) > _MOST_KEPT:
            self.known.clear()
            self.rows = 0
        self.known[key] = hours, found
        self.rows += len(found.hour_us)
        return found


_keeping: ContextVar[_Kept | None] = ContextVar("summaries_kept", default=None)


@contextmanager
def kept(connection: Connection) -> Iterator[None]:
    """Read each summary once for the length of a block in which the store cannot change."""
    token = _keeping.set(_Kept(connection=connection))
    try:
        yield
    finally:
        _keeping.reset(token)


def keeping(connection: Connection) -> bool:
    """Whether summaries are read once now: then those beside a window are there too."""
    kept = _keeping.get()
    return kept is not None and kept.connection is connection


def _wider(channel: ChannelInfo, hours: Window) -> Window:
    """The same with what a reading may stand to either side, so that what lies beside a window needs no question of its own."""
    if channel.max_hold_s is None:
        return hours
    return Window(start=hours.start - reach(channel), end=hours.end + reach(channel))


def reach(channel: ChannelInfo) -> timedelta:
    """The hours that a reading may stand, and one more."""
    assert channel.max_hold_s is not None
    return timedelta(hours=math.ceil(channel.max_hold_s / 3600) + 1)


def _key(channel: ChannelInfo) -> Hashable:
    """By what a channel's summaries are told from those of others, or of the same as known at another instant."""
    return channel.channel_ids, channel.alike_ids, channel.redecoded_ids, channel.known_at


def _asked(channel: ChannelInfo, hours: Window) -> dict[str, Any]:
    return {
        "channels": list(channel.channel_ids), "alike": list(channel.alike_ids),
        "redecoded": list(channel.redecoded_ids), "known_at": channel.known_at,
        "start": hours.start, "end": hours.end, "slot": channel.slot_id, "name": channel.name,
    }  # fmt: skip


def _fetched(connection: Connection, channel: ChannelInfo, hours: Window, condition: Condition | None) -> Summaries:
    row = connection.execute(_SQL["summaries"], _asked(channel, hours), binary=True).fetchone()
    assert row is not None
    hour_us = binary.instants(row["hour"])
    count(summaries=len(hour_us))
    shared = np.isin(hour_us, hour_us[:-1][np.diff(hour_us) == 0])
    wholes: dict[str, Any] = {"n": binary.wholes(row["n"]), "missing": binary.wholes(row["missing"])}
    instants: dict[str, Any] = {
        "first_us": binary.instants(row["first_at"]),
        "last_us": binary.instants(row["last_at"]),
    }
    floats: dict[str, Any] = {
        name: binary.floats(row[name]) for name in COLUMNS if name not in wholes and name not in instants
    }
    found = Summaries(
        hour_us=hour_us,
        channel_id=binary.wholes(row["channel_id"]),
        pieces=Pieces(**wholes, **instants, **floats),
        last_received_us=binary.instants(row["last_received"]),
        whole=binary.truths(row["alike"]) & ~shared,
        falls=binary.wholes(row["falls"]),
        true_s=np.zeros(len(hour_us)),
        covered_s=np.zeros(len(hour_us)),
        dirty_us=binary.instants(row["dirty"]),
    )
    return found if condition is None else found.with_shares(_fetched_shares(connection, channel, hours, condition))


def _fetched_shares(connection: Connection, channel: ChannelInfo, hours: Window, condition: Condition) -> _Shares:
    row = connection.execute(_SQL["shares"], _asked(channel, hours) | condition.parameters(), binary=True).fetchone()
    assert row is not None
    found = _Shares(
        hour_us=binary.instants(row["hour"]),
        channel_id=binary.wholes(row["channel_id"]),
        true_s=binary.floats(row["true_s"]),
        covered_s=binary.floats(row["covered_s"]),
    )
    count(shares=len(found.hour_us))
    return found


def _keys(hour_us: NDArray[np.int64], channel_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number a channel-hour."""
    return (hour_us // HOUR_US << 32) | channel_id
