"""A plan file becomes the registry's next version: all of it in one transaction, or nothing.

The broker is told inside the transaction, before its commit. If the broker is away, nothing changes anywhere; if the commit
fails, the broker has rights that the registry does not know, and :func:`devices.broker.synchronise` takes them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.audit import record
from core.database import Connection
from core.sql import load
from devices.access import AtBroker
from devices.plan.credential_file import Credential
from devices.plan.diff import Change, diff, refusals
from devices.plan.foreign import foreign_overlaps
from devices.plan.model import Plan
from devices.plan.reader import PlanFile, stored_plan
from devices.registry import profiles
from devices.registry.connections import apply_connections
from devices.registry.slots import apply_slots
from devices.registry.work import Work, lock_registry, recording_instant

_SQL = load("devices.registry", "registry.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an apply did."""

    pilot: str
    version: int
    sha256: str
    changed: bool
    """False: this very file, with these templates, was the version in force already, and nothing was done."""
    credentials: tuple[Credential, ...]
    """Of connections that are new: shown to nobody else, ever again."""
    diff: tuple[Change, ...]
    """Against the version before; empty for the first."""


def apply_plan(
    connection: Connection,
    file: PlanFile,
    *,
    who: str,
    now: datetime | None = None,
    broker: AtBroker | None = None,
) -> Applied:
    """Register a plan as the next version of its pilot.

    :param who: for the audit log.
    :param now: the instant from which it counts; the clock if left out.
    :param broker: what to tell of new, changed and withdrawn connections; None: it is told later, from the registry.
    :raises PlanProblems: it may not follow the version in force, or its filters overlap another pilot's.
    :raises BrokerAway: the broker cannot be told; nothing was changed.
    """
    plan = file.plan
    with connection.transaction():
        lock_registry(connection)
        now = recording_instant(connection) if now is None else now
        current = connection.execute(
            _SQL["plan_version"], {"name": plan.pilot, "version": None, "as_of": None}
        ).fetchone()
        earlier = () if current is None else profiles.used(current["profiles"])
        if current is not None and current["sha256"] == file.sha256 and earlier == file.profiles:
            return Applied(
                pilot=plan.pilot, version=current["version"], sha256=file.sha256, changed=False, credentials=(), diff=()
            )
        before = None if current is None else stored_plan(bytes(current["source"]), earlier)
        _require_allowed(connection, file, before, now)
        version = 1 if current is None else current["version"] + 1
        changes = () if before is None else tuple(diff(before, plan))
        pilot_id = _pilot(connection, plan)
        _version(connection, pilot_id, version, file, who, now)
        work = Work(
            connection=connection,
            pilot_id=pilot_id,
            plan=plan,
            before=before,
            who=who,
            now=now,
            broker=broker,
            line_of=file.line_of,
        )
        record(
            connection,
            who=who,
            what="plan.apply",
            pilot=plan.pilot,
            object=f"plan version {version}",
            before=None if current is None else {"version": current["version"], "sha256": current["sha256"]},
            after={
                "version": version,
                "sha256": file.sha256,
                **({"profiles": {one.name: one.sha256 for one in file.profiles}} if file.profiles else {}),
                "changes": [_plain(change) for change in changes],
            },
        )
        connections, credentials = apply_connections(work)
        apply_slots(work, connections)
        work.tell_broker()
    return Applied(
        pilot=plan.pilot, version=version, sha256=file.sha256, changed=True, credentials=credentials, diff=changes
    )


def _require_allowed(connection: Connection, file: PlanFile, before: Plan | None, now: datetime) -> None:
    found = [] if before is None else refusals(before, file.plan, now)
    others = connection.execute(_SQL["foreign_topics"], {"pilot": file.plan.pilot}).fetchall()
    found += foreign_overlaps(file.plan, [(row["pilot"], row["connection"], row["topic"]) for row in others])
    if found:
        raise file.problems(found)


def _pilot(connection: Connection, plan: Plan) -> int:
    row = connection.execute(_SQL["pilots"], {"name": plan.pilot}).fetchone()
    described: dict[str, Any] = {
        "name": plan.pilot,
        "title": plan.title,
        "kind": plan.kind,
        "company": plan.company.id,
        "company_name": plan.company.name,
        "site": plan.site.id,
        "site_name": plan.site.name,
        "zone": plan.period.timezone,
        "start_at": plan.window.start,
        "end_at": plan.window.end,
        "simulated": plan.simulated,
    }
    if row is not None:
        connection.execute(_SQL["change_pilot"], {"pilot_id": row["pilot_id"], **described})
        return int(row["pilot_id"])
    added = connection.execute(_SQL["add_pilot"], described).fetchone()
    assert added is not None
    return int(added["pilot_id"])


def _version(connection: Connection, pilot_id: int, version: int, file: PlanFile, who: str, now: datetime) -> None:
    amendment = file.plan.amendment
    connection.execute(
        _SQL["add_version"],
        {
            "pilot_id": pilot_id,
            "version": version,
            "sha256": file.sha256,
            "source": file.source,
            "profiles": Jsonb(profiles.kept(file.profiles)),
            "amendment": None if amendment is None else Jsonb(amendment.model_dump(mode="json")),
            "now": now,
            "who": who,
        },
    )


def _plain(change: Change) -> dict[str, Any]:
    return {"path": change.path, "before": change.before, "after": change.after, "effect": change.effect}
