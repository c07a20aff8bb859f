"""One change of the registry in progress: what it needs at hand, and what the broker is told at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.audit import record
from core.database import Connection
from core.locks import REGISTRY
from core.sql import load
from devices.access import Access, AtBroker, heard
from devices.plan.model import Plan
from devices.plan.problem import Way

_SQL = load("devices.registry", "registry.sql")


def lock_registry(connection: Connection) -> None:
    """Wait until nobody else changes the registry; held until the transaction ends."""
    connection.execute(_SQL["lock_registry"], {"key": REGISTRY})


def recording_instant(connection: Connection) -> datetime:
    """When what is recorded under the registry's lock is recorded: by the database's clock, and after any closed past."""
    row = connection.execute(_SQL["recording_instant"]).fetchone()
    assert row is not None
    at: datetime = row["at"]
    return at


def await_registry(connection: Connection) -> None:
    """Wait until no change of the registry is under way: what one that began before records is visible afterwards."""
    with connection.transaction():
        lock_registry(connection)


def username(pilot: str, connection: str) -> str:
    """A connection's user at the broker. Names hold no dot, so no two connections share one."""
    return f"{pilot}.{connection}"


def _first_line(way: Way) -> int:  # noqa: ARG001 - where there is no file
    return 1


@dataclass(slots=True, kw_only=True)
class Work:
    """One apply in progress."""

    connection: Connection
    pilot_id: int
    plan: Plan
    before: Plan | None
    who: str
    now: datetime
    broker: AtBroker | None
    line_of: Callable[[Way], int] = _first_line
    """The line of a path in the plan's file."""
    _grants: list[tuple[Access, str | None]] = field(default_factory=list)
    _withdrawals: list[str] = field(default_factory=list)

    def audit(self, what: str, what_object: str, *, before: Any = None, after: Any = None) -> None:
        """One line of the audit log."""
        record(
            self.connection,
            who=self.who,
            what=what,
            pilot=self.plan.pilot,
            object=what_object,
            before=before,
            after=after,
        )

    def grant(self, name: str, topics: Iterable[str], password: str | None) -> None:
        """Tell the broker at the end what a connection may do."""
        speaks = tuple(topics)
        hears = heard(self.plan.pilot, self.plan.slots_of(name), speaks)
        access = Access(username=username(self.plan.pilot, name), publish=speaks, subscribe=hears)
        self._grants.append((access, password))

    def withdraw(self, name: str) -> None:
        """Tell the broker at the end that a connection may speak no more."""
        self._withdrawals.append(username(self.plan.pilot, name))

    def tell_broker(self) -> None:
        """Last of all, when nothing of ours can fail any more."""
        if self.broker is None:
            return
        for access, password in self._grants:
            self.broker.grant(access, password)
        for name in self._withdrawals:
            self.broker.withdraw(name)
