"""What people do to devices between two versions of a plan: a new secret, a withdrawal, a swap."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from devices.access import AtBroker
from devices.credentials import new_secret, password_record
from devices.plan.credential_file import Credential
from devices.registry.connections import credential_of
from devices.registry.queries import pilot, plan_of
from devices.registry.slots import swap
from devices.registry.work import Work, lock_registry

_SQL = load("devices.registry", "registry.sql")


def issue_credential(
    connection: Connection,
    pilot_name: str,
    name: str,
    *,
    who: str,
    broker: AtBroker | None,
    now: datetime | None = None,
) -> Credential:
    """Give a connection a new secret; the old one dies at once, and a withdrawn connection may speak again.

    :raises NotFound: no such pilot, or its plan has no such connection.
    :raises BrokerAway: the broker cannot be told; nothing was changed.
    """
    with connection.transaction():
        work = _work(connection, pilot_name, who, now, broker)
        issued = _issue(work, name)
        work.tell_broker()
        return issued


def withdraw_connection(
    connection: Connection,
    pilot_name: str,
    name: str,
    *,
    who: str,
    broker: AtBroker | None,
    now: datetime | None = None,
) -> bool:
    """Let a connection speak no more, until it is given a new secret.

    :returns: False if it was withdrawn already.
    :raises NotFound: no such pilot or connection.
    :raises BrokerAway: the broker cannot be told; nothing was changed.
    """
    with connection.transaction():
        work = _work(connection, pilot_name, who, now, broker)
        row = _connection(work, name)
        if row["withdrawn_at"] is not None:
            return False
        values = {"connection_id": row["connection_id"], "now": work.now}
        work.connection.execute(_SQL["withdraw_connection"], values)
        work.audit("connection.withdraw", f"connection {name}", before={"topics": row["topics"]})
        work.withdraw(name)
        work.tell_broker()
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a swap did."""

    at: datetime
    """When the new device began to stand there."""
    connection: str
    """What speaks for the slot."""
    slots: tuple[str, ...]
    """All that it speaks for."""
    credential: Credential | None
    """Its new secret; None: the one it had stays."""


def replace_device(
    connection: Connection,
    pilot_name: str,
    slot: str,
    *,
    serial: str,
    firmware: str | None = None,
    model: str | None = None,
    at: datetime | None = None,
    who: str,
    broker: AtBroker | None = None,
    keep_credentials: bool = False,
    now: datetime | None = None,
) -> Replaced:
    """Another device stands in a slot. Its series goes on, and the swap is visible.

    The device that goes takes its secret with it, so that dies: a connection that speaks for this slot alone gets a new one.
    A gateway that speaks for others too stays where it is, and so does its secret; likewise where the serial number is the
    same, as after a change of firmware.

    :param model: the one before, if left out.
    :param at: since when; now if left out.
    :param keep_credentials: leave the secret as it is, whatever it is of.
    :raises NotFound: no such pilot, or no device stands in such a slot.
    :raises PermanentError: the instant is in the future, before the device that goes came, or of no zone.
    :raises BrokerAway: the broker cannot be told; nothing was changed.
    """
    with connection.transaction():
        work = _work(connection, pilot_name, who, now, broker)
        rows = connection.execute(_SQL["slots_of_pilot"], {"pilot_id": work.pilot_id}).fetchall()
        active = {row["name"]: row["slot_id"] for row in rows if row["withdrawn_at"] is None}
        if slot not in active:
            raise NotFound(f"Pilot {pilot_name} has no slot {slot!r}; it has: {', '.join(active)}.")
        row = connection.execute(_SQL["installed"], {"slot_id": active[slot]}).fetchone()
        if row is None:
            raise NotFound(f"No device stands in the slot {slot} of pilot {pilot_name}: apply its plan again.")
        since = work.now if at is None else _since(at, slot, row, work.now)
        wanted = {"serial": serial, "model": model or row["model"], "firmware": firmware}
        since = swap(work, slot, active[slot], row, wanted, since)
        name, _ = work.plan.connection_of(slot)
        slots = work.plan.slots_of(name)
        leaves = slots == (slot,) and serial != row["serial"]
        credential = _issue(work, name) if leaves and not keep_credentials else None
        work.tell_broker()
        return Replaced(at=since, connection=name, slots=slots, credential=credential)


def _since(at: datetime, slot: str, installed: dict[str, Any], now: datetime) -> datetime:
    if at.tzinfo is None:
        raise PermanentError(
            f"The instant {at.isoformat()} names no zone: write its offset, as in {at.isoformat()}+09:00."
        )
    if at > now:
        raise PermanentError(
            f"{at.isoformat()} is in the future (it is {now:%Y-%m-%dT%H:%M:%SZ}): record a swap once it was made."
        )
    if at < installed["installed_at"]:
        raise PermanentError(
            f"{at.isoformat()} is before the device {installed['serial']} came to stand in the slot {slot}, at"
            f" {installed['installed_at']:%Y-%m-%dT%H:%M:%SZ}: give a later instant."
        )
    return at


def _issue(work: Work, name: str) -> Credential:
    """A new secret for a connection; the broker is told at the end."""
    row = _connection(work, name)
    if name not in work.plan.connection_names:
        raise NotFound(
            f"The plan of pilot {work.plan.pilot} has no connection {name!r} any more: add it to the plan and apply that."
        )
    secret = new_secret()
    work.connection.execute(
        _SQL["issue_secret"],
        {
            "connection_id": row["connection_id"],
            "password": Jsonb(asdict(password_record(secret))),
            "now": work.now,
        },
    )
    work.audit("credential.issue", f"connection {name}", before={"withdrawn_at": row["withdrawn_at"]})
    work.grant(name, row["topics"], secret)
    return credential_of(work.plan, name, row["topics"], secret)


def _work(connection: Connection, pilot_name: str, who: str, now: datetime | None, broker: AtBroker | None) -> Work:
    lock_registry(connection)
    found = pilot(connection, pilot_name)
    plan, _, _ = plan_of(connection, pilot_name)
    return Work(
        connection=connection,
        pilot_id=found.pilot_id,
        plan=plan,
        before=plan,
        who=who,
        now=datetime.now(UTC) if now is None else now,
        broker=broker,
    )


def _connection(work: Work, name: str) -> dict[str, Any]:
    rows = work.connection.execute(_SQL["connections_of_pilot"], {"pilot_id": work.pilot_id}).fetchall()
    for row in rows:
        if row["name"] == name:
            return row
    there = ", ".join(row["name"] for row in rows)
    raise NotFound(f"Pilot {work.plan.pilot} has no connection {name!r}; it has: {there}.")
