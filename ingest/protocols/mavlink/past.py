"""Messages of the past: read by what is remembered of their senders' starts, and nothing follows on them.

Their readings get the times that they had, or would have had: frames that tell milliseconds since a start by that start, the
others the receipt.
"""

from __future__ import annotations

from collections.abc import Callable

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import ARRIVAL, Decoded, Message
from ingest.protocols.counted import set_aside_if_curable
from ingest.protocols.mavlink.dialect import SINCE_US, kind
from ingest.protocols.mavlink.frames import Frame, frames
from ingest.protocols.mavlink.heard import Heard, Rules
from ingest.protocols.mavlink.remembered import Starts, Stream
from ingest.protocols.mavlink.voice import EPOCH_US, LAST_US

_WRAP_US = 2**32 * 1000


class Past:
    """Reads one stream's messages of the past, those that are read together in their order."""

    def __init__(self, binding: ConnectionBinding, heard: Callable[[int, int], Heard], rules: Rules, name: str) -> None:
        """:param name: under which half a frame waits for the next message."""
        self._binding = binding
        self._heard = heard
        self._rules = rules
        self._name = name

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        own = self._binding.connection_id
        before = out.memory.get(own, self._name, Stream)
        found = frames((b"" if before is None else before.rest) + message.payload)
        out.memory.put(own, self._name, Stream(rest=found.rest))
        accepted, refused, somebodys = out.accepted(), len(out.rejected), False
        for frame in found.frames:
            heard = self._heard(frame.system, frame.component)
            somebodys = somebodys or bool(heard.speaks)
            self._take(frame, heard, message, out)
        if out.accepted() == accepted and not set_aside_if_curable(message, self._binding, out, refused):
            if found.frames and not somebodys:
                one = found.frames[0]
                detail = f"system={one.system} component={one.component}"
                out.quarantine(message, own, reasons.NO_SLOT, detail)
            elif not found.frames and before is None:
                out.quarantine(message, own, reasons.NOT_OF_PROTOCOL, f"MAVLink: {message.payload[:20].hex()}")

    def _take(self, frame: Frame, heard: Heard, message: Message, out: Decoded) -> None:
        of = kind(frame.number)
        if of is None or frame.payload is None or not heard.taker(of).wanted:
            return
        taker = heard.taker(of)
        at_us, flags = message.received_us, ARRIVAL
        if self._rules.clock and taker.boot_at >= 0:
            raw = int.from_bytes(frame.payload[taker.boot_at : taker.boot_at + 4], "little")
            at_us, flags = self._at(raw, heard, message, out)
        elif self._rules.clock and taker.clock == SINCE_US:
            raw = int.from_bytes(frame.payload[taker.clock_at : taker.clock_at + 8], "little")
            if raw >= EPOCH_US:
                at_us, flags = min(raw, LAST_US), 0
        taker.take(of.read(frame.payload), at_us, message.flags | flags, message, self._binding, out)

    def _at(self, raw_ms: int, heard: Heard, message: Message, out: Decoded) -> tuple[int, int]:
        starts = out.memory.get(self._binding.connection_id, heard.starts_key, Starts)
        for since_us, started_us, by, _ in reversed(() if starts is None else starts.known):
            if since_us <= message.received_us:
                at_us = started_us + raw_ms * 1000
                at_us += max(0, round((message.received_us - at_us) / _WRAP_US)) * _WRAP_US
                return min(at_us, LAST_US), 0 if by == 2 else ARRIVAL
        return message.received_us, ARRIVAL
