"""The slots that one robot speaks for: its values → readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from core.units import UnitError, conversion
from core.window import instant
from ingest import reasons
from ingest.binding import IDENTITY, ChannelBinding, ConnectionBinding, SlotBinding
from ingest.message import Decoded, Message
from ingest.protocols.sources import Sources
from ingest.protocols.vda5050 import fields
from ingest.protocols.vda5050.missions import Happening
from ingest.reasons import Refused
from telemetry.batch import EventRecord

_SAME: Final = (("TEACHIN", "TEACH_IN"),)
"""What 3.0 writes otherwise than 2.x."""


class Scope:
    """Takes what a robot says for every slot that it speaks for."""

    def __init__(self, binding: ConnectionBinding, slots: list[SlotBinding]) -> None:
        self.binding = binding
        self.slots = slots
        self.clock = binding.options.get("clock") is not False
        contradicting = {channel.channel_id for slot in slots for channel in slot.channels if _contradicts(channel)}
        self.sources = [Sources(_readable(slot, contradicting)) for slot in slots]
        self._contradicting = [
            (Sources(slot), channel)
            for slot in slots
            for channel in slot.channels
            if channel.channel_id in contradicting
        ]
        names = {name for one in self.sources for name in one.names()}
        wanted = [field for field in fields.FIELDS if field.name in names]
        self.direct = tuple(sorted(wanted, key=lambda field: field.kind != "number"))
        """The values that are wanted and stand in a message as they are; numbers first."""
        self.counted = tuple(name for name in fields.COUNTED if name in names)
        self.speed = fields.SPEED in names
        self.distance = fields.DISTANCE in names
        self.kinds = frozenset(kind for slot in slots for kind in slot.events)
        self.told = bool(self.kinds & {"mission", "intervention", "error", "fault"}) or "order.progress" in names
        """Whether anybody wants to know what a robot's states tell together."""

    def take(self, name: str, raw: Any, at_us: int, flags: int, message: Message, out: Decoded) -> None:
        """Take one value for every channel that is mapped to its name."""
        unit = fields.UNITS[name]
        for sources in self.sources:
            sources.take(name, raw, at_us, flags, message, out, unit)

    def refuse(self, name: str, observed: str | None, raw: Any, why: Refused, message: Message, out: Decoded) -> None:
        """Refuse one value for every channel that is mapped to its name."""
        for sources in self.sources:
            sources.refuse_named(name, observed, raw, why, message, out)

    def refuse_item(self, item: str, at_us: int, raw: Any, why: Refused, message: Message, out: Decoded) -> None:
        """Refuse a part of a message that is no channel's value."""
        for sources in self.sources[:1]:
            sources.refuse(item, instant(at_us).isoformat(), raw, why, message, out)

    def refuse_unreadable(self, message: Message, out: Decoded) -> None:
        """Tell which channels of the plan no robot can fill: by a name that there is not, or in another unit than it has."""
        for sources in self.sources:
            for name in sources.names():
                if name not in fields.UNITS:
                    why = Refused(reasons.UNKNOWN_SOURCE, f"source={name}")
                    sources.refuse_named(name, None, None, why, message, out)
        for sources, channel in self._contradicting:
            why = Refused(reasons.OTHER_UNIT, f"source_unit={fields.UNITS[channel.source]}")
            sources.refuse(channel.name, None, None, why, message, out)

    def happened(self, happening: Happening, flags: int, attributes: bytes, out: Decoded) -> None:
        """Put an event out for the slots whose plan names its kind."""
        for slot in self.slots:
            if happening.kind in slot.events:
                out.events.append(
                    EventRecord(
                        slot_id=slot.slot_id, kind=happening.kind, id=happening.id, phase=happening.phase, number=None,
                        at_us=happening.at_us, attributes=attributes, flags=flags,
                    )
                )  # fmt: skip


def _contradicts(channel: ChannelBinding) -> bool:
    """Whether the plan states another unit for a value than the protocol does."""
    unit = fields.UNITS.get(channel.source)
    if unit is None or channel.states is not None or channel.conversion == IDENTITY:
        return False
    try:
        return channel.conversion != conversion(unit, channel.unit)
    except UnitError:
        return True


def _readable(slot: SlotBinding, contradicting: set[int]) -> SlotBinding:
    """The slot with the channels that can be filled; their states in both versions' spelling."""
    return replace(
        slot,
        channels=tuple(
            channel if channel.states is None else replace(channel, states=_both_spellings(channel.states))
            for channel in slot.channels
            if channel.channel_id not in contradicting
        ),
    )


def _both_spellings(states: Mapping[str, int]) -> Mapping[str, int]:
    found = dict(states)
    for pair in _SAME:
        for one, other in (pair, pair[::-1]):
            if one in states and other not in states:
                found[other] = states[one]
    return MappingProxyType(found)
