"""The JSON protocol: which topic of a connection says what, and how it is read."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded, Decoder, Message
from ingest.protocols.json import document
from ingest.protocols.json.happenings import EventsDecoder, StatusDecoder, spoken_state
from ingest.protocols.json.readings import ReadingsDecoder, SlotReader, Timing
from ingest.reasons import Refused
from ingest.topics import matches

NATIVE_FILTERS: Final = ("pilots/+/+/readings", "pilots/+/+/events", "pilots/+/+/status")
"""What every collector listens to, whatever the plans say."""


class JsonConnection:
    """One connection that speaks JSON: on the native topics of its slots, and on the topics that its plan names."""

    def __init__(self, binding: ConnectionBinding) -> None:
        self.binding = binding
        own = {topic for slot in binding.slots for topic in slot.topics}
        self.filters = tuple(sorted(own.union(binding.topics)))
        options = binding.options
        time = options.get("time") or {}
        zone = time.get("zone")
        form = time.get("format", "auto")
        has_clock = bool(options.get("clock", True))
        zone_info = None if zone is None else ZoneInfo(zone)
        self._timing = Timing(time.get("path", "ts") if has_clock else None, form, zone_info)
        self._at = Timing("at" if has_clock else None, form, zone_info)
        self._values: str | None = options.get("values")

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        native = native_parts(topic)
        if native is not None and native[0] == self.binding.pilot:
            slot = self.binding.slot(native[1])
            return None if slot is None else self._native(slot, native[2])
        slots = [slot for slot in self.binding.slots if any(matches(held, topic) for held in slot.topics)]
        if not slots and any(matches(held, topic) for held in self.binding.topics):
            slots = [slot for slot in self.binding.slots if not slot.topics]
        return self._mapped(slots) if slots else None

    def _native(self, slot: SlotBinding, last: str) -> Decoder | None:
        match last:
            case "readings":
                strict = self._values in (None, "values")
                return ReadingsDecoder(self.binding, [SlotReader(slot, strict=strict)], self._timing, self._values)
            case "events":
                return EventsDecoder(self.binding, slot, self._at)
            case "status":
                return StatusDecoder(self.binding, (slot.slot_id,), self._at)
        return None

    def _mapped(self, slots: list[SlotBinding]) -> Decoder:
        readers = [SlotReader(slot, strict=False) for slot in slots]
        events = [EventsDecoder(self.binding, slot, self._at) for slot in slots if slot.events]
        return MappedDecoder(
            readings=ReadingsDecoder(self.binding, readers, self._timing, self._values),
            status=StatusDecoder(self.binding, tuple(slot.slot_id for slot in slots), self._at),
            events=events[0] if len(events) == 1 else None,
            state_is_a_channel=any(channel.source == "state" for slot in slots for channel in slot.channels),
        )


class MappedDecoder:
    """A topic of the device maker's own, where readings, events and the link's state may share one topic."""

    def __init__(
        self,
        *,
        readings: ReadingsDecoder,
        status: StatusDecoder,
        events: EventsDecoder | None,
        state_is_a_channel: bool,
    ) -> None:
        """:param state_is_a_channel: ``state`` is something the device measures: then it says nothing of the link."""
        self._readings = readings
        self._status = status
        self._events = events
        self._state_is_a_channel = state_is_a_channel

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        if spoken_state(message.payload) is not None:
            self._status.decode(message, out)
            return
        try:
            found = document.read(message.payload)
        except Refused:
            self._readings.decode(message, out)  # which sets it aside with the reason
            return
        if self._is_status(found):
            self._status.take(found, message, out)
        elif self._events is not None and _is_event(found):
            self._events.take(found, message, out)
        else:
            self._readings.take(found, message, out)

    def _is_status(self, found: Any) -> bool:
        if self._state_is_a_channel or type(found) is not dict:
            return False
        state = found.get("state")
        return type(state) is str and state.strip().lower() in ("online", "offline")


def _is_event(found: Any) -> bool:
    first = found[0] if type(found) is list and found else found
    return type(first) is dict and "kind" in first and "id" in first


def native_parts(topic: str) -> tuple[str, str, str] | None:
    """``pilots/{pilot}/{slot}/{what}`` taken apart; None for any other topic."""
    parts = topic.split("/")
    return (parts[1], parts[2], parts[3]) if len(parts) == 4 and parts[0] == "pilots" else None
