"""What people do to devices between two versions of a plan: a new secret, a withdrawal, a swap."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.database import Connection
from core.errors import NotFound
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
        row = _connection(work, name)
        if name not in work.plan.connection_names:
            raise NotFound(
                f"The plan of pilot {pilot_name} has no connection {name!r} any more: add it to the plan and apply that."
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
        work.tell_broker()
        return credential_of(work.plan, name, row["topics"], secret)


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


def replace_device(
    connection: Connection,
    pilot_name: str,
    slot: str,
    *,
    serial: str,
    firmware: str | None = None,
    model: str | None = None,
    who: str,
    now: datetime | None = None,
) -> None:
    """Another device stands in a slot from now on. Its series goes on, and the swap is visible.

    :param model: the one before, if left out.
    :raises NotFound: no such pilot, or no device stands in such a slot.
    """
    with connection.transaction():
        work = _work(connection, pilot_name, who, now, None)
        rows = connection.execute(_SQL["slots_of_pilot"], {"pilot_id": work.pilot_id}).fetchall()
        active = {row["name"]: row["slot_id"] for row in rows if row["withdrawn_at"] is None}
        if slot not in active:
            raise NotFound(f"Pilot {pilot_name} has no slot {slot!r}; it has: {', '.join(active)}.")
        row = connection.execute(_SQL["installed"], {"slot_id": active[slot]}).fetchone()
        if row is None:
            raise NotFound(f"No device stands in the slot {slot} of pilot {pilot_name}: apply its plan again.")
        wanted = {"serial": serial, "model": model or row["model"], "firmware": firmware}
        swap(work, slot, active[slot], row, wanted, work.now)


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
