"""Judging closed hours: those that were summarised since, with what they bear on, channel by channel, one transaction each.

The store marks an hour when its summary is made (``quality_hour``), late data included. A round takes the marks of a channel,
reads the readings once, makes the stretches of those hours anew, and has the findings joined from stretches supersede what no
longer holds. Judged again, the same data change nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo, channels
from telemetry.findings import Recorded, record
from telemetry.quality import shifts, silence
from telemetry.quality.good import count_good, failing
from telemetry.quality.reading import Part, part
from telemetry.quality.runs import Flagged, Run, hull, joined, runs, until
from telemetry.quality.series import FAMILIES, Family, judged
from telemetry.quality.thresholds import Thresholds, thresholds
from telemetry.quality.told import of_run
from telemetry.summarise import GRACE_S

_SQL = load("telemetry.quality", "quality.sql")

_APART_US = 6 * HOUR_US
"""Hours that were touched no further apart are judged together."""
_READINGS = 500_000
_HOURS = 168
_MOST_HOURS = 2_000
_COLUMNS = tuple(field.name for field in fields(Run))


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was judged, and what that changed in the record."""

    hours: int = 0
    readings: int = 0
    new: int = 0
    superseded: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            hours=self.hours + other.hours,
            readings=self.readings + other.readings,
            new=self.new + other.new,
            superseded=self.superseded + other.superseded,
        )

    def and_(self, recorded: Recorded) -> Done:
        return self + Done(new=recorded.new, superseded=recorded.superseded)


def judge_all(
    connection: Connection,
    pilot: str | None = None,
    *,
    now: datetime | None = None,
    most: int | None = None,
    most_s: float = math.inf,
) -> Done:
    """Rounds until no hour waits.

    :param pilot: only this one's hours.
    :param most: hours of a channel taken up at once.
    :param most_s: after so many seconds no further round begins.
    """
    total = Done()
    begun = time.monotonic()
    while waiting := connection.execute(_SQL["waiting"], {"pilot": pilot}).fetchall():
        known: dict[str, dict[tuple[str, str], ChannelInfo]] = {}
        hours = 0
        for row in waiting:
            if time.monotonic() - begun > most_s:
                return total
            if row["pilot"] not in known:
                known[row["pilot"]] = {(one.slot, one.name): one for one in channels(connection, row["pilot"])}
            done = judge_channel(connection, known[row["pilot"]][row["slot"], row["channel"]], now=now, most=most)
            hours += done.hours
            total += done
        if not hours:  # somebody else took them up
            break
    return total


def judge_channel(
    connection: Connection, channel: ChannelInfo, *, now: datetime | None = None, most: int | None = None
) -> Done:
    """One round over at most so many hours of a channel that wait; if left out, as many as hold half a million readings."""
    closed_us = closed(now)
    by = thresholds(channel)
    hours = _hours_at_once(by) if most is None else most
    with connection.transaction():
        connection.execute(_SQL["take_slot"], {"slot": channel.slot_id})
        claimed = connection.execute(_SQL["claim"], {"channels": list(channel.channel_ids), "most": hours}).fetchall()
        done = Done(hours=len(claimed))
        for touched in _together(micros(row["hour"]) for row in claimed):
            read = part(connection, channel, by, touched, closed_us)
            done += Done(readings=len(read.value))
            done = done.and_(_readings(connection, channel, by, read))
            done = done.and_(silence.judge(connection, channel, by, read, closed_us))
            done = done.and_(shifts.judge(connection, channel, by, read.judged))
    return done


def _hours_at_once(by: Thresholds) -> int:
    return _HOURS if by.period_s is None else min(max(round(_READINGS * by.period_s / 3_600), 1), _MOST_HOURS)


def pending(connection: Connection) -> int:
    """How many channel-hours wait to be judged."""
    row = connection.execute(_SQL["pending"]).fetchone()
    return 0 if row is None else int(row["n"])


