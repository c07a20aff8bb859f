"""What the registry knows: pilots, their plans, their devices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import Window
from devices.plan.model import Plan
from devices.plan.reader import stored_plan
from devices.registry import profiles

_SQL = load("devices.registry", "registry.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """One pilot, and which version of its plan is in force."""

    pilot_id: int
    name: str
    title: str
    kind: str
    company: str
    company_name: str
    site: str
    site_name: str
    zone: ZoneInfo
    window: Window
    simulated: bool
    created_at: datetime
    version: int
    sha256: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device in a slot, now or once."""

    slot: str
    place: str
    connection: str
    protocol: str
    username: str
    serial: str | None
    model: str | None
    firmware: str | None
    installed_at: datetime | None
    removed_at: datetime | None
    issued_at: datetime
    withdrawn_at: datetime | None
    """When the connection was withdrawn."""
    slot_withdrawn_at: datetime | None


def pilots(connection: Connection) -> list[Pilot]:
    """Every pilot, by name."""
    return [_pilot(row) for row in connection.execute(_SQL["pilots"], {"name": None})]


def pilot(connection: Connection, name: str) -> Pilot:
    """One pilot.

    :raises NotFound: there is none of that name; the message has close ones.
    """
    row = connection.execute(_SQL["pilots"], {"name": name}).fetchone()
    if row is None:
        raise _no_pilot(connection, name)
    return _pilot(row)


def plan_of(
    connection: Connection, name: str, version: int | None = None, *, as_of: datetime | None = None
) -> tuple[Plan, int, str]:
    """A pilot's plan with its device templates written out, its version and the SHA-256 of its file.

    :param version: which; the one in force if left out.
    :param as_of: only versions recorded by then.
    :raises NotFound: no such pilot or version.
    """
    row = _version(connection, name, version, as_of)
    return stored_plan(bytes(row["source"]), profiles.used(row["profiles"])), row["version"], row["sha256"]


def plan_source(
    connection: Connection, name: str, version: int | None = None, *, as_of: datetime | None = None
) -> tuple[bytes, int, str]:
    """The bytes of a pilot's plan file as they were applied, their version and SHA-256.

    :raises NotFound: no such pilot or version.
    """
    row = _version(connection, name, version, as_of)
    return bytes(row["source"]), row["version"], row["sha256"]


def _version(connection: Connection, name: str, version: int | None, as_of: datetime | None) -> dict[str, Any]:
    wanted = {"name": name, "version": version, "as_of": as_of}
    row = connection.execute(_SQL["plan_version"], wanted).fetchone()
    if row is None:
        known = [str(item["version"]) for item in plan_versions(connection, name)]
        what = f"version {version}" if version is not None else f"version recorded by {as_of}"
        raise NotFound(f"The plan of pilot {name} has no {what}; there are: {', '.join(known)}.")
    return row


def plan_versions(connection: Connection, name: str) -> list[dict[str, Any]]:
    """All versions of a pilot's plan, oldest first: ``version, sha256, amendment, recorded_at, recorded_by``.

    :raises NotFound: no such pilot.
    """
    rows = connection.execute(_SQL["plan_versions"], {"name": name}).fetchall()
    if not rows:
        raise _no_pilot(connection, name)
    return rows


def devices(connection: Connection, name: str, as_of: datetime | None = None) -> list[DeviceRow]:
    """What stands, or stood, in the slots of a pilot.

    :param as_of: as far as it was recorded by then; all if left out.
    :raises NotFound: no such pilot.
    """
    pilot(connection, name)
    rows = connection.execute(_SQL["devices_of_pilot"], {"pilot": name, "as_of": as_of})
    fields = DeviceRow.__dataclass_fields__
    return [DeviceRow(**{key: row[key] for key in fields}) for row in rows]


def _pilot(row: dict[str, Any]) -> Pilot:
    window = Window(start=row["start_at"], end=row["end_at"])
    given = {key: row[key] for key in Pilot.__dataclass_fields__ if key not in ("window", "zone")}
    return Pilot(window=window, zone=ZoneInfo(row["zone"]), **given)


def _no_pilot(connection: Connection, name: str) -> NotFound:
    names = [row["name"] for row in connection.execute(_SQL["pilot_names"])]
    close = get_close_matches(name, names, n=3)
    if close:
        return NotFound(f"There is no pilot {name!r}; close to it: {', '.join(close)}.")
    there = f"there are: {', '.join(names[:20])}" if names else "there is none yet: `pilotbed plan apply FILE` adds one"
    return NotFound(f"There is no pilot {name!r}; {there}.")
