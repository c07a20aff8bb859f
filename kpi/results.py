"""Results are immutable. One that differs from the one before is a new version, with what changed and why.

Nothing is overwritten: the database refuses it. Numbers that agree to nine digits are the same: whether an hour was read from
its summary or from its readings may show in the last ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.audit import record
from core.canonical import plain
from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import Window
from kpi.causes import Sides, causes
from kpi.evaluate import Result
from kpi.left_out import findings_changed

_SQL = load("kpi", "results.sql")

_COMPARED = (
    "value", "n", "completeness", "interval", "status", "verdict", "target", "unit", "month", "without", "excluded_s",
    "segments", "targets", "left_out",
)  # fmt: skip
_SAME_TO = 1e-9
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The newest version of a result, without its document."""

    version: int
    as_of: datetime
    provisional: bool


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
        if before is not None and (before.sha256 == result.sha256 or _alike(before.document, result.document)):
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


def standing(connection: Connection, pilot: str) -> dict[tuple[str, str], Standing]:
    """The newest version of every result of a pilot, by kind and label: what a job asks every minute."""
    rows = connection.execute(_SQL["standing"], {"pilot": pilot})
    return {
        (row["kind"], row["label"]): Standing(
            version=row["version"], as_of=row["as_of"], provisional=row["provisional"]
        )
        for row in rows
    }


def outdated(connection: Connection, result: Stored) -> bool:
    """Whether anything that a result rests on was received, recorded, agreed or withdrawn since its ``as_of``.

    The same content may still come out: an outage agreed where nothing was missing changes no number.
    """
    window = result.document["window"]
    asked = {"pilot": result.pilot, "start": window["start"], "end": window["end"], "as_of": result.as_of}
    row = connection.execute(_SQL["outdated"], asked).fetchone()
    if row is not None and row["outdated"]:
        return True
    span = Window(start=datetime.fromisoformat(window["start"]), end=datetime.fromisoformat(window["end"]))
    return bool(findings_changed(connection, [result.document], span, result.as_of, _FOR_EVER))


def versions(connection: Connection, pilot: str, kind: str | None = None, label: str | None = None) -> list[Stored]:
    """All versions of a pilot's results, of one kind and label or of all: by kind, label, version."""
    rows = connection.execute(_SQL["versions"], {"pilot": pilot, "kind": kind, "label": label})
    return [Stored(pilot=pilot, **row) for row in rows]


def difference(connection: Connection, pilot_id: int, before: Stored, now: Result) -> dict[str, Any]:
    """What changed, KPI by KPI, and its causes as far as they are known."""
    return {
        "from_version": before.version,
        "causes": causes(connection, pilot_id, Sides.of(before, now)),
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


def _alike(before: Any, now: Any) -> bool:
    """Whether two documents say the same, ``as_of`` apart."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return before.keys() == now.keys() and all(_alike(before[key], now[key]) for key in before if key != "as_of")
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(_alike(one, other) for one, other in zip(before, now, strict=True))
    if isinstance(before, float) or isinstance(now, float):
        return _number(before) and _number(now) and math.isclose(before, now, rel_tol=_SAME_TO, abs_tol=_SAME_TO)
    return bool(before == now)


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _answers(document: Mapping[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry.get("verdict") or entry["status"] for entry in document["kpis"]}
