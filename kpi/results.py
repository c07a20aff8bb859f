"""Results are immutable. One that differs from the one before is a new version, with what changed and why.

Nothing is overwritten: the database refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.audit import record
from core.canonical import plain
from core.database import Connection
from core.errors import NotFound
from core.sql import load
from kpi.evaluate import Result

_SQL = load("kpi", "results.sql")

_COMPARED = ("value", "n", "completeness", "interval", "status", "verdict", "target", "unit", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One version of a result."""

    result_id: int
    pilot: str
    kind: str
    label: str
    version: int
    plan_version: int
    as_of: datetime
    evaluated_at: datetime
    code_version: str
    sha256: str
    document: Mapping[str, Any]
    difference: Mapping[str, Any] | None
    """Against the version before; None for the first."""


def store(connection: Connection, result: Result, who: str) -> int:
    """Keep a result: as a new version if its content is new, else the version that is there.

    :param who: for the audit log.
    :returns: the version's number.
    :raises NotFound: no such pilot.
    """
    with connection.transaction():
        row = connection.execute(_SQL["lock_pilot"], {"pilot": result.pilot}).fetchone()
        if row is None:
            raise NotFound(f"There is no pilot {result.pilot!r} to keep a result of.")
        before = newest(connection, result.pilot, result.kind, result.label)
        if before is not None and before.sha256 == result.sha256:
            return before.version
        version = 1 if before is None else before.version + 1
        changed = None if before is None else difference(connection, row["pilot_id"], before, result)
        connection.execute(
            _SQL["add"],
            {
                "pilot_id": row["pilot_id"],
                "kind": result.kind,
                "label": result.label,
                "version": version,
                "plan_version": result.plan_version,
                "as_of": result.as_of,
                "code_version": result.code_version,
                "sha256": result.sha256,
                "document": Jsonb(plain(result.document)),
                "difference": None if changed is None else Jsonb(plain(changed)),
            },
        )
        record(
            connection,
            who=who,
            what="result.store",
            pilot=result.pilot,
            object=f"result {result.kind} {result.label} version {version}",
            before=None if before is None else {"version": before.version, "sha256": before.sha256},
            after={"version": version, "sha256": result.sha256, "answers": _answers(result.document)},
        )
    return version


def newest(connection: Connection, pilot: str, kind: str, label: str) -> Stored | None:
    """The newest version of a result; None if there is none."""
    row = connection.execute(_SQL["newest"], {"pilot": pilot, "kind": kind, "label": label}).fetchone()
    return None if row is None else Stored(pilot=pilot, kind=kind, label=label, **row)


def versions(connection: Connection, pilot: str, kind: str | None = None, label: str | None = None) -> list[Stored]:
    """All versions of a pilot's results, of one kind and label or of all: by kind, label, version."""
    rows = connection.execute(_SQL["versions"], {"pilot": pilot, "kind": kind, "label": label})
    return [Stored(pilot=pilot, **row) for row in rows]


def difference(connection: Connection, pilot_id: int, before: Stored, now: Result) -> dict[str, Any]:
    """What changed, KPI by KPI, and its causes as far as they are known."""
    return {
        "from_version": before.version,
        "causes": _causes(connection, pilot_id, before, now),
        "kpis": _changed_kpis(before.document, now.document),
    }


def _changed_kpis(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    old = {entry["id"]: entry for entry in before["kpis"]}
    new = {entry["id"]: entry for entry in now["kpis"]}
    changed: list[dict[str, Any]] = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name not in old or name not in new:
            changed.append({"id": name, "change": "added" if name in new else "removed"})
            continue
        fields = {
            key: {"before": old[name].get(key), "after": new[name].get(key)}
            for key in _COMPARED
            if old[name].get(key) != new[name].get(key)
        }
        if fields:
            changed.append({"id": name, "change": "changed", "fields": fields})
    return changed


def _causes(connection: Connection, pilot_id: int, before: Stored, now: Result) -> list[dict[str, Any]]:
    causes: list[dict[str, Any]] = []
    document = now.document
    if before.plan_version != now.plan_version:
        causes.append({"cause": "plan", "before": before.plan_version, "after": now.plan_version})
    if before.code_version != now.code_version:
        causes.append({"cause": "code", "before": before.code_version, "after": now.code_version})
    if before.document["window"] != document["window"]:
        causes.append({"cause": "window", "before": before.document["window"], "after": document["window"]})
    if before.document["provisional"] and not document["provisional"]:
        causes.append({"cause": "final"})
    window = {
        "pilot_id": pilot_id,
        "start": datetime.fromisoformat(before.document["window"]["start"]),
        "end": datetime.fromisoformat(before.document["window"]["end"]),
        "after": min(before.as_of, now.as_of),
        "until": max(before.as_of, now.as_of),
    }
    readings = connection.execute(_SQL["received_since"], window).fetchone()
    others = connection.execute(_SQL["events_since"], window).fetchone()
    assert readings is not None and others is not None
    late = {"readings": readings["n"], **others}
    if any(late.values()):
        causes.append({"cause": "late_data", **late})
    return causes


def _answers(document: Mapping[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry.get("verdict") or entry["status"] for entry in document["kpis"]}
