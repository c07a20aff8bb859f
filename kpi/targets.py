"""Which targets a KPI has had: one that an amendment changed is shown beside the one in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.database import Connection
from devices.plan.model import Kpi, Plan
from devices.registry.queries import plan_of, plan_versions


def targets_of(connection: Connection, pilot: str, as_of: datetime) -> dict[str, list[dict[str, Any]]]:
    """KPI → its targets, the oldest first, each with the version and the instant from which on it is in force.

    :param as_of: by the versions recorded until then.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for version in plan_versions(connection, pilot):
        if version["recorded_at"] > as_of:
            continue
        plan, _, _ = plan_of(connection, pilot, version["version"])
        for name, kpi in plan.kpis.items():
            rows = found.setdefault(name, [])
            if not rows or rows[-1]["target"] != _text(kpi):
                rows.append(_row(kpi, plan, version, first=not rows))
    return found


def _text(kpi: Kpi) -> str:
    return ", ".join(part.target for part in kpi.parts)


def _row(kpi: Kpi, plan: Plan, version: dict[str, Any], *, first: bool) -> dict[str, Any]:
    amendment = None if first else plan.amendment
    return {
        "from": version["recorded_at"],
        "plan_version": version["version"],
        "target": _text(kpi),
        "ko": ", ".join(part.bounds.shown("ko") for part in kpi.parts),
        "en": ", ".join(part.bounds.shown("en") for part in kpi.parts),
        "agreed_on": None if amendment is None else amendment.date,
        "why": None if amendment is None else amendment.reason,
    }
