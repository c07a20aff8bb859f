"""Delivered messages → one batch for the store. Pure: the same messages and routes give the same batch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.memory import Recollection, nothing
from ingest.message import Decoded, Message, message_flags, quarantined
from ingest.part import Part
from ingest.protocols.json.numbering import found_in
from ingest.routing import Route, Routes
from telemetry.batch import Batch, Readings

_log = logging.getLogger(__name__)

_FLAGS: Final = tuple(message_flags(retain=bool(low & 1), qos=low >> 1 & 3) for low in range(8))
"""By the three lowest bits of a PUBLISH packet's header."""
_DUP: Final = 0x08
"""The bit of that header by which the broker says that it delivered the message before."""
OVER_LIMIT: Final = 0x100
"""Put beside that header's bits where a message came beyond its sender's rate limit (see ingest/rate.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a message may be, and whether it is kept raw."""

    payload_bytes: int
    topic_bytes: int = 65_535
    keep_messages: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What protocols are asked about that wait for somebody: over which time all was heard, and is settled."""

    since_us: int
    until_us: int
    mine: Callable[[ConnectionBinding], bool]
    """Which connections come to this collector."""


class Arrivals:
    """Makes the arrival instants of each channel strictly increasing: two readings cannot share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[int, int] = {}

    def spread(self, decoded: Decoded) -> None:
        """Move each arrival to at least a microsecond after the one before it on its channel."""
        with self._lock:
            for place in decoded.arrivals:
                channel_id = decoded.channel_id[place]
                at_us = max(decoded.observed_us[place], self._latest.get(channel_id, 0) + 1)
                self._latest[channel_id] = decoded.observed_us[place] = at_us


def decode(
    parts: Iterable[Part], routes: Routes, arrivals: Arrivals, limits: Limits, memory: Recollection | None = None
) -> Batch:
    """Everything that the messages say, and the count of them.

    :param memory: what protocols remember from before, and what they will remember; nothing if left out.
    """
    out = Decoded(memory=nothing() if memory is None else memory)
    batch = _batch_of(out)
    delivered, payload_bytes, keep = batch.delivered, batch.payload_bytes, batch.messages.append
    find, most_bytes, most_topic, keep_messages = (
        routes.find, limits.payload_bytes, limits.topic_bytes, limits.keep_messages)  # fmt: skip
    for part in parts:
        received_us = part.received_us
        for topic, payload, _, header in part.items:
            route = find(topic)
            size = len(payload)
            connection_id = route.connection_id
            if connection_id is not None:
                delivered[connection_id] = delivered.get(connection_id, 0) + 1
                payload_bytes[connection_id] = payload_bytes.get(connection_id, 0) + size
            message = Message(topic=route.topic, payload=payload, received_us=received_us, flags=_FLAGS[header & 7])
            if header & (_DUP | OVER_LIMIT) or size > most_bytes or len(topic) > most_topic or route.decoder is None:
                if not _unusual(message, route, header, out, batch, limits):
                    continue
            else:
                route.decoder.decode(message, out)
            if keep_messages and route.keep and connection_id is not None:
                keep((route.pilot_id, connection_id, route.topic, payload, received_us, message.flags))
    if out.arrivals:
        arrivals.spread(out)
    batch.remembered = out.memory.stored()
    return batch


def _batch_of(out: Decoded) -> Batch:
    """The batch whose columns and records are those that decoders fill."""
    return Batch(
        readings=Readings(channel_id=out.channel_id, observed_us=out.observed_us, value=out.value, flags=out.flags),
        events=out.events,
        link_states=out.link_states,
        quarantined=out.quarantined,
        rejected=out.rejected,
        sequences=out.sequences,
    )


def waited(routes: Routes, heard: Heard, arrivals: Arrivals, memory: Recollection) -> Batch:
    """What protocols have to say because time has passed, without a message: whom they waited for did not come."""
    out = Decoded(memory=memory)
    batch = _batch_of(out)
    for binding, protocol in routes.waiting:
        if not heard.mine(binding):
            continue  # another collector hears it
        try:
            protocol.wait(heard.until_us, out, since_us=heard.since_us)
        except Exception:  # noqa: BLE001 - any error of ours: the other protocols and the queue go on
            _log.exception("a protocol failed while nothing was said")
    if out.arrivals:
        arrivals.spread(out)
    batch.remembered = memory.stored()
    return batch


