"""The native topics, ``pilots/{pilot}/{slot}/{what}``: every connection may speak on those of its slots."""

from __future__ import annotations

from typing import Final

from ingest.binding import ConnectionBinding, SlotBinding

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
