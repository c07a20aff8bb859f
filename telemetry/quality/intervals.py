"""Which time of a channel stays when what findings cover is left out. Nothing is left out that is not asked for by its kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from core.database import Connection
from core.sql import load
from core.window import Window
from telemetry.channels import ChannelInfo
from telemetry.findings import SUSPECT, Kind

_SQL = load("telemetry.quality", "quality.sql")


def left_out(
    connection: Connection,
    channel: ChannelInfo,
    window: Window,
    codes: Collection[Kind],
    as_of: datetime | None = None,
    *,
    least: int = SUSPECT,
) -> dict[Kind, list[Window]]:
    """The stretches of a window that findings of each kind cover, joined, in the order of time; those of the slot included.

    :param codes: kinds of findings.
    :param as_of: as they were held true at that instant; now if left out.
    :param least: 4 for those that fail alone.
    """
    found: dict[Kind, list[Window]] = {code: [] for code in sorted(codes)}
    asked = {
        "slot": channel.slot_id, "channels": list(channel.channel_ids), "kinds": sorted(codes), "start": window.start,
        "end": window.end, "least": least, "as_of": as_of,
    }  # fmt: skip
    for row in connection.execute(_SQL["left_out"], asked):
        add(found[row["kind"]], Window(start=row["start_at"], end=row["end_at"]).intersection(window))
    return found


def good_intervals(
    connection: Connection,
    channel: ChannelInfo,
    window: Window,
    codes: Collection[Kind],
    as_of: datetime | None = None,
    *,
    least: int = SUSPECT,
) -> list[Window]:
    """What is left of a window without what findings of some kinds cover: half-open, disjoint, in the order of time.

    A stretch of flagged readings lasts as long as they stand, so a reading is good exactly if its instant lies in one of these.
    """
    covered: list[Window] = []
    every = left_out(connection, channel, window, codes, as_of, least=least)
    for one in sorted(one for windows in every.values() for one in windows):
        add(covered, one)
    return without(window, covered)


def without(window: Window, covered: Collection[Window]) -> list[Window]:
    """A window without stretches in it, which are in the order of time and disjoint."""
    found: list[Window] = []
    start = window.start
    for one in covered:
        if one.start > start:
            found.append(Window(start=start, end=one.start))
        start = max(start, one.end)
    if start < window.end:
        found.append(Window(start=start, end=window.end))
    return found


def add(found: list[Window], one: Window) -> None:
    """Put a stretch behind others that began no later; those that touch become one, an empty one is left out."""
    if one.start >= one.end:
        return
    if found and one.start <= found[-1].end:
        found[-1] = Window(start=found[-1].start, end=max(found[-1].end, one.end))
    else:
        found.append(one)
