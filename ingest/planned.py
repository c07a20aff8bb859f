"""The bindings that a plan would give, with ids counted in the plan's order: to try a decoder without a registry."""

from __future__ import annotations

from collections.abc import Mapping

from devices.plan.model import Connection, Slot
from ingest.binding import ConnectionBinding, SlotBinding, channel_binding


def planned(
    *,
    pilot: str,
    start_us: int,
    end_us: int,
    connections: Mapping[str, Connection],
    slots: Mapping[str, Slot],
) -> list[ConnectionBinding]:
    """One binding a connection: those named in the plan, and one of its own for each slot that names none."""
    speaking: dict[str, list[SlotBinding]] = {name: [] for name in connections}
    channel_id = 0
    for slot_id, (name, slot) in enumerate(slots.items(), start=1):
        channels = []
        for key, channel in slot.channels.items():
            channel_id += 1
            channels.append(
                channel_binding(
                    channel_id=channel_id,
                    name=key,
                    kind=channel.kind,
                    unit=channel.canonical_unit,
                    options=channel.model_dump(mode="json"),
                )
            )
        binding = SlotBinding(
            slot_id=slot_id,
            name=name,
            channels=tuple(channels),
            events=frozenset(slot.events),
            topics=slot.topics,
            select=slot.select,
        )
        speaking.setdefault(slot.connection or name, []).append(binding)
    return [
        ConnectionBinding(
            connection_id=connection_id,
            name=name,
            pilot_id=1,
            pilot=pilot,
            protocol=definition.protocol,
            start_us=start_us,
            end_us=end_us,
            options=definition.model_dump(mode="json"),
            topics=definition.topics,
            slots=tuple(speaking[name]),
        )
        for connection_id, (name, definition) in enumerate(
            ((name, connections.get(name, Connection())) for name in speaking), start=1
        )
    ]
