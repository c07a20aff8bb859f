"""What an export is asked for, and what that comes to in the store as of an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from core.version import VERSION
from core.window import Window, midnight, month_window, months
from devices.registry.queries import Pilot, pilot, plan_source

SQL: Final = load("telemetry.export", "export.sql")
LAYOUT: Final = 1
"""Raised when files or columns change their meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One export as a person asks for it."""

    pilot: str
    format: Literal["csv", "parquet"]
    shape: Literal["long", "wide"] = "long"
    zone: str = "utc"
    """``utc``, ``pilot``, or the name of an IANA zone: how instants are written."""
    start: date | None = None
    """The first calendar day of the pilot's zone; all there is before, if left out."""
    end: date | None = None
    """The day after the last one."""
    only: tuple[str, ...] = ()
    """``slot/channel``; all channels if empty."""
    as_of: datetime | None = None
    """What was received and recorded up to then; up to the export's start if left out."""
    bom: bool = True
    """CSV: whether files begin with a byte order mark, by which Excel knows UTF-8."""

    def plain(self) -> dict[str, Any]:
        """What must be the same for a begun export to go on."""
        return {
            "pilot": self.pilot,
            "format": self.format,
            "shape": self.shape,
            "zone": self.zone,
            "from": None if self.start is None else self.start.isoformat(),
            "to": None if self.end is None else self.end.isoformat(),
            "only": sorted(set(self.only)),
            "as_of": None if self.as_of is None else self.as_of.astimezone(UTC).isoformat(),
            "bom": self.format == "csv" and self.bom,
            "layout": LAYOUT,
            "code_version": f"pilotbed {VERSION}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a channel."""

    channel_id: int
    number: int
    states: tuple[str, ...]
    replaced: tuple[Window, ...] = ()
    """Its readings received in these do not stand: their messages were decoded again by a later revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One channel with all its revisions, the oldest first; what can differ between them is the newest's."""

    slot: str
    channel: str
    title: str
    kind: str
    unit: str
    revisions: tuple[Revision, ...]

    @property
    def name(self) -> str:
        return f"{self.slot}/{self.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is exported."""

    ask: Ask
    pilot: Pilot
    plan_version: int
    plan_sha256: str
    as_of: datetime
    zone: str
    """The IANA zone in which instants are written."""
    window: Window | None
    """None: everything."""
    series: tuple[Series, ...]
    """Sorted by slot and channel."""
    months: tuple[tuple[str, Window], ...]
    """Those that may hold readings, each with its part of the window."""

    @property
    def channel_ids(self) -> list[int]:
        return [revision.channel_id for series in self.series for revision in series.revisions]

    @property
    def first_month(self) -> str:
        """Where an export without any reading puts its file."""
        start = self.pilot.window.start if self.window is None else self.window.start
        return f"{start.astimezone(self.pilot.zone):%Y-%m}"


def scope(connection: Connection, ask: Ask, as_of: datetime) -> Scope:
    """What an ask comes to. To be called inside the snapshot that is exported.

    :raises NotFound: no such pilot or channel, or no plan of it by then.
    :raises PermanentError: a zone that there is not, a window that is none.
    """
    found = pilot(connection, ask.pilot)
    zone = _zone(ask.zone, found)
    window = _window(ask, found)
    _, version, sha256 = plan_source(connection, ask.pilot, as_of=as_of)
    series = _series(connection, ask, as_of)
    ids = [revision.channel_id for one in series for revision in one.revisions]
    return Scope(
        ask=ask,
        pilot=found,
        plan_version=version,
        plan_sha256=sha256,
        as_of=as_of,
        zone=zone,
        window=window,
        series=series,
        months=_months(connection, ids, window, found.zone),
    )


def _zone(asked: str, found: Pilot) -> str:
    if asked == "utc":
        return "UTC"
    if asked == "pilot":
        return found.zone.key
    try:
        return ZoneInfo(asked).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PermanentError(
            f"--zone {asked!r} is no time zone: give utc, pilot (here {found.zone.key}), or an IANA name as Asia/Seoul."
        ) from None


def _window(ask: Ask, found: Pilot) -> Window | None:
    if ask.start is None and ask.end is None:
        return None
    if ask.start is not None and ask.end is not None and ask.start >= ask.end:
        raise PermanentError(
            f"--from {ask.start} is not before --to {ask.end}: --to is the day after the last one, so a single day is"
            " --from 2026-05-01 --to 2026-05-02."
        )
    start = datetime(1, 1, 2, tzinfo=UTC) if ask.start is None else midnight(ask.start, found.zone)
    end = datetime(9999, 12, 30, tzinfo=UTC) if ask.end is None else midnight(ask.end, found.zone)
    return Window(start=start, end=end)


def _series(connection: Connection, ask: Ask, as_of: datetime) -> tuple[Series, ...]:
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in connection.execute(SQL["channels"], {"pilot": ask.pilot, "as_of": as_of}):
        rows.setdefault((row["slot"], row["channel"]), []).append(row)
    replaced = _replaced(connection, [row["channel_id"] for found in rows.values() for row in found], as_of)
    found = [_one(slot, channel, revisions, replaced) for (slot, channel), revisions in rows.items()]
    have = {series.name for series in found}
    unknown = [name for name in ask.only if name not in have]
    if unknown:
        listed = ", ".join(sorted(have)) or "none"
        raise NotFound(
            f"--only {unknown[0]!r}: pilot {ask.pilot} has no such channel; slot/channel of it are: {listed}."
        )
    return tuple(series for series in found if not ask.only or series.name in ask.only)


def _replaced(connection: Connection, ids: list[int], as_of: datetime) -> dict[int, list[Window]]:
    found: dict[int, list[Window]] = {}
    for row in connection.execute(SQL["replaced"], {"channels": ids, "as_of": as_of}):
        found.setdefault(row["channel_id"], []).append(Window(start=row["received_from"], end=row["received_until"]))
    return found


def _one(
    slot: str, channel: str, rows: Sequence[Mapping[str, Any]], replaced: Mapping[int, Sequence[Window]]
) -> Series:
    newest = rows[-1]
    return Series(
        slot=slot,
        channel=channel,
        title=str(newest["options"].get("name") or channel),
        kind=newest["kind"],
        unit=newest["unit"],
        revisions=tuple(
            Revision(
                channel_id=row["channel_id"],
                number=row["revision"],
                states=tuple(row["options"].get("states") or ()),
                replaced=tuple(replaced.get(row["channel_id"], ())),
            )
            for row in rows
        ),
    )


def _months(
    connection: Connection, ids: list[int], window: Window | None, zone: ZoneInfo
) -> tuple[tuple[str, Window], ...]:
    """The calendar months of the pilot's zone from its first reading to its last."""
    row = connection.execute(SQL["extent"], {"channels": ids}).fetchone()
    assert row is not None
    if row["first_at"] is None:
        return ()
    first, last = row["first_at"].astimezone(zone).date(), row["last_at"].astimezone(zone).date()
    found: list[tuple[str, Window]] = []
    for month in (*months(first, last), f"{last:%Y-%m}"):
        whole = month_window(month, zone)
        part = whole if window is None else whole.intersection(window)
        if part.start < part.end and (not found or found[-1][0] != month):
            found.append((month, part))
    return tuple(found)
