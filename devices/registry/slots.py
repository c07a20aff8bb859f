"""The slots of a plan with what stands in them and what they measure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.sql import load
from core.window import midnight
from devices.plan.model import Device, Plan, Slot
from devices.plan.predicate import predicates
from devices.registry.channels import apply_channels, close_channels
from devices.registry.work import Work

_SQL = load("devices.registry", "registry.sql")


def apply_slots(work: Work, connections: dict[str, int]) -> None:
    """Bring the pilot's slots, installations, channels and conditions to what its plan says."""
    rows = work.connection.execute(_SQL["slots_of_pilot"], {"pilot_id": work.pilot_id})
    there = {row["name"]: row for row in rows}
    conditions = predicates(work.plan)
    for name, slot in work.plan.slots.items():
        connection_id = connections[work.plan.connection_of(name)[0]]
        slot_id = _slot(work, name, slot, connection_id, there.get(name))
        _install(work, name, slot_id, slot.device)
        apply_channels(work, name, slot_id, slot.channels)
        for condition in conditions.get(name, ()):
            values: dict[str, Any] = {
                "slot_id": slot_id,
                "channel": condition.channel,
                "low": condition.low,
                "low_closed": condition.low_closed,
                "high": condition.high,
                "high_closed": condition.high_closed,
                "codes": None if condition.codes is None else list(condition.codes),
            }
            if work.connection.execute(_SQL["add_predicate"], values).fetchone() is not None:
                work.connection.execute(_SQL["summarise_again"], {"slot_id": slot_id, "channel": condition.channel})
    for name, row in there.items():
        if name not in work.plan.slots and row["withdrawn_at"] is None:
            _withdraw(work, name, row)


def _options(plan: Plan, name: str) -> dict[str, Any]:
    """The slot's part of the plan; with whose it is, where it is not the company's."""
    slot, owner = plan.slots[name], plan.owner_of(name)
    whole = slot.model_dump(mode="json", by_alias=True, exclude_none=True, include={"select", "topics", "events"})
    return dict(whole) if owner == "company" else {**whole, "owner": owner}


def _slot(work: Work, name: str, slot: Slot, connection_id: int, row: dict[str, Any] | None) -> int:
    wanted = {"place": slot.place, "connection_id": connection_id, "options": _options(work.plan, name)}
    shown = {**wanted, "connection": work.plan.connection_of(name)[0]}
    del shown["connection_id"]
    values = {**wanted, "options": Jsonb(wanted["options"])}
    if row is None:
        added = work.connection.execute(
            _SQL["add_slot"], {"pilot_id": work.pilot_id, "name": name, **values}
        ).fetchone()
        assert added is not None
        work.audit("slot.create", f"slot {name}", after=shown)
        return int(added["slot_id"])
    if row["withdrawn_at"] is not None or any(row[key] != wanted[key] for key in wanted):
        work.connection.execute(_SQL["change_slot"], {"slot_id": row["slot_id"], **values})
        before = {"place": row["place"], "options": row["options"], "withdrawn_at": row["withdrawn_at"]}
        if work.before is not None and name in work.before.slots:
            before["connection"] = work.before.connection_of(name)[0]
        work.audit("slot.change", f"slot {name}", before=before, after=shown)
    return int(row["slot_id"])


def _install(work: Work, name: str, slot_id: int, device: Device) -> None:
    """Another serial, model or firmware closes the installation and opens a new one."""
    wanted = {"serial": device.serial, "model": device.model, "firmware": device.firmware}
    row = work.connection.execute(_SQL["installed"], {"slot_id": slot_id}).fetchone()
    if row is None:
        at = _installed_at(work.plan, device) if work.before is None else _from_now(work, device, None)
        work.connection.execute(_SQL["install"], {"slot_id": slot_id, "at": at, **wanted})
        work.audit("device.install", f"slot {name}", after={**wanted, "at": at})
        return
    there = {key: row[key] for key in wanted}
    if there == wanted or _replaced_by_hand(work, name, device):
        return
    at = _from_now(work, device, row["installed_at"])
    swap(work, name, slot_id, row, wanted, at)


def swap(work: Work, name: str, slot_id: int, row: dict[str, Any], wanted: dict[str, Any], at: datetime) -> datetime:
    """One device leaves a slot, another stands in it from the same instant.

    :returns: that instant: never before the first came.
    """
    at = max(at, row["installed_at"])
    work.connection.execute(_SQL["remove"], {"installation_id": row["installation_id"], "at": at})
    work.connection.execute(_SQL["install"], {"slot_id": slot_id, "at": at, **wanted})
    before = {key: row[key] for key in wanted}
    work.audit("device.replace", f"slot {name}", before=before, after={**wanted, "at": at})
    return at


def _replaced_by_hand(work: Work, name: str, device: Device) -> bool:
    """The plan says what it said before; the device was replaced since by ``device replace``: that stands."""
    return work.before is not None and name in work.before.slots and work.before.slots[name].device == device


def _installed_at(plan: Plan, device: Device) -> datetime:
    return plan.window.start if device.installed is None else midnight(device.installed, plan.zone)


def _from_now(work: Work, device: Device, since: datetime | None) -> datetime:
    """When a device of a later version began to stand there: the day that the plan says, if it says a new one."""
    if device.installed is None:
        return work.now
    at = midnight(device.installed, work.plan.zone)
    return at if since is None or at > since else work.now


def _withdraw(work: Work, name: str, row: dict[str, Any]) -> None:
    slot_id = row["slot_id"]
    work.connection.execute(_SQL["withdraw_slot"], {"slot_id": slot_id, "now": work.now})
    installed = work.connection.execute(_SQL["installed"], {"slot_id": slot_id}).fetchone()
    if installed is not None:
        work.connection.execute(_SQL["remove"], {"installation_id": installed["installation_id"], "at": work.now})
    close_channels(work, name, slot_id, keep=())
    before = {"place": row["place"], "options": row["options"]}
    if installed is not None:
        before |= {key: installed[key] for key in ("serial", "model", "firmware")}
    work.audit("slot.withdraw", f"slot {name}", before=before)
