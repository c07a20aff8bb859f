"""A plan as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from devices.plan.model import Channel, Plan
from pilotbed.cli.tables import columns


def slot_table(plan: Plan) -> Table:
    """What stands where, who speaks for it, and what it measures."""
    table = columns("slot", "place", "device", "connection", "channels")
    for name, slot in plan.slots.items():
        connection, definition = plan.connection_of(name)
        device = " ".join(part for part in (slot.device.serial, slot.device.firmware) if part)
        table.add_row(name, slot.place, device, f"{connection} ({definition.protocol})", channels_shown(slot.channels))
    return table


def channels_shown(channels: Mapping[str, Channel]) -> str:
    """Channels with their units, in a line."""
    return ", ".join(f"{key} {channel.unit or ''}".strip() for key, channel in channels.items())


def kpi_table(plan: Plan) -> Table:
    """What was promised."""
    table = columns("kpi", "name", "measure", "target", "weight", "decision")
    for name, kpi in plan.kpis.items():
        decision = f"{kpi.scope}, {kpi.rule}" + (", required" if kpi.required else "")
        kinds = "\n".join(part.measure.kind for part in kpi.parts)
        targets = "\n".join(part.bounds.shown("en") for part in kpi.parts)
        table.add_row(name, kpi.name, kinds, targets, f"{kpi.weight:g}", decision)
    return table


def version_table(versions: Sequence[dict[str, Any]]) -> Table:
    """The versions that there are."""
    table = columns("version", "sha-256", "recorded", "by", "amendment")
    for row in versions:
        amendment = row["amendment"] or {}
        why = f"{amendment['date']} {amendment['reason']}" if amendment else ""
        at = f"{row['recorded_at']:%Y-%m-%d %H:%M} UTC"
        table.add_row(str(row["version"]), row["sha256"][:16], at, row["recorded_by"], why)
    return table
