"""Answers about the pilot, the versions of its plan, its slots and the devices in them."""

from __future__ import annotations

from typing import Final

from core.sql import load
from devices.plan.model import Plan
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row
from kpi.bundle.known import PlanVersion

_REGISTRY = load("devices.registry", "registry.sql")
_INPUTS = load("kpi.inputs", "inputs.sql")

_NO_DEVICE: Final = dict.fromkeys(("serial", "model", "firmware", "installed_at", "removed_at"))
_UNSAID: Final = {
    "place": "", "connection": "", "protocol": "", "username": "", "issued_at": None, "withdrawn_at": None,
    "slot_withdrawn_at": None,
}  # fmt: skip
"""What no judgement asks of a device."""


def blocks(basis: Basis) -> Blocks:
    registry = _Registry(basis)
    return {
        _REGISTRY["lock_registry"]: lambda _: [],
        _REGISTRY["pilots"]: registry.pilots,
        _REGISTRY["pilot_names"]: lambda _: [{"name": basis.known.pilot}],
        _REGISTRY["plan_version"]: registry.plan_version,
        _REGISTRY["plan_versions"]: registry.plan_versions,
        _REGISTRY["devices_of_pilot"]: registry.devices,
        _INPUTS["slots"]: lambda _: [{"name": name, "slot_id": number} for name, number in basis.slots.items()],
    }


class _Registry:
    def __init__(self, basis: Basis) -> None:
        self._known = basis.known
        self._slots = basis.slots
        self._plans: dict[int, Plan] = {}

    def pilots(self, asked: Asked) -> list[Row]:
        if asked["name"] not in (None, self._known.pilot):
            return []
        version = self._known.plans[-1]
        plan = self._plan(version)
        return [
            {
                "pilot_id": 1, "name": self._known.pilot, "title": plan.title, "kind": plan.kind, "company": plan.company.id,
                "company_name": plan.company.name, "site": plan.site.id, "site_name": plan.site.name,
                "zone": plan.period.timezone, "start_at": plan.window.start, "end_at": plan.window.end,
                "simulated": plan.simulated, "created_at": self._known.plans[0].recorded_at, "version": version.version,
                "sha256": version.sha256, "recorded_at": version.recorded_at, "recorded_by": version.recorded_by,
            }
        ]  # fmt: skip

    def _plan(self, version: PlanVersion) -> Plan:
        if version.version not in self._plans:
            self._plans[version.version] = self._known.plan(version)
        return self._plans[version.version]

    def plan_version(self, asked: Asked) -> list[Row]:
        found = [
            one
            for one in self._known.plans
            if asked["version"] in (None, one.version) and (asked["as_of"] is None or one.recorded_at <= asked["as_of"])
        ]
        return [_version(found[-1])] if found else []

    def plan_versions(self, asked: Asked) -> list[Row]:
        return [_version(one) for one in self._known.plans] if asked["name"] == self._known.pilot else []

    def devices(self, asked: Asked) -> list[Row]:
        as_of = asked["as_of"]
        by_slot: dict[str, list[Row]] = {}
        for row in self._known.installations.values():
            if as_of is None or row["recorded_at"] <= as_of:
                removed = row["removal_recorded_at"] is not None and (
                    as_of is None or row["removal_recorded_at"] <= as_of
                )
                by_slot.setdefault(row["slot"], []).append(
                    {**row, "removed_at": row["removed_at"] if removed else None}
                )
        found: list[Row] = []
        for slot in self._slots:
            rows = sorted(by_slot.get(slot, []), key=lambda row: (row["installed_at"], row["installation_id"]))
            found += [{**_UNSAID, **row, "slot": slot} for row in rows or [_NO_DEVICE]]
        return found


def _version(one: PlanVersion) -> Row:
    return {
        "version": one.version, "sha256": one.sha256, "source": one.source, "profiles": one.profiles, "amendment": one.amendment,
        "recorded_at": one.recorded_at, "recorded_by": one.recorded_by,
    }  # fmt: skip
