"""Who sees what. Denied is the default, and the scope is decided by the database (view ``visible_pilot``), not by a page.

A page of one pilot takes a :class:`VisiblePilot`; the only way to one is :func:`one`, which asks with the person. What a
person may not see does not exist for them: ``NotFound``, the same as for a name that nobody gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from core.window import Window
from dashboards.users import Person

_SQL = load("dashboards", "access.sql")

PUBLIC: Final = frozenset(
    {
        "/login", "/healthz", "/readyz", "/metrics", "/static/{name}", "/favicon.ico",
        "/.well-known/pilotbed-seal-keys.json",
    }
)  # fmt: skip
"""The only routes that answer somebody who is not logged in (``/metrics`` has a rule of its own)."""


class LoginNeeded(PermanentError):
    """Nobody is logged in, and the route is not public."""


class RoleDenied(PermanentError):
    """Somebody is logged in whose role may not do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisiblePilot:
    """A pilot that the person who asked may see, with the plan version in force."""

    pilot_id: int
    name: str
    title: str
    kind: str
    company: str
    company_name: str
    site: str
    site_name: str
    zone: str
    start_at: datetime
    end_at: datetime
    simulated: bool
    plan_version: int
    plan_sha256: str

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def window(self) -> Window:
        return Window(start=self.start_at, end=self.end_at)

    def today(self, now: datetime | None = None) -> date:
        """The calendar day of the pilot's zone."""
        return (now or datetime.now(UTC)).astimezone(self.zone_info).date()

    def days_left(self, now: datetime | None = None) -> int:
        """Days from today to the last day, both in the pilot's zone; negative once it is over."""
        return (self.end_at.astimezone(self.zone_info).date() - self.today(now)).days - 1


def visible(connection: Connection, person: Person) -> list[VisiblePilot]:
    """Every pilot that a person may see."""
    return _ask(connection, person, None)


def one(connection: Connection, person: Person, name: str) -> VisiblePilot:
    """One pilot by name.

    :raises NotFound: it does not exist, or not for this person.
    """
    found = [] if "\0" in name else _ask(connection, person, name)
    if not found:
        raise NotFound(f"There is no pilot {name!r} among those that {person.name} sees.")
    return found[0]


def _ask(connection: Connection, person: Person, name: str | None) -> list[VisiblePilot]:
    rows = connection.execute(_SQL["visible"], {"person": person.person_id, "name": name})
    return [VisiblePilot(**row) for row in rows]
