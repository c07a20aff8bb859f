"""Keeping ``jump`` findings, from hourly summaries: shifts of a channel's level, with the change that explains them, and of a
place.

A shift at a known change (another device, model, firmware) is told with what came in place of what; others with ``unexplained``.
Channels in degrees of latitude and longitude tell of a device that was moved: that finding is the slot's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.database import Connection
from core.sql import load
from core.units import conversion, same_dimension
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo, channels
from telemetry.findings import Found, Recorded, record
from telemetry.quality.flags import SUSPECT, Floats
from telemetry.quality.jump import LEAST_H, NEAR_H, REACH_H, WINDOW_H, Levels, jump, levels, stands_out
from telemetry.quality.relocation import LEAST_M, relocation
from telemetry.quality.thresholds import Thresholds
from telemetry.quality.told import of_jump, rounded
from telemetry.summaries import Summaries

_SQL = load("telemetry.quality", "quality.sql")
_EDGE_H = 2 + NEAR_H


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed at a slot, from the last whole hour before to the first one after."""

    start_us: int
    end_us: int
    detail: dict[str, Any]


def judge(connection: Connection, channel: ChannelInfo, by: Thresholds, hours: Window) -> Recorded:
    """The shifts that the readings of some hours bear on."""
    span = _reach(hours, REACH_H)
    changed = Recorded()
    if by.jump is not None:
        changed = _keep(
            connection, channel.slot_id, channel.channel_ids[0], span, _shifts(connection, channel, by, span)
        )
    if _axis(channel) is not None:
        other = _partner(connection, channel)
        if other is not None:
            moves = _moves(connection, channel, other, span)
            own = _keep(connection, channel.slot_id, None, span, moves)
            changed = Recorded(new=changed.new + own.new, superseded=changed.superseded + own.superseded)
    return changed


