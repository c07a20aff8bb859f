"""``summary.n_good``: how many readings of an hour lie in no finding that says they cannot be. As of now, for whoever looks.

It is counted anew for hours that were judged, and wherever findings then cover more or less than before. KPIs do not go by it:
they ask for findings as of an instant, and by their own choice of tests.
"""

from __future__ import annotations

from datetime import datetime

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.quality.intervals import add
from telemetry.quality.series import FAMILIES

_SQL = load("telemetry.quality", "quality.sql")

Spans = list[tuple[datetime, datetime]]


def failing(connection: Connection, channel: ChannelInfo, near: Window) -> Spans:
    """The findings of a channel with flag 4 that touch a stretch."""
    asked = {
        "slot": channel.slot_id, "channel": channel.channel_ids[0], "kinds": list(FAMILIES), "start": near.start,
        "end": near.end,
    }  # fmt: skip
    return [(row["start_at"], row["end_at"]) for row in connection.execute(_SQL["failing"], asked)]


def count_good(connection: Connection, channel: ChannelInfo, judged: Window, before: Spans, after: Spans) -> int:
    """Count the good readings of the hours that were judged, and of those that other findings cover now.

    :param before: the :func:`failing` of ``judged`` before it was judged.
    :param after: those afterwards.
    :returns: how many hours have another count now.
    """
    reach = _reach(judged, before, after)
    asked = {
        "slot": channel.slot_id, "channel": channel.channel_ids[0], "channels": list(channel.channel_ids),
        "kinds": list(FAMILIES), "start": reach.start, "end": reach.end,
    }  # fmt: skip
    return connection.execute(_SQL["count_good"], asked).rowcount


def _reach(judged: Window, before: Spans, after: Spans) -> Window:
    """Whole hours over all that was judged or is covered otherwise than before."""
    edges = [judged.start, judged.end, *_edges(before).symmetric_difference(_edges(after))]
    start_us, end_us = micros(min(edges)), micros(max(edges))
    return Window(start=instant(start_us // HOUR_US * HOUR_US), end=instant(-(-end_us // HOUR_US) * HOUR_US))


def _edges(spans: Spans) -> set[datetime]:
    """Where what they cover together begins and ends."""
    covered: list[Window] = []
    for start, end in sorted(spans):
        add(covered, Window(start=start, end=end))
    return {edge for one in covered for edge in (one.start, one.end)}
