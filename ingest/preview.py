"""What would be read from a message under the plan in force now, without storing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Connection
from core.window import instant
from devices.registry import bindings
from ingest import registry
from ingest.batching import Arrivals, Limits, decode_guarded
from ingest.binding import ConnectionBinding
from ingest.part import Part
from ingest.recalled import looking_back, recalled
from ingest.routing import Routes
from telemetry.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenReading:
    """One reading as it would be stored."""

    slot: str
    channel: str
    observed_at: datetime
    value: float
    state: str | None
    """The state that the value stands for, of a state channel."""
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An item that would be refused, or (with an empty ``item``) the whole message."""

    slot: str
    item: str
    observed: str
    value: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All that a message says, and what of it would be refused."""

    readings: tuple[SeenReading, ...]
    events: tuple[Mapping[str, Any], ...]
    """``slot, kind, id, phase, number, at, attributes``."""
    link_states: tuple[Mapping[str, Any], ...]
    """``slot, state, origin, at``."""
    refused: tuple[Refusal, ...]
    set_aside: Refusal | None
    """Why the whole message would be set aside again."""


def preview(connection: Connection, message: Part) -> Preview:
    """Decode one message as a collector or a replay would, by the registry as it is now."""
    with connection.transaction():
        units = {
            channel.channel_id: channel.unit
            for bound in bindings(connection)
            for slot in bound.slots
            for channel in slot.channels
        }
        bound = registry.load(connection)
    limits, memory = Limits(payload_bytes=2**31, keep_messages=False), looking_back(recalled(connection, bound))
    batch = decode_guarded([message], Routes(bound), Arrivals(), limits, memory)
    return named(batch, bound, units)


def named(batch: Batch, bound: list[ConnectionBinding], units: Mapping[int, str]) -> Preview:
    """What a batch of one message says, by names.

    :param units: the canonical unit of each channel.
    """
    slots = {slot.slot_id: slot for binding in bound for slot in binding.slots}
    channels = {channel.channel_id: (slot.name, channel) for slot in slots.values() for channel in slot.channels}
    readings = []
    for channel_id, observed_us, value, _ in batch.readings.rows():
        slot, channel = channels[channel_id]
        readings.append(
            SeenReading(
                slot=slot,
                channel=channel.name,
                observed_at=instant(observed_us),
                value=float(value),
                state=None if channel.states is None else channel.state_names[int(value)],
                unit="" if channel.states is not None else units.get(channel_id, ""),
            )
        )
    whole = batch.quarantined[0] if batch.quarantined else None
    return Preview(
        readings=tuple(readings),
        events=tuple(
            {
                "slot": slots[event.slot_id].name, "kind": event.kind, "id": event.id, "phase": event.phase,
                "number": event.number, "at": instant(event.at_us), "attributes": json.loads(event.attributes),
            }
            for event in batch.events
        ),
        link_states=tuple(
            {"slot": slots[one.slot_id].name, "state": one.state, "origin": one.origin, "at": instant(one.at_us)}
            for one in batch.link_states
        ),
        refused=tuple(
            Refusal(
                slot=slots[one.slot_id].name, item=one.item, observed=one.observed, value=one.value, reason=one.reason,
                detail=one.detail,
            )
            for one in batch.rejected
        ),
        set_aside=None if whole is None else Refusal(
            slot="", item="", observed="", value="", reason=whole.reason, detail=whole.detail
        ),
    )  # fmt: skip
