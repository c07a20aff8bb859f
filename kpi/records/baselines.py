"""도입 전 기준값: files from before the pilot, kept as they came. The plan names each by its SHA-256; nothing replaces one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from core.audit import record
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from devices.plan.baseline import Baseline
from devices.plan.change_measures import Change
from devices.plan.model import Plan
from devices.registry.queries import plan_of
from kpi.records.baseline_file import MOST_BYTES, Table, read_table
from telemetry import horizon

_SQL = load("kpi.records", "baselines.sql")
_KEPT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One file, with who handed it in when."""

    baseline_id: int
    pilot: str
    kpi: str
    file_name: str
    bytes: int
    sha256: str
    recorded_at: datetime
    recorded_by: str


def add_baseline(connection: Connection, pilot: str, kpi: str, name: str, content: bytes, *, who: str) -> Recorded:
    """Keep a file, and find it readable first.

    :param kpi: whose baseline it is.
    :param name: of the file, without folders.
    :raises NotFound: there is no such pilot or KPI.
    :raises PermanentError: the KPI has no baseline of that hash, or the file cannot be read by what the plan says of it.
    """
    plan, version, _ = plan_of(connection, pilot)
    digest = hashlib.sha256(content).hexdigest()
    for baseline in _wanted(plan, version, kpi, digest, name):
        read_table(content, baseline)
    with connection.transaction():
        row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        at = horizon.receive(connection)
        there = [one for one in baselines(connection, pilot) if (one.kpi, one.sha256) == (kpi, digest)]
        if there:
            raise PermanentError(
                f"Baseline {there[0].baseline_id} of {pilot} is this very file for {kpi} already, recorded at"
                f" {there[0].recorded_at.isoformat()} by {there[0].recorded_by}."
            )
        given = {
            "pilot_id": row["pilot_id"], "kpi": kpi, "file_name": name, "bytes": len(content), "sha256": digest,
            "content": content, "at": at, "who": who,
        }  # fmt: skip
        added = connection.execute(_SQL["add"], given).fetchone()
        assert added is not None
        found = Recorded(
            baseline_id=added["baseline_id"],
            pilot=pilot,
            kpi=kpi,
            file_name=name,
            bytes=len(content),
            sha256=digest,
            recorded_at=at,
            recorded_by=who,
        )
        record(
            connection,
            who=who,
            what="baseline.import",
            pilot=pilot,
            object=f"baseline {found.baseline_id}",
            after=found,
        )
    return found


def _wanted(plan: Plan, version: int, kpi: str, digest: str, name: str) -> list[Baseline]:
    """The baselines of a KPI that are this file, by the plan in force."""
    files = dict(baseline_files(plan))
    if kpi not in plan.kpis:
        raise NotFound(f"Pilot {plan.pilot} has no KPI {kpi!r}; it has: {', '.join(plan.kpis)}.")
    if kpi not in files:
        those = ", ".join(files) or "none has"
        raise PermanentError(
            f"{kpi} of {plan.pilot} has no baseline file in plan version {version}; these have: {those}."
        )
    asked = [one for one in files[kpi] if one.sha256 == digest]
    if not asked:
        due = ", ".join(f"{one.file} {one.sha256}" for one in files[kpi])
        raise PermanentError(
            f"{name} has the SHA-256 {digest}, plan version {version} of {plan.pilot} names for {kpi}: {due}. It was changed"
            " after it was hashed, or is another file: hand in that one, or amend the plan."
        )
    return asked


def baseline_files(plan: Plan) -> Iterator[tuple[str, list[Baseline]]]:
    """Each KPI that has baseline files, with them."""
    for name, kpi in plan.kpis.items():
        changes = [part.measure.of for part in kpi.parts if isinstance(part.measure.of, Change)]
        found = [one.baseline for one in changes if one.baseline.form == "file"]
        if found:
            yield name, found


def baselines(connection: Connection, pilot: str, as_of: datetime | None = None) -> list[Recorded]:
    """The files of a pilot, in the order in which they were handed in.

    :param as_of: those recorded by then.
    """
    return [Recorded(**row) for row in connection.execute(_SQL["baselines"], {"pilot": pilot, "as_of": as_of})]


def content_of(connection: Connection, baseline_id: int) -> bytes:
    """A file's bytes, as they came.

    :raises NotFound: there is none of that number.
    """
    row = connection.execute(_SQL["content"], {"baseline_id": baseline_id}).fetchone()
    if row is None:
        raise NotFound(f"There is no baseline {baseline_id}: `pilotbed baseline list PILOT` shows them.")
    return bytes(row["content"])


@lru_cache(maxsize=_KEPT)
def _read(content: bytes, baseline_json: str) -> Table:
    return read_table(content, Baseline.model_validate_json(baseline_json))


def table_of(content: bytes, baseline: Baseline) -> Table:
    """A file as a table; the last few are kept.

    :raises BaselineProblem: it cannot be read.
    """
    return _read(content, baseline.model_dump_json(exclude_none=True))


__all__ = [
    "MOST_BYTES",
    "Recorded",
    "add_baseline",
    "baseline_files",
    "baselines",
    "content_of",
    "table_of",
]
