"""The connections of a plan: new ones get a secret, changed ones their rights, missing ones are withdrawn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb

from core.sql import load
from devices.credentials import new_secret, password_record
from devices.plan.credential_file import Credential
from devices.plan.model import Connection as PlannedConnection
from devices.plan.model import Plan
from devices.registry.work import Work, username

_SQL = load("devices.registry", "registry.sql")


def apply_connections(work: Work) -> tuple[dict[str, int], tuple[Credential, ...]]:
    """Bring the pilot's connections to what its plan says.

    :returns: connection name → id, and the credentials issued.
    """
    rows = work.connection.execute(_SQL["connections_of_pilot"], {"pilot_id": work.pilot_id})
    there = {row["name"]: row for row in rows}
    ids: dict[str, int] = {}
    issued: list[Credential] = []
    for name in work.plan.connection_names:
        wanted = _described(work.plan, name)
        if name not in there:
            ids[name], credential = _add(work, name, wanted)
            issued.append(credential)
            continue
        ids[name] = there[name]["connection_id"]
        credential_again = _change(work, name, there[name], wanted)
        if credential_again is not None:
            issued.append(credential_again)
    for name, row in there.items():
        if name not in ids and row["withdrawn_at"] is None:
            work.connection.execute(
                _SQL["withdraw_connection"], {"connection_id": row["connection_id"], "now": work.now}
            )
            work.audit("connection.withdraw", f"connection {name}", before=_shown(row))
            work.withdraw(name)
    return ids, tuple(issued)


def _described(plan: Plan, name: str) -> dict[str, Any]:
    definition = plan.connections.get(name, PlannedConnection())
    options = definition.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"protocol": definition.protocol, "options": options, "topics": list(plan.topics_of(name))}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("protocol", "options", "topics")}


def credential_of(plan: Plan, name: str, topics: list[str], password: str) -> Credential:
    """What is handed over for a connection."""
    return Credential(
        connection=name,
        username=username(plan.pilot, name),
        password=password,
        topics=tuple(topics),
        slots=(slots := plan.slots_of(name)),
        owner=plan.owner_of(slots[0]) if slots else "company",
    )


def _add(work: Work, name: str, wanted: dict[str, Any]) -> tuple[int, Credential]:
    secret = new_secret()
    row = work.connection.execute(
        _SQL["add_connection"],
        {
            "pilot_id": work.pilot_id,
            "name": name,
            "protocol": wanted["protocol"],
            "options": Jsonb(wanted["options"]),
            "topics": wanted["topics"],
            "username": username(work.plan.pilot, name),
            "password": Jsonb(asdict(password_record(secret))),
            "now": work.now,
        },
    ).fetchone()
    assert row is not None
    work.audit("connection.create", f"connection {name}", after=wanted)
    work.grant(name, wanted["topics"], secret)
    return int(row["connection_id"]), credential_of(work.plan, name, wanted["topics"], secret)


def _change(work: Work, name: str, row: dict[str, Any], wanted: dict[str, Any]) -> Credential | None:
    """Bring a known connection to what the plan says; a credential if it is there again after the plan had dropped it."""
    identity = row["connection_id"]
    if _shown(row) != wanted:
        work.connection.execute(
            _SQL["change_connection"],
            {
                "connection_id": identity,
                "protocol": wanted["protocol"],
                "options": Jsonb(wanted["options"]),
                "topics": wanted["topics"],
            },
        )
        work.audit("connection.change", f"connection {name}", before=_shown(row), after=wanted)
    if row["withdrawn_at"] is None:
        # What it hears may have changed with its slots though where it speaks has not: telling costs nothing.
        if work.before is None or _rights(work.before, name) != _rights(work.plan, name):
            work.grant(name, wanted["topics"], None)
        return None
    if work.before is not None and name in work.before.connection_names:
        return None  # somebody withdrew it by hand: it stays so until somebody gives it a new secret
    secret = new_secret()
    work.connection.execute(
        _SQL["issue_secret"],
        {"connection_id": identity, "password": Jsonb(asdict(password_record(secret))), "now": work.now},
    )
    work.audit("credential.issue", f"connection {name}", before={"withdrawn_at": row["withdrawn_at"]})
    work.grant(name, wanted["topics"], secret)
    return credential_of(work.plan, name, wanted["topics"], secret)


def _rights(plan: Plan, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return plan.topics_of(name), plan.slots_of(name)