def due(connection: Connection, pilot: str, until: datetime) -> int:
    """How many channel-hours of a pilot that begin before an instant have readings which were not judged yet."""
    row = connection.execute(_SQL["due"], {"pilot": pilot, "until": until}).fetchone()
    return 0 if row is None else int(row["n"])


def mark_pilot(connection: Connection, pilot: str) -> None:
    """Have all hours of a pilot judged anew: the defaults changed."""
    connection.execute(_SQL["mark_pilot"], {"pilot": pilot})


def closed(now: datetime | None = None) -> int:
    """Up to where hours are closed, in microseconds."""
    return (micros(now or datetime.now(UTC)) - GRACE_S * 1_000_000) // HOUR_US * HOUR_US


def _together(hours_us: Iterable[int]) -> list[Window]:
    found: list[list[int]] = []
    for hour in hours_us:
        if found and hour - found[-1][1] <= _APART_US:
            found[-1][1] = hour + HOUR_US
        else:
            found.append([hour, hour + HOUR_US])
    return [Window(start=instant(start), end=instant(end)) for start, end in found]


def of_part(read: Part, by: Thresholds) -> dict[Family, list[Run]]:
    """The stretches of the hours that are judged: pure."""
    until_us = until(read.observed_us, by.hold_us, None)
    own = read.own
    return {
        family: runs(read.observed_us[own], until_us[own], read.value[own], _cut(flagged, own))
        for family, flagged in judged(read.observed_us, read.value, by).items()
    }


def _cut(flagged: Flagged, own: slice) -> Flagged:
    return Flagged(
        flags=flagged.flags[own],
        amount=flagged.amount[own],
        excess=flagged.excess[own],
        since_us=None if flagged.since_us is None else flagged.since_us[own],
    )


def _readings(connection: Connection, channel: ChannelInfo, by: Thresholds, read: Part) -> Recorded:
    found = of_part(read, by)
    span = {"channel": channel.channel_ids[0], "start": read.judged.start, "end": read.judged.end}
    connection.execute(_SQL["forget_runs"], span)
    rows = [(family, run) for family in FAMILIES for run in found[family]]
    if rows:
        columns = {name: [getattr(run, name) for _, run in rows] for name in _COLUMNS}
        kinds = [family for family, _ in rows]
        connection.execute(_SQL["add_runs"], {"channel": span["channel"], "kind": kinds, **columns})
    before = failing(connection, channel, read.judged)
    changed = Recorded()
    for family in FAMILIES:
        own = _joined(connection, channel, family, by, found[family], read.judged)
        changed = Recorded(new=changed.new + own.new, superseded=changed.superseded + own.superseded)
    count_good(connection, channel, read.judged, before, failing(connection, channel, read.judged))
    return changed


def _joined(
    connection: Connection, channel: ChannelInfo, family: Family, by: Thresholds, new: Sequence[Run], hours: Window
) -> Recorded:
    """Findings from all stretches that touch what was judged, through however many hours they go on."""
    start_us, end_us = hull(new) or (hours.start_us, hours.end_us)
    asked: dict[str, Any] = {
        "slot": channel.slot_id, "channel": channel.channel_ids[0], "kind": family,
        "start": min(instant(start_us), hours.start), "end": max(instant(end_us), hours.end),
    }  # fmt: skip
    while True:
        row = connection.execute(_SQL["touching"], asked).fetchone()
        assert row is not None
        if not row["n"]:
            return Recorded()
        if (row["start_at"], row["end_at"]) == (asked["start"], asked["end"]):
            break
        asked |= {"start": row["start_at"], "end": row["end_at"]}
    stretches = [
        Run(
            hour_us=micros(row.pop("hour")),
            start_us=micros(row.pop("start_at")),
            end_us=micros(row.pop("end_at")),
            **row,
        )
        for row in connection.execute(_SQL["runs"], asked).fetchall()
    ]
    return record(
        connection,
        kind=family,
        scopes=[(channel.slot_id, channel.channel_ids[0])],
        window=Window(start=asked["start"], end=asked["end"]),
        found=[of_run(channel, family, run, by) for run in joined(stretches)],
    )
