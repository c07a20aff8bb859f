"""Completeness (자료획득률) day by day: of each channel, slot and pilot, with time that was planned or agreed told apart.

A periodic channel is counted in readings: expected are the day over the period, missing those of gaps and edges, as in every
window (:mod:`telemetry.statistics`). The other two kinds of reporting are counted in seconds: missing are those in which no
reading stands. Left out is the time of agreed outages and exclusions, and of outages in the platform's own record: what is
required is what is expected in the rest of the day, what is unexplained is what is missing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import Window, day_window
from telemetry.channels import ChannelInfo, channels
from telemetry.platform_record import platform_alive, platform_known
from telemetry.quality.daily import counted
from telemetry.quality.intervals import add, without
from telemetry.windows import gaps, snapshot

_SQL = load("telemetry.quality", "quality.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What one channel has of one day, in readings or in seconds."""

    expected: float
    missing: float
    required: float
    """Expected outside of what is left out."""
    unexplained: float
    """Missing there."""

    @property
    def share(self) -> float | None:
        """What is there of what is required, 0 to 1; None where nothing is."""
        return None if self.required <= 0 else max(0.0, 1 - self.unexplained / self.required)

    @property
    def captured(self) -> float | None:
        """What is there of all that is expected, whatever was agreed."""
        return None if self.expected <= 0 else max(0.0, 1 - self.missing / self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A calendar day as far as it lies in the period and is over."""

    day: date
    window: Window


def completeness_calendar(
    connection: Connection, pilot: str, window: Window | None = None, as_of: datetime | None = None
) -> dict[str, Any]:
    """The completeness of every day of a window, as a document (JSON).

    ``days``: calendar days of the pilot's zone. Beside them, in columns of equal length, ``share`` of the pilot; of each of
    ``slots`` its ``share`` and ``left_out_s``; of each of its ``channels`` ``basis`` (``readings`` or ``seconds``), ``expected``,
    ``missing``, ``required``, ``unexplained``, ``captured`` and ``share``. A slot's share is the mean of its channels', a pilot's
    that of its slots', so that no channel weighs more because it samples faster. None: nothing was required.

    :param window: the whole period if left out; days that it touches are taken whole, as far as they lie in the period and
        before ``as_of`` (now).
    :raises NotFound: there is no such pilot.
    """
    with snapshot(connection):
        row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
        if row is None:
            raise NotFound(f"There is no pilot {pilot!r}.")
        zone = ZoneInfo(row["zone"])
        period = Window(start=row["start_at"], end=row["end_at"])
        days = _days(zone, period, period if window is None else window, as_of or datetime.now(UTC))
        document: dict[str, Any] = {
            "pilot": pilot, "zone": zone.key, "as_of": None if as_of is None else as_of.isoformat(),
            "days": [one.day.isoformat() for one in days], "share": [], "slots": [],
        }  # fmt: skip
        if days:
            document["slots"] = _slots(connection, pilot, days, as_of)
        document["share"] = [_mean([slot["share"][place] for slot in document["slots"]]) for place in range(len(days))]
    return document


def _days(zone: ZoneInfo, period: Window, asked: Window, until: datetime) -> list[_Day]:
    end = min(period.end, asked.end, until)
    start = max(period.start, asked.start)
    if start >= end:
        return []
    first = start.astimezone(zone).date()
    found: list[_Day] = []
    while True:
        day = day_window(first, zone)
        if day.start >= end:
            return found
        own = day.intersection(Window(start=period.start, end=max(period.start, min(period.end, until))))
        if own.seconds > 0:
            found.append(_Day(day=first, window=own))
        first += timedelta(days=1)


def _slots(connection: Connection, pilot: str, days: Sequence[_Day], as_of: datetime | None) -> list[dict[str, Any]]:
    span = Window(start=days[0].window.start, end=days[-1].window.end)
    down = _platform_down(connection, pilot, span, as_of)
    agreed = _agreed(connection, pilot, span, as_of)
    by_slot: dict[str, dict[str, Any]] = {}
    for channel in channels(connection, pilot, as_of):
        covered = _joined([*down, *agreed.get(channel.slot_id, [])])
        kept = [without(one.window, _cut(covered, one.window)) for one in days]
        slot = by_slot.setdefault(
            channel.slot,
            {
                "slot": channel.slot,
                "share": [],
                "left_out_s": [
                    one.window.seconds - sum(part.seconds for part in parts)
                    for one, parts in zip(days, kept, strict=True)
                ],
                "channels": [],
            },
        )
        amounts = _amounts(connection, channel, days, kept, as_of)
        slot["channels"].append(_columns(channel, amounts))
    for slot in by_slot.values():
        shares = [one["share"] for one in slot["channels"]]
        slot["share"] = [_mean([share[place] for share in shares]) for place in range(len(days))]
    return list(by_slot.values())


def _columns(channel: ChannelInfo, amounts: Sequence[Amount]) -> dict[str, Any]:
    names = ("expected", "missing", "required", "unexplained", "captured", "share")
    columns: dict[str, Any] = {name: [getattr(one, name) for one in amounts] for name in names}
    return {"channel": channel.name, "basis": "readings" if channel.reporting == "periodic" else "seconds", **columns}


def _amounts(
    connection: Connection,
    channel: ChannelInfo,
    days: Sequence[_Day],
    kept: Sequence[Sequence[Window]],
    as_of: datetime | None,
) -> list[Amount]:
    if channel.reporting != "periodic":
        return _in_seconds(connection, channel, days, kept, as_of)
    cut = [place for place, parts in enumerate(kept) if list(parts) != [days[place].window]]
    windows = [one.window for one in days] + [part for place in cut for part in kept[place]]
    found = counted(connection, channel, windows, as_of)
    whole, rest = found[: len(days)], iter(found[len(days) :])
    parts = {place: [next(rest) for _ in kept[place]] for place in cut}
    return [
        Amount(
            expected=one.expected,
            missing=one.missing,
            required=sum(part.expected for part in parts.get(place, [one])),
            unexplained=min(sum(part.missing for part in parts.get(place, [one])), one.missing),
        )
        for place, one in enumerate(whole)
    ]


def _in_seconds(
    connection: Connection,
    channel: ChannelInfo,
    days: Sequence[_Day],
    kept: Sequence[Sequence[Window]],
    as_of: datetime | None,
) -> list[Amount]:
    silent = gaps(connection, channel, Window(start=days[0].window.start, end=days[-1].window.end), as_of)
    return [
        Amount(
            expected=one.window.seconds,
            missing=sum(part.seconds for part in _cut(silent, one.window)),
            required=sum(part.seconds for part in parts),
            unexplained=sum(lost.seconds for part in parts for lost in _cut(silent, part)),
        )
        for one, parts in zip(days, kept, strict=True)
    ]


def _platform_down(connection: Connection, pilot: str, span: Window, as_of: datetime | None) -> list[Window]:
    """When the platform was down, by its own record; before that begins nobody knows, and nothing is left out."""
    since = platform_known(connection, pilot, as_of)
    if since is None or since >= span.end:
        return []
    known = Window(start=max(since, span.start), end=span.end)
    return without(known, platform_alive(connection, pilot, known, as_of))


def _agreed(connection: Connection, pilot: str, span: Window, as_of: datetime | None) -> Mapping[int, list[Window]]:
    found: dict[int, list[Window]] = {}
    asked = {"pilot": pilot, "start": span.start, "end": span.end, "as_of": as_of}
    for row in connection.execute(_SQL["agreed"], asked):
        found.setdefault(row["slot_id"], []).append(Window(start=row["start_at"], end=row["end_at"]))
    return found


def _joined(windows: Sequence[Window]) -> list[Window]:
    found: list[Window] = []
    for one in sorted(windows):
        add(found, one)
    return found


def _cut(windows: Sequence[Window], to: Window) -> list[Window]:
    return [part for part in (one.intersection(to) for one in windows) if part.seconds > 0]


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None
