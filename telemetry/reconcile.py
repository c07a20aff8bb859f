"""Comparing summaries with their readings, a pilot's day at a time: what differs is made anew, and said as a finding.

A summary is made from readings in the transaction that takes its mark, so nothing should ever differ. Should it do so all the
same (a hand in the database, a disk, an error of ours), no figure rests on it for long, and nobody can say that it was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from core import audit
from core.database import Connection
from core.errors import NotFound
from core.locks import SUMMARISE
from core.sql import load
from core.window import HOUR_US, Window, day_window, instant
from telemetry import findings
from telemetry.summarise import GRACE_S, make

_SQL = load("telemetry", "reconcile.sql")

_SAME_TO: Final = 1e-9
_TOLD: Final = 20
"""So many differing hours are told one by one in a finding."""

Row = Mapping[str, Any]
_Key = tuple[int, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A channel-hour whose summary is not what its readings give."""

    slot_id: int
    slot: str
    channel_id: int
    channel: str
    hour: datetime
    fields: Mapping[str, tuple[Any, Any]]
    """What was kept and what the readings give, by column; shares as ``share <condition's number>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What the comparison of one day came to."""

    pilot: str
    day: date
    hours: int
    """Channel-hours compared."""
    differences: tuple[Difference, ...]
    """Repaired, unless it was asked only to look."""


def reconcile(connection: Connection, pilot: str, day: date, *, who: str, repair: bool = True) -> Reconciled:
    """Compare the closed hours of a pilot's calendar day with their readings, and make anew what differs.

    Hours that wait to be summarised are left to the summariser.

    :param repair: False only looks: nothing is written.
    :raises NotFound: there is no such pilot.
    """
    row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
    if row is None:
        raise NotFound(f"There is no pilot {pilot!r}: `pilotbed plan apply` registers one.")
    window = _hours_of(day_window(day, ZoneInfo(row["zone"])))
    with connection.transaction():
        connection.execute(_SQL["one_at_a_time"], {"lock": SUMMARISE})
        asked = {"pilot_id": row["pilot_id"], "start": window.start, "end": window.end}
        rows = connection.execute(_SQL["hours"], asked).fetchall()
        known = {(one["channel_id"], one["hour"]): one for one in rows}
        before = _read(connection, list(known))
        with _undone(connection):
            make(connection, list(known))
            after = _read(connection, list(known))
        different = tuple(
            Difference(
                slot_id=known[key]["slot_id"], slot=known[key]["slot"], channel_id=key[0], channel=known[key]["channel"],
                hour=key[1], fields=fields,
            )
            for key in known
            if (fields := _fields(before.get(key, {}), after.get(key, {})))
        )  # fmt: skip
        if repair:
            if different:
                make(connection, [(one.channel_id, one.hour) for one in different])
                _say(connection, pilot, day, different, who)
            said = {"pilot_id": row["pilot_id"], "day": day, "hours": len(known), "differed": len(different)}
            connection.execute(_SQL["say"], said)
    return Reconciled(pilot=pilot, day=day, hours=len(known), differences=different)


def days_due(connection: Connection, pilot: str, now: datetime, most: int) -> list[date]:
    """Which closed days of a pilot to compare next: those never compared, the newest first, then the longest ago.

    A pilot whose readings are past their retention has none.
    """
    # A day is closed once its last hour's summary is made.
    asked = {"pilot": pilot, "now": now - timedelta(hours=1, seconds=GRACE_S), "most": most}
    return [row["day"] for row in connection.execute(_SQL["days_due"], asked)]


def _hours_of(window: Window) -> Window:
    """The whole hours that a window touches: of a zone that is off by half an hour, one more."""
    start, end = window.start_us // HOUR_US * HOUR_US, -(-window.end_us // HOUR_US) * HOUR_US
    return Window(start=instant(start), end=instant(end))


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    """A savepoint that is always rolled back."""
    with connection.transaction():
        yield
        raise psycopg.Rollback


def _read(connection: Connection, keys: Sequence[_Key]) -> dict[_Key, dict[str, Any]]:
    asked = {"channels": [key[0] for key in keys], "hours": [key[1] for key in keys]}
    found = {
        (row["channel_id"], row["hour"]): dict(row["summary"]) for row in connection.execute(_SQL["summaries"], asked)
    }
    for row in connection.execute(_SQL["shares"], asked):
        share = {"true_s": row["true_s"], "covered_s": row["covered_s"]}
        found.setdefault((row["channel_id"], row["hour"]), {})[f"share {row['predicate_id']}"] = share
    return found


def _fields(before: Row, after: Row) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if not _same(before.get(name), after.get(name))
    }


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):
        return all(_same(before.get(name), after.get(name)) for name in {*before, *after})
    if isinstance(before, int | float) and isinstance(after, int | float):
        return math.isclose(before, after, rel_tol=_SAME_TO, abs_tol=_SAME_TO)
    return bool(before == after)


def _say(connection: Connection, pilot: str, day: date, different: Sequence[Difference], who: str) -> None:
    """One finding a channel, from its first differing hour to the end of its last; and a line of the audit log."""
    hour = timedelta(hours=1)
    for (slot_id, channel_id), group in groupby(different, key=lambda one: (one.slot_id, one.channel_id)):
        ones = sorted(group, key=lambda one: one.hour)
        window = Window(start=ones[0].hour, end=ones[-1].hour + hour)
        found = findings.Found(
            slot_id=slot_id, channel_id=channel_id, window=window, value=float(len(ones)), unit="h",
            detail={
                "rule": "summary = readings", "day": day.isoformat(), "repaired": True,
                "hours": [
                    {"hour": one.hour.isoformat(), "kept_and_found": {k: list(v) for k, v in one.fields.items()}}
                    for one in ones[:_TOLD]
                ],
            },
        )  # fmt: skip
        findings.record(connection, kind="summary", scopes=[(slot_id, channel_id)], window=window, found=[found])
    audit.record(
        connection,
        who=who,
        what="summary.repair",
        pilot=pilot,
        object=f"summaries of {day.isoformat()}",
        before={"differed": [f"{one.slot}/{one.channel} {one.hour.isoformat()}" for one in different[:_TOLD]]},
        after={"channel_hours": len(different)},
    )
