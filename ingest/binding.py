"""What the registry says about one connection, as decoders need it: everything that can be worked out beforehand is.

Bindings are values: a change of the registry makes new ones, and the messages of a batch are decoded by one set of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from core.units import Conversion, conversion
from devices.plan.states import codes

FUTURE_US: Final = 300_000_000
"""A clock may run ahead of the receipt by so much; a reading dated later is rejected, never dated anew."""

IDENTITY: Final = Conversion(scale=1.0, offset=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelBinding:
    """The revision in force of one channel."""

    channel_id: int
    name: str
    source: str
    """Where its value stands in a message; its name where the plan names nothing else."""
    unit: str = ""
    """The canonical one."""
    conversion: Conversion = IDENTITY
    """From the unit in the message to the canonical one."""
    states: Mapping[str, int] | None = None
    """A state channel: the code of each state by what the device says of it."""
    state_names: tuple[str, ...] = ()
    """Its states as the plan calls them, by their code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBinding:
    """One slot of a connection."""

    slot_id: int
    name: str
    channels: tuple[ChannelBinding, ...] = ()
    events: frozenset[str] = frozenset()
    """The kinds of event that the plan lets it report."""
    topics: tuple[str, ...] = ()
    """MQTT filters of this slot's own messages, where they are not the native ones."""
    select: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Which part of its connection's messages is this slot's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionBinding:
    """One connection with its slots, and the pilot's period as a half-open window of instants."""

    connection_id: int
    name: str
    pilot_id: int
    pilot: str
    protocol: str
    start_us: int
    end_us: int
    keep_messages: bool = True
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The connection's part of the plan, for its protocol."""
    topics: tuple[str, ...] = ()
    """MQTT filters given in the plan, where they are not the native ones."""
    slots: tuple[SlotBinding, ...] = ()

    def slot(self, name: str) -> SlotBinding | None:
        """The slot of that name, if this connection speaks for it."""
        return next((slot for slot in self.slots if slot.name == name), None)


def channel_binding(*, channel_id: int, name: str, kind: str, unit: str, options: Mapping[str, Any]) -> ChannelBinding:
    """What a channel's row says, compiled.

    :param options: the channel's part of the plan: ``source``, ``source_unit``, ``states``, ``source_states``.
    """
    states: Mapping[str, int] | None = None
    names = tuple(options.get("states") or ())
    if kind == "state":
        states = MappingProxyType(codes(names, options.get("source_states")))
    source_unit = options.get("source_unit")
    return ChannelBinding(
        channel_id=channel_id,
        name=name,
        source=options.get("source") or name,
        unit=unit,
        conversion=IDENTITY if states is not None or source_unit is None else conversion(source_unit, unit),
        states=states,
        state_names=names,
    )
