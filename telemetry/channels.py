"""The channels of a pilot as whoever reads the store needs them: one record for all revisions of a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from telemetry.spoilt import Spoilt

_SQL = load("telemetry", "channels.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelInfo:
    """One quantity at one slot, as of an instant: attributes of the newest revision by then, readings of all by then."""

    pilot: str
    slot: str
    slot_id: int
    name: str
    channel_ids: tuple[int, ...]
    """All revisions, the oldest first."""
    alike_ids: tuple[int, ...]
    """Those of them that join their readings by the same rules as the newest: only their summaries serve."""
    redecoded_ids: tuple[int, ...] = ()
    """Those of them of which some readings stand no more: the messages they came from were decoded again by a later one."""
    revisions: tuple[int, ...] = ()
    """The revision numbers of all of them, in the same order."""
    known_at: datetime | None = None
    """What was decoded again later than this is not known yet; None: everything is."""
    kind: str
    unit: str
    reporting: str
    period_s: float | None
    max_hold_s: float | None
    """How long a reading stands at the most; None: until the link is lost."""
    states: tuple[str, ...]
    options: Mapping[str, Any]
    """The channel's part of the plan."""
    spoilt: Spoilt | None = None
    """Stretches whose readings do not count for whoever asks by this record; None: all do."""

    @property
    def hold_us(self) -> int | None:
        return None if self.max_hold_s is None else round(self.max_hold_s * 1e6)

    @property
    def title(self) -> str:
        """What people read."""
        return str(self.options.get("name") or self.name)


def channels(connection: Connection, pilot: str, as_of: datetime | None = None) -> list[ChannelInfo]:
    """All channels of a pilot, in the order in which they were registered.

    :param as_of: by the revisions in force then; now if left out.
    """
    rows = connection.execute(_SQL["channels_of_pilot"], {"pilot": pilot, "as_of": as_of})
    return [_info(row, as_of) for row in rows]


def channel(connection: Connection, pilot: str, slot: str, name: str) -> ChannelInfo:
    """One channel.

    :raises NotFound: the pilot, slot or channel does not exist; the message lists what there is.
    """
    found = channels(connection, pilot)
    for info in found:
        if info.slot == slot and info.name == name:
            return info
    have = ", ".join(f"{info.slot}/{info.name}" for info in found) or "none"
    raise NotFound(f"Pilot {pilot!r} has no channel {slot}/{name}; it has: {have}.")


def _info(row: Mapping[str, Any], as_of: datetime | None) -> ChannelInfo:
    return ChannelInfo(
        pilot=row["pilot"],
        slot=row["slot"],
        slot_id=row["slot_id"],
        name=row["name"],
        channel_ids=tuple(row["channel_ids"]),
        alike_ids=tuple(row["alike_ids"]),
        redecoded_ids=tuple(row["redecoded_ids"]),
        revisions=tuple(row["revisions"]),
        known_at=as_of,
        kind=row["kind"],
        unit=row["unit"],
        reporting=row["reporting"],
        period_s=row["period_s"],
        max_hold_s=row["max_hold_s"],
        states=tuple(row["options"].get("states") or ()),
        options=row["options"],
    )
