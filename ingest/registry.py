"""From the registry's rows to bindings."""

from __future__ import annotations

from core.database import Connection
from devices.registry.bindings import BoundConnection, bindings
from ingest.binding import ConnectionBinding, SlotBinding, channel_binding


def load(connection: Connection) -> list[ConnectionBinding]:
    """The bindings of every active connection, as of one instant."""
    return [_binding(bound) for bound in bindings(connection)]


def _binding(bound: BoundConnection) -> ConnectionBinding:
    return ConnectionBinding(
        connection_id=bound.connection_id,
        name=bound.name,
        pilot_id=bound.pilot_id,
        pilot=bound.pilot,
        protocol=bound.protocol,
        start_us=bound.window.start_us,
        end_us=bound.window.end_us,
        options=bound.options,
        topics=tuple(bound.options.get("topics") or ()),
        slots=tuple(
            SlotBinding(
                slot_id=slot.slot_id,
                name=slot.name,
                channels=tuple(
                    channel_binding(
                        channel_id=channel.channel_id,
                        name=channel.name,
                        kind=channel.kind,
                        unit=channel.unit,
                        options=channel.options,
                    )
                    for channel in slot.channels
                ),
                events=frozenset(slot.events),
                topics=slot.topics,
                select=slot.select,
            )
            for slot in bound.slots
        ),
    )
