"""Native JSON as a device writes it. QoS 1 throughout; each slot's status is retained, and tells a cut connection as the will."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.errors import PermanentError
from core.window import instant
from devices.plan.model import Connection, Plan
from simulators.encoding.reported import Reported
from simulators.encoding.said import Said, Utterance, Value
from simulators.scenario.records import Event, Link


class NativeSlot:
    """Writes the messages of one slot: topics, paths, times as its connection in the plan has them.

    :raises PermanentError: the slot takes only a part of shared messages.
    """

    def __init__(self, plan: Plan, slot: str) -> None:
        definition = plan.slots[slot]
        if definition.select:
            raise PermanentError(
                f"Slot {slot!r} of pilot {plan.pilot!r} selects {dict(definition.select)!r} out of its connection's messages:"
                " simulators write one slot a message in JSON. Choose a slot without select."
            )
        self._connection = plan.connection_of(slot)[1]
        self._sources = {channel: definition.channels[channel].source or channel for channel in definition.channels}
        self._said: dict[str, dict[Value, Value]] = {
            channel: {state: said for said, state in reversed((one.source_states or {}).items())}
            for channel, one in definition.channels.items()
        }
        """By channel: how the device says each state, where it has words of its own for them."""
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
            source, said = self._sources[channel], self._said[channel]
            _put(document, f"{holder}.{source}" if holder else source, said.get(value, value) if said else value)
        return written(document)

    def event(self, event: Event) -> bytes:
        """One event."""
        document: dict[str, Any] = {"id": event.id, "kind": event.kind}
        if event.number is not None:
            document["number"] = event.number
        if event.phase:
            document["phase"] = event.phase
        if self._connection.clock:
            document["at"] = written_time(self._connection, event.at_us)
        return written({**document, "attributes": dict(event.attributes)})

    def status(self, state: str, at_us: int) -> bytes:
        """The link came up or goes down."""
        return written({"state": state, "at": written_time(self._connection, at_us)})

    def will(self) -> bytes:
        """What the broker says when the link is cut: without a time, because nobody knows it beforehand."""
        return written({"state": "offline"})


class NativeEncoder:
    """See :class:`simulators.encoding.said.Encoder`. Slots of one connection each have topics of their own."""

    hears: str | None = None
    needs_connection = False
    means_nothing_ungreeted = False

    def __init__(self, plan: Plan, connection: str) -> None:
        self._slots = {slot: NativeSlot(plan, slot) for slot in plan.slots_of(connection)}

    def will(self) -> Said | None:
        """One slot's, which speaks for all of the connection."""
        first = next(iter(self._slots.values()))
        return Said(topic=first.status_topic, payload=first.will(), retain=True)

    def greeting(self, at_us: int, online: Mapping[str, bool]) -> Sequence[Said]:
        return [
            Said(
                topic=slot.status_topic,
                payload=slot.status("online" if online[name] else "offline", at_us),
                retain=True,
            )
            for name, slot in self._slots.items()
        ]

    def say(self, utterance: Utterance) -> Sequence[Said]:
        slot, what = self._slots[utterance.slot], utterance.what
        if isinstance(what, Event):
            return [Said(topic=slot.events_topic, payload=slot.event(what))]
        if isinstance(what, Link):
            return [Said(topic=slot.status_topic, payload=slot.status(what.state, what.at_us), retain=True)]
        return [Said(topic=slot.readings_topic, payload=slot.reading(utterance.at_us, what))]

    def answer(self, payload: bytes, at_us: int) -> Sequence[Said]:  # noqa: ARG002
        return []

    def farewell(self, at_us: int) -> Sequence[Said]:
        return [
            Said(topic=slot.status_topic, payload=slot.status("offline", at_us), retain=True)
            for slot in self._slots.values()
        ]


ENCODER: Final = NativeEncoder
REPORTED: Final = Reported


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


def written(document: dict[str, Any]) -> bytes:
    """A JSON document, as short as it gets."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


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