def _unusual(message: Message, route: Route, header: int, out: Decoded, batch: Batch, limits: Limits) -> bool:
    """A message that is set aside for what it is, or that was delivered before.

    :returns: whether a decoder read it.
    """
    if header & _DUP:
        message = msgspec.structs.replace(message, redelivered=True)
        if route.connection_id is not None:
            _add_to(batch.redelivered, route.connection_id, 1)
    size, topic_size = len(message.payload), len(message.topic.encode("utf-8", "surrogatepass"))
    if size > limits.payload_bytes:
        detail = f"{size} B > {limits.payload_bytes} B (PILOTBED_MAX_PAYLOAD_BYTES)"
        out.quarantined.append(quarantined(message, route.connection_id, reasons.TOO_LARGE, detail, head_only=True))
    elif topic_size > limits.topic_bytes:
        detail = f"{topic_size} B > {limits.topic_bytes} B (PILOTBED_MAX_TOPIC_BYTES)"
        out.quarantine(message, route.connection_id, reasons.TOPIC_TOO_LONG, detail)
    elif header & OVER_LIMIT:
        out.quarantine(message, route.connection_id, reasons.RATE_LIMITED, "PILOTBED_MAX_MESSAGES_PER_SECOND")
    elif route.decoder is None:
        out.quarantine(message, route.connection_id, reasons.NO_BINDING, route.detail)
    else:
        refused = len(out.rejected)
        route.decoder.decode(message, out)
        out.rejected[refused:] = [replace(item, redelivered=True) for item in out.rejected[refused:]]
        return True
    # Kept with its sender's number, though nothing of it was read: it need not be sent again.
    found = found_in(message.payload)
    if found is not None and route.connection_id is not None:
        out.numbered(route.connection_id, *found)
    return False


def decode_guarded(
    parts: Sequence[Part], routes: Routes, arrivals: Arrivals, limits: Limits, memory: Recollection | None = None
) -> Batch:
    """The same, whatever a decoder does: one that raises must not hold up the queue, so its message is set aside."""
    memory = nothing() if memory is None else memory

    def decoded(some: Sequence[Part]) -> Batch:
        trial = memory.trial()
        batch = decode(some, routes, arrivals, limits, trial)
        memory.keep(trial)
        return batch

    try:
        return decoded(parts)
    except Exception:  # noqa: BLE001 - any error of ours: found out below, one message at a time
        _log.exception("a decoder failed in a batch, it is decoded message by message")
        whole = Batch()
        for part in parts:
            for place in range(len(part.items)):
                single = part.split(place)[1].split(1)[0]
                try:
                    batch = decoded([single])
                except Exception as error:  # noqa: BLE001 - likewise
                    batch = set_aside(single, routes, reasons.DECODER_FAILED, repr(error))
                add(whole, batch)
        whole.remembered = memory.stored()
        return whole


def add(whole: Batch, batch: Batch) -> None:
    """Put a batch into another."""
    whole.rows = None  # they would no longer be all of them
    whole.readings.extend(batch.readings)
    whole.events += batch.events
    whole.link_states += batch.link_states
    whole.quarantined += batch.quarantined
    whole.rejected += batch.rejected
    whole.messages += batch.messages
    whole.sequences += batch.sequences
    for total, part in (
        (whole.delivered, batch.delivered),
        (whole.payload_bytes, batch.payload_bytes),
        (whole.redelivered, batch.redelivered),
    ):
        for connection_id, n in part.items():
            _add_to(total, connection_id, n)


def set_aside(part: Part, routes: Routes, reason: str, detail: str) -> Batch:
    """The batch that sets whole messages aside, for a reason that decoding did not find."""
    batch = Batch()
    for topic, payload, _, header in part.items:
        route = routes.find(topic)
        message = Message(
            topic=route.topic,
            payload=payload,
            received_us=part.received_us,
            flags=_FLAGS[header & 7],
            redelivered=bool(header & _DUP),
        )
        batch.quarantined.append(quarantined(message, route.connection_id, reason, detail))
        if route.connection_id is not None:
            _add_to(batch.delivered, route.connection_id, 1)
            _add_to(batch.payload_bytes, route.connection_id, len(payload))
            _add_to(batch.redelivered, route.connection_id, int(message.redelivered))
            found = found_in(payload)
            if found is not None:
                batch.sequences.append((route.connection_id, *found))
    return batch


def _add_to(total: dict[int, int], key: int, n: int) -> None:
    total[key] = total.get(key, 0) + n
