"""Delivered messages → one batch for the store. Pure: the same messages and routes give the same batch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Final

from ingest import reasons
from ingest.inbox import Part
from ingest.message import Decoded, Message, message_flags, quarantined
from ingest.routing import Routes
from telemetry.batch import Batch, QuarantinedMessage, Readings

_log = logging.getLogger(__name__)

_FLAGS: Final = tuple(message_flags(retain=bool(low & 1), qos=low >> 1 & 3) for low in range(8))
"""By the three lowest bits of a PUBLISH packet's header."""


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
    parts: Iterable[Part], routes: Routes, arrivals: Arrivals, *, max_payload_bytes: int, keep_messages: bool
) -> Batch:
    """Everything that the messages say, and the count of them."""
    out = Decoded()
    batch = Batch(
        readings=Readings(channel_id=out.channel_id, observed_us=out.observed_us, value=out.value, flags=out.flags),
        events=out.events,
        link_states=out.link_states,
        quarantined=out.quarantined,
        rejected=out.rejected,
    )
    delivered, payload_bytes, keep = batch.delivered, batch.payload_bytes, batch.messages.append
    find = routes.find
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
            if size > max_payload_bytes:
                out.quarantined.append(_too_large(message, connection_id, max_payload_bytes))
            elif route.decoder is None:
                out.quarantine(message, connection_id, reasons.NO_BINDING, route.detail)
            else:
                route.decoder.decode(message, out)
                if keep_messages and route.keep and connection_id is not None:
                    keep((route.pilot_id, connection_id, route.topic, payload))
    if out.arrivals:
        arrivals.spread(out)
    return batch


def decode_guarded(
    parts: Sequence[Part], routes: Routes, arrivals: Arrivals, *, max_payload_bytes: int, keep_messages: bool
) -> Batch:
    """The same, whatever a decoder does: one that raises must not hold up the queue, so its message is set aside."""

    def decoded(some: Sequence[Part]) -> Batch:
        return decode(some, routes, arrivals, max_payload_bytes=max_payload_bytes, keep_messages=keep_messages)

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
    for total, part in ((whole.delivered, batch.delivered), (whole.payload_bytes, batch.payload_bytes)):
        for connection_id, n in part.items():
            total[connection_id] = total.get(connection_id, 0) + n


def set_aside(part: Part, routes: Routes, reason: str, detail: str) -> Batch:
    """The batch that sets whole messages aside, for a reason that decoding did not find."""
    batch = Batch()
    for topic, payload, _, header in part.items:
        route = routes.find(topic)
        message = Message(topic=route.topic, payload=payload, received_us=part.received_us, flags=_FLAGS[header & 7])
        batch.quarantined.append(quarantined(message, route.connection_id, reason, detail))
        if route.connection_id is not None:
            batch.delivered[route.connection_id] = batch.delivered.get(route.connection_id, 0) + 1
            batch.payload_bytes[route.connection_id] = batch.payload_bytes.get(route.connection_id, 0) + len(payload)
    return batch


def _too_large(message: Message, connection_id: int | None, limit: int) -> QuarantinedMessage:
    detail = f"{len(message.payload)} B > {limit} B (PILOTBED_MAX_PAYLOAD_BYTES)"
    return quarantined(message, connection_id, reasons.TOO_LARGE, detail, head_only=True)
