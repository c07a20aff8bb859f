"""The platform's own record: when its processes were at work, as they said it themselves. Append-only.

What tells a device's silence from ours. A process writes a row every five minutes, one when it begins, one when it ends, and
one when it lost or found its work again (at most every five minutes): some three hundred rows a day. While the database is away
it goes on with its work, keeps in mind when it did, and says so when the database is back; ``recorded_at`` tells. So whoever
judges as of an instant sees what was recorded by then, always the same; and while the next row is not due yet, what the last
one said is taken to go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from core.database import Connection
from core.sql import load
from core.version import VERSION
from core.window import Window
from telemetry import horizon

_SQL = load("telemetry", "platform_record.sql")

ROW_EVERY_S: Final = 300.0
GOES_ON_S: Final = ROW_EVERY_S + 30.0
"""For so long after a row that says so a process is taken to be at work: its next row is due by then."""
_MOST_STRETCHES: Final = 500
"""In one row; of more the shortest are not claimed."""

Span = tuple[float, float]
"""Seconds since the Unix epoch by the process's wall clock, half-open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row, before it is written."""

    span: Span
    """The time that it speaks of."""
    heard: tuple[Span, ...]
    """When in it the process did its work."""
    goes_on: bool


@dataclass(slots=True)
class Ledger:
    """What one life of a process still has to say. Pure: the clock is an argument.

    >>> ledger = Ledger(0.0)
    >>> ledger.look(2.0, 5.0); ledger.due
    True
    >>> ledger.entry()
    Entry(span=(0.0, 5.0), heard=((2.0, 5.0),), goes_on=True)
    >>> ledger.written(); ledger.look(2.0, 10.0); ledger.due
    False
    >>> ledger.look(None, 15.0); ledger.due
    True
    >>> ledger.entry()
    Entry(span=(5.0, 15.0), heard=((5.0, 10.0),), goes_on=False)
    """

    begun: float
    every_s: float = ROW_EVERY_S
    _heard: list[list[float]] = field(default_factory=list)
    _at_work: bool = False
    _said: bool | None = None
    """Whether the last row said that the work goes on; None: there is no row yet."""
    _changed_at: float = -math.inf
    _until: float = field(init=False)
    """Up to where everything is said."""
    _now: float = field(init=False)
    """When it was looked last."""

    def __post_init__(self) -> None:
        self._until = self._now = self.begun

    def look(self, since: float | None, now: float) -> None:
        """Take note of what is so now.

        :param since: since when the process does its work without a break; None while it does not.
        """
        self._at_work = since is not None
        self._now = now
        if since is None:
            return
        start = max(since, self._until)
        if start > now:
            return
        if self._heard and start <= self._heard[-1][1]:
            self._heard[-1][1] = max(self._heard[-1][1], now)
        else:
            self._heard.append([start, now])
            if len(self._heard) > _MOST_STRETCHES:
                self._heard.remove(min(self._heard, key=lambda stretch: stretch[1] - stretch[0]))

    @property
    def due(self) -> bool:
        """Whether a row should be written."""
        if self._said is None:
            return any(start < end for start, end in self._heard)
        if self._said != self._at_work and self._now - self._changed_at >= self.every_s:
            return True
        return self.open and self._now - self._until >= self.every_s

    def entry(self, *, ends: bool = False) -> Entry:
        """What there is to be said up to the last look.

        :param ends: the process stops.
        """
        heard = tuple((start, end) for start, end in self._heard)
        last = max([self._until, self._now, *(end for _, end in self._heard)])
        return Entry(span=(self._until, last), heard=heard, goes_on=self._at_work and not ends)

    def written(self) -> None:
        """The row of :meth:`entry` is in the record."""
        if self._said is not None and self._said != self._at_work:
            self._changed_at = self._now
        self._said = self._at_work
        self._until = self.entry().span[1]
        self._heard.clear()

    @property
    def open(self) -> bool:
        """Whether the last row is not the last word: it said that work goes on, or there was work since."""
        return bool(self._heard) or self._said is True


def record(connection: Connection, process: str, run: str, entry: Entry, note: str = "") -> None:
    """Write one row, in a transaction of its own."""
    with connection.transaction():
        connection.execute(
            _SQL["add"],
            {
                "process": process,
                "run": run,
                "version": VERSION,
                "from_at": _instant(entry.span[0]),
                "until_at": _instant(entry.span[1]),
                "heard": _multirange(entry.heard),
                "goes_on": entry.goes_on,
                "recorded_at": horizon.receive(connection),
                "note": note,
            },
        )


def record_history(connection: Connection, process: str, window: Window, note: str) -> None:
    """Say of simulated history that it was recorded while it happened."""
    connection.execute(
        _SQL["add"],
        {
            "process": process,
            "run": "",
            "version": VERSION,
            "from_at": window.start,
            "until_at": window.end,
            "heard": Multirange([Range(window.start, window.end)]),
            "goes_on": True,
            "recorded_at": window.start,
            "note": note,
        },
    )


def settle(connection: Connection, process: str) -> int:
    """Record what the lives before this one had said by their pulse and could not record: they were killed.

    :returns: how many rows that were.
    """
    with connection.transaction():
        at = horizon.receive(connection)
        return connection.execute(_SQL["settle"], {"process": process, "recorded_at": at}).rowcount


def platform_alive(connection: Connection, pilot: str, window: Window, as_of: datetime | None = None) -> list[Window]:
    """The stretches of a window in which an intake was alive for a pilot, in the order of time, those that touch joined.

    The loader of simulated history counts as an intake for its own pilot, for the time that it wrote.

    :param as_of: by what was recorded up to then; where the next row was not due yet, the last one's word goes on. If left
        out, by all that is known at this moment, the pulse included.
    """
    if as_of is not None and as_of < window.end:
        window = Window(start=window.start, end=max(window.start, as_of))
    asked = {"loader": f"loader:{pilot}", "start": window.start, "end": window.end, "as_of": as_of}
    row = connection.execute(_SQL["alive_now" if as_of is None else "alive"], asked).fetchone()
    found = [] if row is None or row["heard"] is None else [(one.lower, one.upper) for one in row["heard"]]
    if as_of is not None:
        row = connection.execute(_SQL["going_on"], {**asked, "within_s": GOES_ON_S}).fetchone()
        if row is not None and row["until"] is not None:
            found.append((max(row["until"], window.start), window.end))
    return _joined(found)


def platform_known(connection: Connection, pilot: str, as_of: datetime | None = None) -> datetime | None:
    """When the platform's own record begins for a pilot; before it nobody can say whether we were up. None: no record."""
    row = connection.execute(_SQL["known_since"], {"loader": f"loader:{pilot}", "as_of": as_of}).fetchone()
    since: datetime | None = None if row is None else row["since"]
    return since


def _joined(pieces: Sequence[tuple[datetime, datetime]]) -> list[Window]:
    found: list[Window] = []
    for start, end in sorted(pieces):
        if start >= end:
            continue
        if found and start <= found[-1].end:
            found[-1] = Window(start=found[-1].start, end=max(found[-1].end, end))
        else:
            found.append(Window(start=start, end=end))
    return found


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _multirange(heard: Sequence[Span]) -> Multirange[datetime]:
    return Multirange([Range(_instant(start), _instant(end)) for start, end in heard if start < end])
