"""Native JSON as a device writes it, by the plan alone. It shares no line with the decoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import PermanentError
from core.window import instant
from devices.plan.model import Connection, Plan
from simulators.scenario.records import Event

Value = str | int | float | bool


class Encoder:
    """Writes the messages of one slot: topics, paths, times as its connection in the plan has them.

    :raises PermanentError: the connection speaks another protocol, or the slot takes only a part of shared messages.
    """

    def __init__(self, plan: Plan, slot: str) -> None:
        name, connection = plan.connection_of(slot)
        definition = plan.slots[slot]
        if connection.protocol != "json":
            raise PermanentError(
                f"Slot {slot!r} of pilot {plan.pilot!r} speaks {connection.protocol!r} over connection {name!r}:"
                " simulators write native JSON only. Choose a slot whose connection has protocol json."
            )
        if definition.select:
            raise PermanentError(
                f"Slot {slot!r} of pilot {plan.pilot!r} selects {dict(definition.select)!r} out of its connection's messages:"
                " simulators write one slot a message. Choose a slot without select."
            )
        self._connection = connection
        self._sources = {channel: definition.channels[channel].source or channel for channel in definition.channels}
        base = f"pilots/{plan.pilot}/{slot}"
        self.readings_topic = f"{base}/readings"
        self.events_topic = f"{base}/events"
        self.status_topic = f"{base}/status"

    def reading(self, at_us: int, values: Mapping[str, Value]) -> bytes:
        """One message with the values of some channels at one instant, each in its source unit."""
        document: dict[str, Any] = {}
        if self._connection.clock and self._connection.time.path:
            _put(document, self._connection.time.path, written_time(self._connection, at_us))
        holder = "values" if self._connection.values is None else self._connection.values
        for channel, value in values.items():
            source = self._sources[channel]
            _put(document, f"{holder}.{source}" if holder else source, value)
        return _json(document)

    def event(self, event: Event) -> bytes:
        """One event."""
        document: dict[str, Any] = {"id": event.id, "kind": event.kind}
        if event.number is not None:
            document["number"] = event.number
        if event.phase:
            document["phase"] = event.phase
        if self._connection.clock:
            document["at"] = written_time(self._connection, event.at_us)
        return _json({**document, "attributes": dict(event.attributes)})

    def status(self, state: str, at_us: int) -> bytes:
        """The link came up or goes down."""
        return _json({"state": state, "at": written_time(self._connection, at_us)})

    def will(self) -> bytes:
        """What the broker says when the link is cut: without a time, because nobody knows it beforehand."""
        return _json({"state": "offline"})


def numbered(payload: bytes, boot: str, seq: int) -> bytes:
    """The same message with its number: which one it is of its sender's, and of which numbering.

    >>> numbered(b'{"state":"online"}', "4f2a", 7)
    b'{"seq":7,"boot":"4f2a","state":"online"}'
    """
    assert payload.startswith(b"{") and not payload.startswith(b"{}"), payload[:40]
    return b'{"seq":%d,"boot":%s,' % (seq, json.dumps(boot).encode()) + payload[1:]


def written_time(connection: Connection, at_us: int) -> Value:
    """An instant as the connection writes times; ISO 8601 in UTC where it may choose."""
    match connection.time.format:
        case "s":
            return at_us // 1_000_000 if at_us % 1_000_000 == 0 else at_us / 1_000_000
        case "ms":
            return at_us // 1_000 if at_us % 1_000 == 0 else at_us / 1_000
        case "us":
            return at_us
        case "ns":
            return at_us * 1_000
    return instant(at_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _put(document: dict[str, Any], path: str, value: Value) -> None:
    """Set what ``path`` (names joined by dots) names, making the objects on the way."""
    *way, last = path.split(".")
    for step in way:
        document = document.setdefault(step, {})
        if not isinstance(document, dict):
            raise PermanentError(
                f"The path {path!r} of the plan leads through a value of another channel: {step!r} cannot be both."
                " Correct the channel's source."
            )
    document[last] = value


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
