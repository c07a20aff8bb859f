"""Whose a topic is: a native one, ``pilots/{pilot}/{slot}/{what}``, on which every connection may speak, or one of a plan's."""

from __future__ import annotations

from typing import Final

from ingest.binding import ConnectionBinding, SlotBinding
from ingest.topics import matches

NATIVE_FILTERS: Final = ("pilots/+/+/readings", "pilots/+/+/events", "pilots/+/+/status", "pilots/+/+/mavlink")
"""What every collector listens to, whatever the plans say."""


def native_parts(topic: str) -> tuple[str, str, str] | None:
    """``pilots/{pilot}/{slot}/{what}`` taken apart; None for any other topic."""
    parts = topic.split("/")
    return (parts[1], parts[2], parts[3]) if len(parts) == 4 and parts[0] == "pilots" else None


def native_slot(binding: ConnectionBinding, topic: str, what: str) -> SlotBinding | None:
    """The slot of a connection whose native topic for ``what`` this is."""
    parts = native_parts(topic)
    return binding.slot(parts[1]) if parts is not None and parts[0] == binding.pilot and parts[2] == what else None


def mapped_slots(binding: ConnectionBinding, topic: str) -> list[SlotBinding]:
    """The slots for which a connection speaks there by the filters of its plan: its own go before the connection's."""
    slots = [slot for slot in binding.slots if any(matches(held, topic) for held in slot.topics)]
    if not slots and any(matches(held, topic) for held in binding.topics):
        slots = [slot for slot in binding.slots if not slot.topics]
    return slots
