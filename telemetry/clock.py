"""Device clocks against ours: offset and drift per slot, and ``clock`` findings where one is beyond the threshold.

Everything is told from the hourly summaries' delays (``summarise.sql``) and from readings refused for their time. What an hour's
delays say is decided in :mod:`telemetry.pace`. Hours are those of observation; of refused readings, those of receipt. An hour
summarised before delays were kept has none and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final, Literal

from core.database import Connection
from core.settings import settings
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.findings import Finding, Found, Recorded, findings, record
from telemetry.pace import BRIDGE_H, KNOWN, Hour, Judged, Stretch, drift, judged, since_step, stretches
from telemetry.summarise import GRACE_S

_SQL = load("telemetry", "clock.sql")

SPAN: Final = timedelta(days=14)
"""Drift rests on so much time at the most. What ended longer ago is not judged again."""
_SPAN_US: Final = SPAN // timedelta(microseconds=1)
LATELY: Final = timedelta(days=1)
_RESET_S: Final = 366 * 86_400
"""A time so long before the pilot's start is no buffered reading's: the clock was reset."""
_MOST_REFUSED: Final = 60
"""So many refused readings an hour are looked at."""

Note = Literal["fine", "fast", "slow", "refused", "gathered", "late", "silent", "none", "no_clock"]
"""Why the offset is what it is, or is not known. ``fine``: within the threshold. ``fast``, ``slow``: beyond it. ``refused``:
beyond it so far that readings are refused. ``gathered``: the device gathers its readings, and a slow clock cannot be told from
that. ``late``: nothing of the last day came as it was observed. ``silent``: nothing came in the last day. ``none``: nothing in
two weeks has a device time and came live. ``no_clock``: the plan says that the device has no clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotClock:
    """One slot's clock."""

    slot: str
    has_clock: bool
    offset_s: float | None
    """Receipt minus device time, the median of the last day's hours since the clock was set: positive for a slow clock, negative
    for a fast one. The least time on the way is in it: it is not known better than to :data:`telemetry.pace.RESOLUTION_S`."""
    drift_s_per_day: float | None
    """Its change since the clock was set, over two weeks at the most: positive for a clock that loses time. None: fewer hours
    than :data:`telemetry.pace.DRIFT_HOURS`."""
    hours: int
    """How many hours the drift rests on."""
    slow_at_most_s: float | None
    """The least delay of the last day: whatever came late, the clock is no slower. Negative: it is fast by at least that."""
    beyond: bool
    """Whether the newest hour that says something is beyond the threshold."""
    note: Note

    @property
    def drift_ppm(self) -> float | None:
        """The drift in parts per million of time."""
        return None if self.drift_s_per_day is None else self.drift_s_per_day / 86_400 * 1e6


def offsets(connection: Connection, pilot: str, now: datetime | None = None) -> list[SlotClock]:
    """The clocks of a pilot's slots in use, in the order of registration."""
    now = now or datetime.now(UTC)
    return [clock for clock, _ in series(connection, pilot, now)]


def series(connection: Connection, pilot: str, now: datetime | None = None) -> list[tuple[SlotClock, list[Judged]]]:
    """The same, each with the hours of the last two weeks that it was told from."""
    now = now or datetime.now(UTC)
    slots = _slots(connection, pilot)
    hours = _hours(connection, [row["slot_id"] for row in slots if row["has_clock"]], _closed(now, SPAN))
    return [_clock(row, hours.get(row["slot_id"], []), now) for row in slots]


def judge(
    connection: Connection, pilot: str, now: datetime | None = None, *, threshold_s: float | None = None
) -> Recorded:
    """Judge the last two weeks of a pilot's clocks and keep the findings.

    The work is bounded by the hours of four weeks: a finding that began before goes on from what the record says of its start,
    and its value is the median of its last two weeks.
    """
    now = now or datetime.now(UTC)
    threshold_s = settings().clock_threshold_s if threshold_s is None else threshold_s
    window = _closed(now, SPAN)
    wider = Window(start=window.start - SPAN, end=window.end)
    slots = {row["slot_id"]: row["slot"] for row in _slots(connection, pilot) if row["has_clock"]}
    held = findings(connection, pilot, wider, kind="clock")
    found = []
    for slot_id, hours in _hours(connection, list(slots), wider).items():
        own = [one for one in held if one.slot == slots[slot_id]]
        for stretch in stretches(judged(hours, threshold_s)):
            one = _found(slot_id, stretch, own, wider, threshold_s)
            if one.window.intersection(window).seconds:
                found.append(one)
    return record(connection, kind="clock", scopes=[(slot_id, None) for slot_id in slots], window=window, found=found)


