"""The JSON protocol: which topic of a connection says what, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded, Decoder, Message
from ingest.protocols.json import numbering
from ingest.protocols.json.happenings import EventsDecoder, StatusDecoder
from ingest.protocols.json.lists import NAMED, unwrapping
from ingest.protocols.json.options import Options
from ingest.protocols.json.quick import Quick
from ingest.protocols.json.readings import ReadingsDecoder
from ingest.protocols.json.repeated import sure
from ingest.protocols.json.slot_reader import SlotReader
from ingest.protocols.json.timing import Timing
from ingest.protocols.json.topic import SpokenTopicDecoder, TopicDecoder
from ingest.protocols.native import mapped_slots, native_parts

NOTHING: Final = object()
"""What a message is about that has been understood, and says nothing of the site."""


class JsonConnection:
    """One connection that speaks JSON: on the native topics of its slots, and on the topics that its plan names."""

    is_wrapped: ClassVar[bool] = False
    """Whether messages on other topics are wrapped by a protocol around them."""

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
        lists = Options.model_validate(options.get("options") or {})
        self._unwrap = unwrapping(lists)
        self._values: str | None = options.get("values")
        self._mapped_values = self._values if lists.named is None else NAMED
        self._made: dict[tuple[str, ...], Decoder] = {}
        """By the slots that are mapped: a sender may make up topics below a filter of its own without end."""

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        native = native_parts(topic)
        if native is not None and native[0] == self.binding.pilot:
            slot = self.binding.slot(native[1])
            return None if slot is None else self._native(slot, native[2])
        slots = mapped_slots(self.binding, topic)
        key = tuple(slot.name for slot in slots)
        if slots and key not in self._made:
            self._made[key] = self._mapped(slots)
        return self._made.get(key)

    def unwrap(self, found: Any) -> Any:
        """What a message on another topic is about: itself, where nothing is wrapped around it; or :data:`NOTHING`.

        :raises Refused: it is not of the agreed shape.
        """
        return found if self._unwrap is None else self._unwrap(found)

    def _native(self, slot: SlotBinding, last: str) -> Decoder | None:
        numbers = numbering.reader()
        match last:
            case "readings":
                strict = self._values in (None, "values")
                readings = ReadingsDecoder(self.binding, [SlotReader(slot, strict=strict)], self._timing, self._values)
                numbers = numbering.reader(taken=self._read_at_top([slot], self._values, flat=not strict))
                quick = readings.quick(numbered=numbers is not None)
                return TopicDecoder(self.binding, readings.take, numbers=numbers, told_at=slot.slot_id, quick=quick)
            case "events":
                events = EventsDecoder(self.binding, slot, self._at)
                return TopicDecoder(self.binding, events.take, numbers=numbers, told_at=slot.slot_id)
            case "status":
                status = StatusDecoder(self.binding, (slot.slot_id,), self._at)
                return SpokenTopicDecoder(self.binding, status, numbers=numbers, told_at=slot.slot_id)
        return None

    def _mapped(self, slots: list[SlotBinding]) -> Decoder:
        events = [EventsDecoder(self.binding, slot, self._at) for slot in slots if slot.events]
        status = StatusDecoder(self.binding, tuple(slot.slot_id for slot in slots), self._at)
        mixed = _Mixed(
            readings=ReadingsDecoder(
                self.binding, [SlotReader(slot, strict=False) for slot in slots], self._timing, self._mapped_values
            ),
            status=status,
            events=events[0] if len(events) == 1 else None,
            state_is_a_channel=any(channel.source == "state" for slot in slots for channel in slot.channels),
            unwrap=self.unwrap,
        )
        numbers = numbering.reader(taken=self._read_at_top(slots, self._mapped_values, flat=True))
        quick = None if self.is_wrapped or self._unwrap is not None else mixed.quick(numbered=numbers is not None)
        # What is no number there is something else of the maker's, and passed over like all that is not mapped.
        return SpokenTopicDecoder(self.binding, status, mixed.take, numbers=numbers, told_at=None, quick=quick)

    def _read_at_top(self, slots: list[SlotBinding], values: str | None, *, flat: bool) -> set[str]:
        """The keys at the top of a message that the plan reads something from.

        :param values: the path of the values.
        :param flat: the values may stand at the top.
        """
        paths = [path for slot in slots for path in slot.select]
        paths += [path for path in (self._timing.path, values) if path]
        if flat and not values:
            paths += [channel.source for slot in slots for channel in slot.channels]
        return {path.split(".")[0] for path in paths}


class _Mixed:
    """A topic of the device maker's own, where readings, events and the link's state may share one topic."""

    def __init__(
        self,
        *,
        readings: ReadingsDecoder,
        status: StatusDecoder,
        events: EventsDecoder | None,
        state_is_a_channel: bool,
        unwrap: Callable[[Any], Any],
    ) -> None:
        """
        :param state_is_a_channel: ``state`` is something the device measures: then it says nothing of the link.
        :param unwrap: what a document is about.
        """
        self._readings = readings
        self._status = status
        self._events = events
        self._state_is_a_channel = state_is_a_channel
        self._unwrap = unwrap

    def quick(self, *, numbered: bool) -> Quick | None:
        """The short way, for messages whose keys show that they tell neither a status nor an event."""

        def fits(found: dict[str, Any]) -> bool:
            return (self._state_is_a_channel or "state" not in found) and not {"kind", "id"} <= found.keys()

        return self._readings.quick(numbered=numbered, fits=fits)

    def take(self, found: Any, message: Message, out: Decoded) -> None:
        """Put what a document says into ``out``.

        :raises Refused: it is not of the agreed shape.
        """
        found = self._unwrap(found)
        if found is NOTHING:
            return
        if self._is_status(found):
            self._status.take(found, message, out)
        elif self._events is not None and _is_event(found):
            self._events.take(found, message, out)
        else:
            self._readings.take(found, message, out)

    def _is_status(self, found: Any) -> bool:
        told = sure(found)
        if self._state_is_a_channel or type(told) is not dict:
            return False
        state = told.get("state")
        return type(state) is str and state.strip().lower() in ("online", "offline")


def _is_event(found: Any) -> bool:
    first = sure(found[0] if type(found) is list and found else found)
    return type(first) is dict and "kind" in first and "id" in first
