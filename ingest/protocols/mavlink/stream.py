"""One topic: the bytes that come on it, whatever part of a frame or however many of them a payload holds."""

from __future__ import annotations

import zlib
from typing import Final

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import RETAINED, Decoded, Message
from ingest.protocols.counted import set_aside_if_curable
from ingest.protocols.mavlink.frames import frames
from ingest.protocols.mavlink.heard import Heard, Rules
from ingest.protocols.mavlink.past import Past
from ingest.protocols.mavlink.remembered import (
    MOST_STREAMS,
    PIECES,
    STREAMS,
    TAIL,
    Stream,
    Streams,
    Tail,
    digest_of,
    has,
)
from ingest.protocols.mavlink.takers import Speaks
from ingest.protocols.mavlink.turn import Turn

_MOST_SHOWN: Final = 60
_MOST_SENDERS: Final = 1_000
"""So many are worked out and kept; of what is remembered, fewer."""


class StreamDecoder:
    """Reads the payloads of one topic. See :class:`ingest.message.Decoder`."""

    def __init__(self, binding: ConnectionBinding, topic: str, speaks: list[Speaks], rules: Rules) -> None:
        self._binding = binding
        self._id = binding.connection_id
        self._rules = rules
        self._topic = digest_of(topic)
        self._key = f"stream {self._topic}"
        self._speaks = speaks
        self._heard: dict[tuple[int, int], Heard] = {}
        self._past = Past(binding, self.heard, rules, f"again {self._topic}")

    def heard(self, system: int, component: int) -> Heard:
        """Who wants what of a sender."""
        found = self._heard.get((system, component))
        if found is None:
            if len(self._heard) >= _MOST_SENDERS:
                self._heard.clear()
            found = Heard(self._topic, system, component, self._speaks, self._binding)
            self._heard[system, component] = found
        return found

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        payload, memory = message.payload, out.memory
        if not payload or message.flags & RETAINED:
            reason, detail = (reasons.TIME_MISSING, "retain=1") if payload else (reasons.EMPTY, "0 B")
            out.quarantine(message, self._id, reason, detail)
            return
        if memory.replaying:
            self._past.decode(message, out)
            return
        known = memory.get(self._id, self._key, Stream)
        stream = known or self._begin(out)
        if stream is None:
            out.quarantine(message, self._id, reasons.NOT_OF_PROTOCOL, f"MAVLink: > {MOST_STREAMS} topics")
            return
        digest = (zlib.crc32(payload) << 32 | zlib.adler32(payload)).to_bytes(8, "big")
        if message.redelivered and self._was_read(stream, digest, out):
            again = Stream(stream.rest, stream.tail, stream.piece, stream.unreadable, stream.repeated + 1)
            memory.put(self._id, self._key, again)
            return
        data = stream.rest + payload if stream.rest else payload
        found = frames(data)
        unreadable = stream.unreadable
        if found.unreadable:
            unreadable += sum(end - start for start, end, _ in found.unreadable)
        tail, piece = stream.tail + digest, stream.piece
        if len(tail) >= 8 * TAIL:
            memory.put(self._id, f"{self._key} {piece}", Tail(tail))
            tail, piece = b"", (piece + 1) % PIECES
        now = Stream(found.rest, tail, piece, unreadable, stream.repeated)
        memory.put(self._id, self._key, now)
        accepted, refused = out.accepted(), len(out.rejected)
        if found.unreadable and not found.frames and not found.rest and not stream.rest:
            out.quarantine(message, self._id, reasons.NOT_OF_PROTOCOL, f"MAVLink: {payload[:20].hex()}")
            return
        if not found.frames and not found.unreadable:
            return
        turn = Turn(self._binding, self.heard, self._rules, self._topic, now, message, out)
        anybodys = turn.take(found.frames)
        if found.unreadable:
            self._tell_unreadable(data, found.unreadable, message, out)
        elif (not anybodys or len(out.rejected) > refused) and out.accepted() == accepted:
            told = set_aside_if_curable(message, self._binding, out, refused)
            if not anybodys and not told and found.frames:
                one = found.frames[0]
                out.quarantine(message, self._id, reasons.NO_SLOT, f"system={one.system} component={one.component}")

    def _begin(self, out: Decoded) -> Stream | None:
        """Enter a topic that was not heard before; None where there are too many."""
        streams = out.memory.get(self._id, STREAMS, Streams) or Streams()
        if self._topic not in streams.known:
            if len(streams.known) >= MOST_STREAMS:
                return None
            out.memory.put(self._id, STREAMS, Streams((*streams.known, self._topic)))
        return Stream()

    def _was_read(self, stream: Stream, digest: bytes, out: Decoded) -> bool:
        """Whether a message that the broker delivers again was read before: a collector may have ended in between."""
        if has(stream.tail, digest):
            return True
        for piece in range(PIECES):
            tail = out.memory.get(self._id, f"{self._key} {piece}", Tail)
            if tail is not None and has(tail.tail, digest):
                return True
        return False

    def _tell_unreadable(self, data: bytes, runs: list[tuple[int, int, bool]], message: Message, out: Decoded) -> None:
        """Keep bytes of no frame, with the reason: those with a wrong checksum, and the others."""
        for wrong, reason in ((True, reasons.BAD_CHECKSUM), (False, reasons.NO_FRAME)):
            its = [(start, end) for start, end, was_wrong in runs if was_wrong is wrong]
            if its:
                first = data[its[0][0] : its[0][1]]
                out.reject(
                    slot_id=self._speaks[0].slot.slot_id, topic=message.topic, item="frame", observed="",
                    value=first[:_MOST_SHOWN].hex(), reason=reason,
                    detail=f"MAVLink: {len(its)} × , {sum(end - start for start, end in its)} B",
                )  # fmt: skip