def changes(connection: Connection, slot_id: int) -> list[Change]:
    """What changed at a slot, in the order of time."""
    found = []
    for row in connection.execute(_SQL["changes"], {"slot": slot_id}):
        start = micros(row["start_at"]) // HOUR_US * HOUR_US
        end = max(-(-micros(row["end_at"]) // HOUR_US) * HOUR_US, start + HOUR_US)
        told = {
            "cause": row["cause"],
            "at": row["end_at"].isoformat(),
            "from": {"serial": row["old_serial"], "model": row["old_model"], "firmware": row["old_firmware"]},
            "to": {"serial": row["serial"], "model": row["model"], "firmware": row["firmware"]},
        }
        found.append(Change(start_us=start, end_us=end, detail=told))
    return found


def _keep(
    connection: Connection, slot_id: int, channel_id: int | None, span: Window, found: Sequence[Found]
) -> Recorded:
    return record(
        connection,
        kind="jump",
        scopes=[(slot_id, channel_id)],
        window=span,
        found=[one for one in found if one.window.intersection(span).seconds > 0],
    )


def _shifts(connection: Connection, channel: ChannelInfo, by: Thresholds, span: Window) -> list[Found]:
    assert by.jump is not None
    known = [
        one for one in changes(connection, channel.slot_id) if one.start_us < span.end_us and one.end_us > span.start_us
    ]
    reach = _reach(span, REACH_H + _EDGE_H)
    start_us = min([reach.start_us, *(one.start_us - (WINDOW_H + 1) * HOUR_US for one in known)])
    end_us = max([reach.end_us, *(one.end_us + (WINDOW_H + 1) * HOUR_US for one in known)])
    first_us, level = _grid(connection, channel, Window(start=instant(start_us), end=instant(end_us)))
    if not len(level):
        return []
    at = levels(level)
    common = {"least": by.jump, "by": by.origin("jump")}
    found: list[Found] = []
    explained: list[Change] = []
    for change in known:
        before, after = (change.start_us - first_us) // HOUR_US, (change.end_us - first_us) // HOUR_US
        if after >= len(level) or min(at.n_before[before], at.n_after[after]) < LEAST_H:
            continue
        shift = at.after[after] - at.before[before]
        noise = np.fmax(at.noise_before[before], at.noise_after[after])
        if stands_out(np.array([shift]), np.array([noise]), by.jump)[0]:
            window = Window(start=instant(change.start_us), end=instant(change.end_us))
            numbers = _numbers(at, before, after, noise) | {"rule": "level_shift"} | change.detail | common
            found.append(
                of_jump(channel.slot_id, channel.channel_ids[0], window, rounded(shift), channel.unit, numbers)
            )
            explained.append(change)
    for place in np.flatnonzero(jump(level, by.jump) == SUSPECT).tolist():
        at_us = first_us + place * HOUR_US
        near = NEAR_H * HOUR_US
        if any(one.start_us - near <= at_us <= one.end_us + near for one in explained):
            continue
        numbers = _numbers(at, place, place, at.noise[place]) | {"rule": "level_shift", "cause": "unexplained"} | common
        shift = rounded(at.shift[place])
        found.append(of_jump(channel.slot_id, channel.channel_ids[0], _around(at_us), shift, channel.unit, numbers))
    return found


def _numbers(at: Levels, before: int, after: int, noise: float) -> dict[str, Any]:
    return {
        "before": rounded(at.before[before]),
        "after": rounded(at.after[after]),
        "noise": rounded(float(noise)),
        "hours": [int(at.n_before[before]), int(at.n_after[after])],
    }


def _moves(connection: Connection, one: ChannelInfo, other: ChannelInfo, span: Window) -> list[Found]:
    reach = _reach(span, REACH_H + _EDGE_H)
    by_axis = {_axis(info): info for info in (one, other)}
    grids = {axis: _grid(connection, info, reach) for axis, info in by_axis.items()}
    n = max(len(level) for _, level in grids.values())
    lat, lon = (
        np.concatenate([grids[axis][1], np.full(n - len(grids[axis][1]), np.nan)])
        * conversion(by_axis[axis].unit, "deg").scale
        for axis in ("lat", "lon")
    )
    if not n:
        return []
    flag, moved = relocation(lat, lon)
    north, east = levels(lat), levels(lon)
    found = []
    for place in np.flatnonzero(flag == SUSPECT).tolist():
        numbers = {
            "rule": "relocation", "cause": "relocation", "least": LEAST_M, "by": "default",
            "before": [rounded(north.before[place]), rounded(east.before[place])],
            "after": [rounded(north.after[place]), rounded(east.after[place])],
        }  # fmt: skip
        at_us = reach.start_us + place * HOUR_US
        found.append(of_jump(one.slot_id, None, _around(at_us), rounded(moved[place]), "m", numbers))
    return found


def _grid(connection: Connection, channel: ChannelInfo, span: Window) -> tuple[int, Floats]:
    """Where a span's first hour begins, and the mean of each hour up to the last one with readings; NaN where there are none."""
    summaries = Summaries.load(connection, channel, span)
    if not len(summaries.hour_us):
        return span.start_us, np.empty(0)
    place = (summaries.hour_us - span.start_us) // HOUR_US
    level = np.full(int(place[-1]) + 1, np.nan)
    level[place] = summaries.pieces.mean
    return span.start_us, level


def _reach(span: Window, hours: int) -> Window:
    return Window(start=instant(span.start_us - hours * HOUR_US), end=instant(span.end_us + hours * HOUR_US))


def _around(at_us: int) -> Window:
    """A shift at the start of an hour may have come in the hour before or in the course of it."""
    return Window(start=instant(at_us - HOUR_US), end=instant(at_us + HOUR_US))


def _axis(channel: ChannelInfo) -> str | None:
    """Whether a channel is a latitude or a longitude: by its unit, or by its name where the unit is of angles."""
    if channel.kind != "gauge":
        return None
    if channel.unit in ("lat", "lon"):
        return channel.unit
    axis = channel.name[:3]
    return axis if axis in ("lat", "lon") and same_dimension(channel.unit, "deg") else None


def _partner(connection: Connection, channel: ChannelInfo) -> ChannelInfo | None:
    """The channel of the same slot that has the other half of a position."""
    of_slot = [one for one in channels(connection, channel.pilot) if one.slot_id == channel.slot_id]
    mine = _axis(channel)
    return next((one for one in of_slot if _axis(one) not in (None, mine)), None)
