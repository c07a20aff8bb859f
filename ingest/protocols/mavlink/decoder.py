"""The MAVLink protocol: raw frames on a slot's native topic, or on those that the plan names."""

from __future__ import annotations

from dataclasses import replace

from core.units import seconds
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Decoder
from ingest.protocols.json.decoder import JsonConnection
from ingest.protocols.mavlink.heard import Rules
from ingest.protocols.mavlink.link import Link
from ingest.protocols.mavlink.stream import StreamDecoder
from ingest.protocols.mavlink.takers import Speaks
from ingest.protocols.native import mapped_slots, native_parts, native_slot


class MavlinkConnection:
    """One connection whose vehicles speak MAVLink. See :class:`ingest.protocols.Waiting` too."""

    def __init__(self, binding: ConnectionBinding) -> None:
        self.binding = binding
        own = {topic for slot in binding.slots for topic in slot.topics}
        self.filters = tuple(sorted(own.union(binding.topics)))
        options = binding.options.get("options") or {}
        self._rules = Rules(
            silence_us=round(seconds(options.get("heartbeat") or "5 s") * 1_000_000),
            clock=binding.options.get("clock") is not False,
        )
        # On the other native topics they speak JSON, which knows nothing of our options and systems.
        others = {name: value for name, value in binding.options.items() if name != "options"}
        slots = tuple(replace(slot, select={}) for slot in binding.slots)
        self._json = JsonConnection(replace(binding, options=others, slots=slots))
        self._links = [Link(binding, slot, chosen=True) for slot in binding.slots]
        self._speaks: dict[tuple[str, ...], list[Speaks]] = {}
        """By the slots of a topic: topics may be many."""
        self._since_us = 0

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        native = native_slot(self.binding, topic, "mavlink")
        slots = [native] if native is not None else mapped_slots(self.binding, topic)
        if slots:
            key = tuple(slot.name for slot in slots)
            if key not in self._speaks:
                self._speaks[key] = [Speaks(slot) for slot in slots]
            return StreamDecoder(self.binding, topic, self._speaks[key], self._rules)
        return self._json.decoder(topic) if native_parts(topic) is not None else None

    def wait(self, now_us: int, out: Decoded, *, since_us: int = 0) -> None:
        """Tell of links that are lost."""
        # Silence while nobody listened is none: neither a broker nor a collector that was away makes a link a lost one. By a new
        # plan a topic may be heard since just now.
        self._since_us = self._since_us or now_us
        for link in self._links:
            link.wait(now_us, max(self._since_us, since_us), self._rules.silence_us, out)