def _closed(now: datetime, span: timedelta) -> Window:
    """The hours of the time before an instant that are closed and ought to be summarised."""
    end = instant((micros(now) - GRACE_S * 1_000_000) // HOUR_US * HOUR_US)
    return Window(start=end - span, end=end)


def _slots(connection: Connection, pilot: str) -> list[dict[str, Any]]:
    return connection.execute(_SQL["slots"], {"pilot": pilot}).fetchall()


def _hours(connection: Connection, slots: Sequence[int], window: Window) -> dict[int, list[Hour]]:
    """What is known of each slot's hours, in the order of time. Hours of which nothing is known are left out."""
    asked = {
        "slots": list(slots), "start": window.start, "end": window.end,
        "most": _MOST_REFUSED, "reset_s": float(_RESET_S),
    }  # fmt: skip
    found: dict[int, dict[int, Hour]] = {slot: {} for slot in slots}
    for row in connection.execute(_SQL["hours"], asked):
        slot, hour_us = row.pop("slot_id"), micros(row.pop("hour"))
        found[slot][hour_us] = Hour(hour_us=hour_us, **row)
    for row in connection.execute(_SQL["refused"], asked):
        slot, hour_us = row.pop("slot_id"), micros(row.pop("hour"))
        found[slot][hour_us] = replace(found[slot].get(hour_us, Hour(hour_us=hour_us)), **row)
    return {slot: [hours[hour_us] for hour_us in sorted(hours)] for slot, hours in found.items()}


def _clock(row: Mapping[str, Any], hours: Sequence[Hour], now: datetime) -> tuple[SlotClock, list[Judged]]:
    every = judged(hours, settings().clock_threshold_s)
    since_us = micros(now - LATELY) - HOUR_US
    lately = [hour for hour in every if hour.hour_us > since_us]
    segment = since_step(every)
    offset = [hour.offset_s for hour in segment if hour.hour_us > since_us and hour.offset_s is not None]
    note = _note(every, lately) if row["has_clock"] else "no_clock"
    least = [hour.least_s for hour in hours if hour.hour_us > since_us and hour.least_s is not None]
    clock = SlotClock(
        slot=row["slot"],
        has_clock=row["has_clock"],
        offset_s=median(offset) if offset else None,
        drift_s_per_day=drift(segment),
        hours=len(segment),
        slow_at_most_s=min(least, default=None),
        beyond=note in ("fast", "slow", "refused"),
        note=note,
    )
    return clock, every


def _note(every: Sequence[Judged], lately: Sequence[Judged]) -> Note:
    if not lately:
        return "silent" if every else "none"
    last = next((hour for hour in reversed(lately) if hour.state in KNOWN), None)
    if last is None:
        return "gathered" if any(hour.state == "gathered" for hour in lately) else "late"
    if last.refused:
        return "refused"
    match last.state:
        case "fast" | "slow" | "fine":
            return last.state
    raise AssertionError(last.state)


def _found(slot_id: int, stretch: Stretch, held: Sequence[Finding], read: Window, threshold_s: float) -> Found:
    start = instant(stretch.start_us)
    end = instant(stretch.end_us)
    if start - read.start <= timedelta(hours=BRIDGE_H):
        # At the edge of what was read: the record knows where it began.
        start = max((one.window.start for one in held if _leads_to(one, start, stretch)), default=start)
    counted = [hour for hour in stretch.hours if hour.hour_us >= stretch.end_us - _SPAN_US]
    offset = [hour.offset_s for hour in counted if hour.offset_s is not None]
    rate = drift(counted)
    return Found(
        slot_id=slot_id,
        window=Window(start=start, end=end),
        value=round(median(offset), 3),
        unit="s",
        detail={
            "rule": "refused" if stretch.refused else "least_delay",
            "threshold_s": threshold_s,
            "hours": len(offset),
            "first_s": round(offset[0], 3),
            "last_s": round(offset[-1], 3),
            "drift_s_per_day": None if rate is None else round(rate, 3),
        },
    )


def _leads_to(finding: Finding, start: datetime, stretch: Stretch) -> bool:
    """Whether what the record holds goes on in a stretch."""
    near = finding.window.start <= start <= finding.window.end + timedelta(hours=BRIDGE_H)
    return near and finding.value is not None and (finding.value < 0) == stretch.fast
