"""The slots of a pilot with their devices, as the registry has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Connection
from core.sql import load
from dashboards.access import VisiblePilot
from dashboards.users import Person

_SQL = load("dashboards", "pilots.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A device in a slot from one instant to another."""

    serial: str
    model: str | None
    firmware: str | None
    installed_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """One slot in use."""

    slot_id: int
    name: str
    place: str
    connection: str
    protocol: str
    topics: Sequence[str]
    username: str | None
    """None: it is not this person's to know."""
    owner: str
    """Whose it is: the company's, or one to compare with."""
    last_received: datetime | None
    installations: tuple[Installed, ...]

    @property
    def device(self) -> Installed | None:
        """The one that stands there now."""
        return next((one for one in reversed(self.installations) if one.removed_at is None), None)


def slots_of(connection: Connection, person: Person, pilot: VisiblePilot) -> list[SlotRow]:
    """The slots of a pilot, in the order of registration."""
    rows = connection.execute(_SQL["slots"], {"person": person.person_id, "pilot": pilot.pilot_id})
    return [_slot(row) for row in rows]


def _slot(row: dict[str, Any]) -> SlotRow:
    return SlotRow(
        slot_id=row["slot_id"],
        name=row["name"],
        place=row["place"],
        connection=row["connection"],
        protocol=row["protocol"],
        topics=row["topics"],
        username=row["username"],
        owner=row["owner"],
        last_received=row["last_received"],
        installations=tuple(_installed(one) for one in row["installations"] or ()),
    )


def _installed(one: dict[str, Any]) -> Installed:
    removed = one["removed_at"]
    return Installed(
        serial=one["serial"],
        model=one["model"],
        firmware=one["firmware"],
        installed_at=datetime.fromisoformat(one["installed_at"]),
        removed_at=None if removed is None else datetime.fromisoformat(removed),
    )
