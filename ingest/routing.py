"""Topic → who reads it. Worked out once a topic and kept, as long as the registry stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from paho.mqtt.matcher import MQTTMatcher

from ingest.announcing import Announcement
from ingest.binding import ConnectionBinding
from ingest.message import Decoder
from ingest.protocols import PROTOCOLS, Announcing, ProtocolConnection, Waiting
from ingest.protocols.native import NATIVE_FILTERS, native_parts
from ingest.topics import without_covered

_MOST_TOPICS: Final = 30_000
"""Beyond so many the memory is begun anew: a sender may make up topics below a filter of its own."""
_LONGEST_KEPT: Final = 512
"""Longer topics, in bytes, are worked out each time."""


class Route:
    """What is known of one topic."""

    __slots__ = ("connection_id", "decoder", "detail", "keep", "pilot_id", "topic")

    def __init__(self, topic: str, binding: ConnectionBinding | None, decoder: Decoder | None, detail: str) -> None:
        self.topic = topic
        self.decoder = decoder
        self.connection_id = None if binding is None else binding.connection_id
        self.pilot_id = 0 if binding is None else binding.pilot_id
        self.keep = binding is not None and binding.keep_messages
        self.detail = detail
        """Where there is no decoder: why."""


class Routes:
    """The routes of one state of the registry."""

    def __init__(self, bindings: Iterable[ConnectionBinding]) -> None:
        self._connections = [(binding, _protocol(binding)) for binding in bindings]
        self._native: dict[tuple[str, str], tuple[ConnectionBinding, ProtocolConnection | None]] = {
            (binding.pilot, slot.name): (binding, protocol)
            for binding, protocol in self._connections
            for slot in binding.slots
        }
        self._filters = MQTTMatcher()  # type: ignore[no-untyped-call]
        held: dict[str, list[tuple[ConnectionBinding, ProtocolConnection | None]]] = {}
        for binding, protocol in self._connections:
            for wanted in _filters(binding, protocol):
                held.setdefault(wanted, []).append((binding, protocol))
        for wanted, owners in held.items():
            self._filters[wanted] = owners
        self._known: dict[bytes, Route] = {}

        self.waiting: list[tuple[ConnectionBinding, Waiting]] = []
        """Those that want to be asked about each second."""
        for binding, protocol in self._connections:
            if isinstance(protocol, Waiting):
                self.waiting.append((binding, protocol))

    @property
    def bindings(self) -> Sequence[ConnectionBinding]:
        """What the routes were made from."""
        return [binding for binding, _ in self._connections]

    def filters(self) -> list[str]:
        """What to subscribe to so that everything arrives, and once."""
        own = {wanted for binding, protocol in self._connections for wanted in _filters(binding, protocol)}
        return without_covered(own.union(NATIVE_FILTERS))

    def filters_of(self, mine: Callable[[ConnectionBinding], bool]) -> list[str]:
        """The same for some connections only: their slots' native topics one by one, and the filters of their plans."""
        own: set[str] = set()
        for binding, protocol in self._connections:
            if mine(binding):
                own.update(_filters(binding, protocol))
                own.update(
                    native.replace("+/+", f"{binding.pilot}/{slot.name}")
                    for slot in binding.slots
                    for native in NATIVE_FILTERS
                )
        return without_covered(own)

    def announcement(self, mine: Callable[[ConnectionBinding], bool], connected_ms: int) -> Announcement | None:
        """What a collector says of itself: of the first of its connections that wants something said.

        A connection to the broker has one last will, so there is one announcement.
        """
        for binding, protocol in self._connections:
            if mine(binding) and isinstance(protocol, Announcing):
                found = protocol.announcement(connected_ms)
                if found is not None:
                    return found
        return None

    def find(self, topic: bytes) -> Route:
        """The route of a topic; one without a decoder where nobody reads it."""
        route = self._known.get(topic)
        if route is None:
            route = self._route(topic.decode("utf-8", "replace"))
            if len(topic) <= _LONGEST_KEPT:
                if len(self._known) >= _MOST_TOPICS:
                    self._known.clear()
                self._known[topic] = route
        return route

    def _route(self, topic: str) -> Route:
        parts = native_parts(topic)
        owners = [] if parts is None else [self._native[parts[:2]]] if parts[:2] in self._native else []
        matched = self._filters.iter_match(topic)  # type: ignore[no-untyped-call]
        owners += [owner for found in matched for owner in found if owner not in owners]
        for binding, protocol in owners:
            decoder = None if protocol is None else protocol.decoder(topic)
            if decoder is not None:
                return Route(topic, binding, decoder, "")
        if owners:
            binding, protocol = owners[0]
            why = (
                f"connection={binding.name} protocol={binding.protocol}"
                if protocol is None
                else f"pilot={binding.pilot} connection={binding.name} topic={topic}"
            )
            return Route(topic, binding, None, why)
        if parts is not None:
            return Route(topic, None, None, f"pilot={parts[0]} slot={parts[1]}")
        return Route(topic, None, None, f"topic={topic}")


def _protocol(binding: ConnectionBinding) -> ProtocolConnection | None:
    make = PROTOCOLS.get(binding.protocol)
    return None if make is None else make(binding)


def _filters(binding: ConnectionBinding, protocol: ProtocolConnection | None) -> tuple[str, ...]:
    # What no decoder is there for is heard and set aside all the same: it can be replayed once there is one.
    return binding.topics if protocol is None else protocol.filters
