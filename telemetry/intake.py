"""Accounting: what was delivered, what became of it, what was refused and why, and what came last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import Window, day_window
from telemetry import timing
from telemetry.account import (
    BEYOND_QUOTA,
    Account,
    ConnectionDay,
    Gap,
    Numbers,
    SlotDay,
    Timing,
    delay_of,
)
from telemetry.channels import ChannelInfo, channels
from telemetry.windows import completeness, snapshot

_SQL = load("telemetry", "intake.sql")
_ACCOUNT = load("telemetry", "account.sql")

MOST_RANGES: Final = 100
"""Of a sender's missing numbers so many ranges are told."""
_AHEAD: Final = timedelta(hours=1)
"""No reading is taken whose time lies so far after its receipt."""

_ABOUT: Final = timedelta(days=1)

Row = dict[str, Any]


def account(
    connection: Connection, pilot: str, day: date, *, now: datetime | None = None, timed: bool = True
) -> Account:
    """The whole account of a pilot and calendar day of receipt, in one view of the store.

    :param timed: look at the readings themselves too: their delay, the longest gap, and whether as many are there as counted.
    :raises NotFound: there is no such pilot.
    """
    with snapshot(connection):
        row = _pilot(connection, pilot)
        at = now or datetime.now(UTC)
        window = day_window(day, ZoneInfo(row["zone"]))
        # Readings are due in the part of the day that lies in the pilot and is over.
        due = window.intersection(Window(start=row["start_at"], end=row["end_at"]))
        due = due.intersection(Window(start=min(at, due.start), end=at))
        asked = {
            "pilot": pilot, "pilot_id": row["pilot_id"], "day": day, "start": window.start, "end": window.end,
            "most_ranges": MOST_RANGES,
        }  # fmt: skip
        denied = _by_reason(connection, "denied", asked, "connection")
        held = _by_reason(connection, "quarantined_reasons", asked, "connection")
        slots, delays = _slots(connection, asked, window, due, row["start_at"], timed=timed)
        return Account(
            pilot=pilot,
            zone=row["zone"],
            day=day,
            window=window,
            at=at,
            simulated=row["simulated"],
            connections=_connections(connection, asked, held, denied),
            slots=slots,
            nobody=held.get("", {}),
            denied_unattributed=denied.get("", {}),
            delay=delay_of(delays),
            past_retention_since=row["past_retention_since"],
        )


def today(connection: Connection, pilot: str, now: datetime) -> date:
    """The calendar day in a pilot's zone.

    :raises NotFound: there is no such pilot.
    """
    return now.astimezone(ZoneInfo(_pilot(connection, pilot)["zone"])).date()


def _pilot(connection: Connection, pilot: str) -> Row:
    row = connection.execute(_ACCOUNT["pilot"], {"pilot": pilot}).fetchone()
    if row is None:
        names = [row["name"] for row in connection.execute(_ACCOUNT["pilots"])]
        known = f"there are: {', '.join(names)}" if names else "there is none yet, `pilotbed plan apply` registers one"
        raise NotFound(f"There is no pilot {pilot!r}; {known}.")
    return row


