"""Keeping ``gap`` findings: between readings where hours were judged, and at the end of what came, as time goes by.

A gap that lasts is told anew every hour of its first day and every day after that, each time as a version of the same finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo, channels
from telemetry.findings import Recorded, record
from telemetry.quality.gap import silences
from telemetry.quality.reading import Part, neighbours
from telemetry.quality.thresholds import Thresholds, thresholds
from telemetry.quality.told import of_silence

_SQL = load("telemetry.quality", "quality.sql")
_DAY_US: Final = 24 * HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """From when to when a channel is expected to report."""

    start_us: int
    end_us: int


def expected(connection: Connection, pilot: str) -> dict[tuple[int, str], Expected]:
    """The same of every channel of a pilot, by slot and name; of one that never was, an empty span."""
    return {
        (row["slot_id"], row["channel"]): Expected(
            start_us=micros(row["start_at"]), end_us=max(micros(row["start_at"]), micros(row["end_at"]))
        )
        for row in connection.execute(_SQL["expected"], {"pilot": pilot})
    }


def judge(connection: Connection, channel: ChannelInfo, by: Thresholds, read: Part, closed_us: int) -> Recorded:
    """The gaps between the readings of some hours, and of them and their neighbours."""
    if by.gap_s is None or by.period_s is None:
        return Recorded()
    span = expected(connection, channel.pilot)[channel.slot_id, channel.name]
    return _keep(connection, channel, by, read, span, closed_us)


def judge_ends(connection: Connection, pilot: str, closed_us: int) -> Recorded:
    """The gaps after the last reading of every channel of a pilot, as far as hours are closed."""
    spans = expected(connection, pilot)
    new = superseded = 0
    for channel in channels(connection, pilot):
        by = thresholds(channel)
        if by.gap_s is None or by.period_s is None:
            continue
        with connection.transaction():
            connection.execute(_SQL["take_slot"], {"slot": channel.slot_id})
            end = Window(start=instant(closed_us), end=instant(closed_us))
            before, after = neighbours(connection, channel, end)
            nothing = np.empty(0, dtype=np.int64)
            read = Part(judged=end, observed_us=nothing, value=np.empty(0), before=before, after=after)
            done = _keep(connection, channel, by, read, spans[channel.slot_id, channel.name], closed_us)
        new, superseded = new + done.new, superseded + done.superseded
    return Recorded(new=new, superseded=superseded)


def _keep(
    connection: Connection, channel: ChannelInfo, by: Thresholds, read: Part, span: Expected, closed_us: int
) -> Recorded:
    assert by.gap_s is not None and by.period_s is not None
    edges = [np.array([edge.us], dtype=np.int64) for edge in (read.before, read.after) if edge is not None]
    observed = np.sort(np.concatenate([read.observed_us[read.own], *edges]))
    period_us, threshold_us = round(by.period_s * 1e6), round(by.gap_s * 1e6)
    since_us = span.start_us if read.before is None else None
    from_us = min(span.start_us, read.judged.start_us) if read.before is None else read.before.us
    if read.after is None:
        end_us = min(span.end_us, closed_us)
        begun_us = int(observed[-1]) + period_us if len(observed) else span.start_us
        until_us: int | None = _told_until(begun_us, end_us, over=end_us == span.end_us)
        to_us = max(closed_us, read.judged.end_us)
    else:
        until_us, end_us, to_us = None, 0, read.after.us
    found = [
        of_silence(channel, one, by, still=one.end_us == until_us and end_us < span.end_us)
        for one in silences(
            observed, period_us=period_us, threshold_us=threshold_us, since_us=since_us, until_us=until_us
        )
    ]
    if to_us <= from_us:
        return Recorded()
    return record(
        connection,
        kind="gap",
        scopes=[(channel.slot_id, channel.channel_ids[0])],
        window=Window(start=instant(from_us), end=instant(to_us)),
        found=found,
    )


def _told_until(begun_us: int, closed_us: int, *, over: bool) -> int:
    """Up to where a gap that lasts is told: to the hour on its first day, to whole days of it afterwards."""
    lasted_us = closed_us - begun_us
    return closed_us if over or lasted_us < _DAY_US else begun_us + lasted_us // _DAY_US * _DAY_US
