"""What a day's readings themselves tell of the way to us: the delay of each, and the longest time without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant
from telemetry.account import Gap
from telemetry.batch import Flag
from telemetry.binary import instants
from telemetry.channels import ChannelInfo
from telemetry.statistics import Statistics
from telemetry.windows import statistics, values

_SQL = load("telemetry", "account.sql")

_WITHOUT: Final = int(Flag.ARRIVAL_TIME | Flag.RETAINED | Flag.LOADED | Flag.REPLAYED)
"""Readings whose time from device to receipt says nothing about the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What the store holds of a slot that was received in a window."""

    n: int
    """Readings and events."""
    delay_us: NDArray[np.int64]
    """Of the readings with a time of their own that came live."""


def received(connection: Connection, slot_id: int, window: Window, first: datetime, last: datetime) -> Received:
    """Look the readings up that were received in a window.

    :param first, last: between which instants of observation they lie.
    """
    row = connection.execute(
        _SQL["received"],
        {
            "slot_id": slot_id, "first": first, "last": last, "start": window.start, "end": window.end,
            "without": _WITHOUT,
        },
        binary=True,
    ).fetchone()  # fmt: skip
    events = connection.execute(
        _SQL["received_events"], {"slot_id": slot_id, "start": window.start, "end": window.end}
    ).fetchone()
    assert row is not None and events is not None
    return Received(n=row["n"] + events["n"], delay_us=instants(row["received"]) - instants(row["observed"]))


def looked_at(connection: Connection, channel: ChannelInfo, window: Window) -> tuple[Statistics, Gap]:
    """The statistics of a channel in a window, and its longest stretch without a reading, the window's edges included.

    Whole hours are answered by their summaries; only the hour that holds the longest gap is read to find where it lies.
    """
    hours = _hours(window)
    whole, *parts = statistics(connection, channel, [window, *hours])
    name = f"{channel.slot}/{channel.name}"
    ends = [window.start_us]
    for part in parts:
        if part.n:
            ends += [part.first_us, part.last_us]
    ends.append(window.end_us)
    # Between the hours, and at the edges of the window; those within an hour come after.
    between = np.array(ends[1::2]) - np.array(ends[::2])
    place = int(between.argmax())
    if whole.longest_gap_s * 1e6 <= between[place] + 0.5:
        start, end = ends[2 * place], ends[2 * place + 1]
    else:
        hour = max(range(len(hours)), key=lambda index: parts[index].longest_gap_s if parts[index].n else -1.0)
        observed, _ = values(connection, channel, hours[hour])
        start, end = longest(observed)
    return whole, _gap(start, end, name)


def gap_of_all(connection: Connection, channels: Sequence[ChannelInfo], window: Window) -> Gap:
    """The longest stretch of a window without a reading of any of a slot's channels: for those that are not periodic."""
    observed = [values(connection, channel, window)[0] for channel in channels]
    every = np.sort(np.concatenate([[window.start_us, window.end_us], *observed]).astype(np.int64))
    return _gap(*longest(every), channels[0].slot)


def longest(observed_us: NDArray[np.int64]) -> tuple[int, int]:
    """The ends of the longest stretch between neighbours of at least two instants in order; the first of several.

    >>> longest(np.array([0, 10, 40, 70]))
    (10, 40)
    """
    place = int(np.diff(observed_us).argmax())
    return int(observed_us[place]), int(observed_us[place + 1])


def _gap(start_us: int, end_us: int, name: str) -> Gap:
    return Gap(
        seconds=(end_us - start_us) / 1e6,
        window=Window(start=instant(start_us), end=instant(end_us)),
        channel=name,
    )


def _hours(window: Window) -> list[Window]:
    """A window cut at the whole hours of UTC."""
    cuts = range((window.start_us // HOUR_US + 1) * HOUR_US, window.end_us, HOUR_US)
    ends = [window.start_us, *cuts, window.end_us]
    return [Window(start=instant(a), end=instant(b)) for a, b in pairwise(ends)]