def _by_reason(connection: Connection, block: str, asked: Row, key: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(_ACCOUNT[block], asked):
        found.setdefault(row[key], {})[row["reason"]] = row["n"]
    return found


def _connections(
    connection: Connection, asked: Row, held: Mapping[str, Mapping[str, int]], denied: Mapping[str, Mapping[str, int]]
) -> tuple[ConnectionDay, ...]:
    numbers: dict[str, list[Numbers]] = {}
    for row in connection.execute(_ACCOUNT["numbers"], asked):
        numbers.setdefault(row.pop("connection"), []).append(_numbers(row))
    return tuple(
        ConnectionDay(
            connection=row["connection"],
            withdrawn=row["withdrawn_at"] is not None,
            delivered=row["delivered"],
            committed=row["committed"],
            quarantined=row["quarantined"],
            redelivered=row["redelivered"],
            payload_bytes=row["payload_bytes"],
            last_received=row["last_received"],
            quarantined_by_reason=_held(row, held.get(row["connection"], {})),
            numbers=tuple(numbers.get(row["connection"], ())),
            denied=denied.get(row["connection"], {}),
        )
        for row in connection.execute(_ACCOUNT["connections"], asked).fetchall()
    )


def _held(row: Row, kept: Mapping[str, int]) -> dict[str, int]:
    """Why the messages that were set aside were, with those that are counted and not kept."""
    return {**kept, **({BEYOND_QUOTA: row["beyond"]} if row["beyond"] else {})}


def _numbers(row: Row) -> Numbers:
    return Numbers(
        boot=row["boot"],
        first=row["first"],
        last=row["last"],
        sent=row["sent"],
        distinct=row["distinct_numbers"],
        missing=row["missing"],
        given_up=row["given_up"],
        repeated=row["repeated"],
        missing_ranges=tuple((first, last) for first, last in row["missing_ranges"]),
        last_received=row["last_received"],
    )


def _slots(
    connection: Connection, asked: Row, window: Window, due: Window, start_at: datetime, *, timed: bool
) -> tuple[tuple[SlotDay, ...], list[NDArray[np.int64]]]:
    """The slots, and the delays of their readings in µs."""
    refused = _by_reason(connection, "rejected_reasons", asked, "slot")
    of_slot: dict[str, list[ChannelInfo]] = {}
    for info in channels(connection, asked["pilot"], due.end if due.seconds else window.end):
        of_slot.setdefault(info.slot, []).append(info)
    delays = []
    found = []
    for row in connection.execute(_ACCOUNT["slots"], asked).fetchall():
        own = of_slot.get(row["slot"], [])
        look = None
        if timed:
            look, delay_us = _timing(connection, row, own, window, due, start_at)
            delays.append(delay_us)
        found.append(
            SlotDay(
                slot=row["slot"],
                place=row["place"],
                connection=row["connection"],
                expected=sum(round(due.seconds / one.period_s) for one in own if one.period_s and _periodic(one)),
                decoded=row["decoded"],
                stored=row["stored"],
                duplicate=row["duplicate"],
                conflict=row["conflict"],
                rejected=row["rejected"],
                rejected_by_reason=refused.get(row["slot"], {}),
                last_received=row["last_received"],
                timing=look,
            )
        )
    return tuple(found), delays


def _timing(
    connection: Connection, row: Row, own: list[ChannelInfo], window: Window, due: Window, start_at: datetime
) -> tuple[Timing, NDArray[np.int64]]:
    got = timing.Received(n=0, delay_us=np.empty(0, dtype=np.int64))
    if row["stored"]:
        # The bounds are of what came live since they are recorded; what came before, or was loaded, was observed about then.
        # A day without any: nothing is older than the pilot.
        first = min(row["first_observed"] or start_at, window.start - _ABOUT)
        last = max(row["last_observed"] or window.end, window.end + _AHEAD)
        got = timing.received(connection, row["slot_id"], window, first, last)
    gap: Gap | None = None
    share = None
    if own and due.seconds:
        looks = [timing.looked_at(connection, one, due) for one in own if _periodic(one)]
        gaps = [gap for _, gap in looks] or [timing.gap_of_all(connection, own, due)]
        gap = max(gaps, key=lambda one: one.seconds)
        share = completeness([statistics for statistics, _ in looks])
    return Timing(delay=delay_of([got.delay_us]), gap=gap, completeness=share, found=got.n), got.delay_us


def _periodic(channel: ChannelInfo) -> bool:
    return channel.reporting == "periodic"


def connection_days(connection: Connection, pilot: str, first: date, last: date) -> list[Row]:
    """By connection and day of receipt, first and last day included: ``delivered = committed + quarantined``."""
    return connection.execute(_SQL["connection_days"], {"pilot": pilot, "first": first, "last": last}).fetchall()


def slot_days(connection: Connection, pilot: str, first: date, last: date) -> list[Row]:
    """By slot and day of receipt: ``decoded = stored + duplicate + conflict + rejected``."""
    return connection.execute(_SQL["slot_days"], {"pilot": pilot, "first": first, "last": last}).fetchall()


def quarantined(connection: Connection, pilot: str, *, most: int = 50, open_only: bool = False) -> list[Row]:
    """The newest messages that could not be taken, newest first."""
    return connection.execute(_SQL["quarantined"], {"pilot": pilot, "most": most, "open_only": open_only}).fetchall()


def rejected(connection: Connection, pilot: str, *, most: int = 50) -> list[Row]:
    """The newest readings and events that were refused on their own, newest first."""
    return connection.execute(_SQL["rejected"], {"pilot": pilot, "most": most}).fetchall()


def conflicts(connection: Connection, pilot: str, *, most: int = 50) -> list[Row]:
    """The newest readings that repeat an instant with another value, newest first."""
    return connection.execute(_SQL["conflicts"], {"pilot": pilot, "most": most}).fetchall()


def rejection_counts(connection: Connection, pilot: str, window: Window) -> list[Row]:
    """Refusals received in a window by slot and reason, and quarantined messages by connection and reason."""
    return connection.execute(
        _SQL["rejection_counts"], {"pilot": pilot, "start": window.start, "end": window.end}
    ).fetchall()


def latest_readings(connection: Connection, pilot: str) -> list[Row]:
    """The newest reading of each channel, in the order of registration; channels without one have ``observed_at`` None."""
    return connection.execute(_SQL["latest_readings"], {"pilot": pilot}).fetchall()
