"""What the frames of one payload say, one after the other: numbers, times, readings, events, links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import ARRIVAL, Decoded, Message
from ingest.protocols.mavlink.dialect import SINCE_US, SYSTEM_TIME, kind
from ingest.protocols.mavlink.flight import MESSAGES, TEXT, Said
from ingest.protocols.mavlink.frames import Frame
from ingest.protocols.mavlink.heard import Heard, Rules
from ingest.protocols.mavlink.remembered import (
    MOST_BOOTS,
    MOST_SENDERS,
    SENDERS,
    STRANGERS,
    Sender,
    Senders,
    Starts,
    Strangers,
    Stream,
)
from ingest.protocols.mavlink.takers import HEARTBEAT, Taker, is_station
from ingest.protocols.mavlink.voice import Voice

_MOST_STRANGERS: Final = 64
_Who = tuple[int, int]


class Turn:
    """One payload's."""

    __slots__ = (
        "_binding",
        "_heard",
        "_id",
        "_message",
        "_out",
        "_received_us",
        "_rules",
        "_stream",
        "_voices",
        "topic",
    )

    def __init__(
        self, binding: ConnectionBinding, heard: Callable[[int, int], Heard], rules: Rules, topic: str, stream: Stream,
        message: Message, out: Decoded,
    ) -> None:  # fmt: skip
        self._binding = binding
        self._id = binding.connection_id
        self._heard = heard
        self._rules = rules
        self.topic = topic
        self._stream = stream
        self._message = message
        self._received_us = message.received_us
        self._out = out
        self._voices: dict[_Who, tuple[Heard, Voice]] = {}

    def take(self, frames: list[Frame]) -> bool:
        """Take them all. :returns: whether they are anybody's: a slot's, or a ground station's, which none needs to mean."""
        anybodys = False
        memory, own = self._out.memory, self._id
        for frame in frames:
            who = (frame.system, frame.component)
            found = self._voices.get(who) or self._voice(who)
            if found is None:
                continue
            self._take(frame, *found)
            anybodys = anybodys or bool(found[0].speaks) or is_station(*who)
        for heard, voice in self._voices.values():
            if voice.moved:
                self._keep_start(heard, voice)
            memory.put(own, heard.key, heard.frozen(voice))
        return anybodys

    def _voice(self, who: _Who) -> tuple[Heard, Voice] | None:
        """A sender with its state; None where there are too many already."""
        heard = self._heard(*who)
        sender = self._out.memory.get(self._id, heard.key, Sender)
        if sender is None:
            senders = self._out.memory.get(self._id, SENDERS, Senders) or Senders()
            entry = (self.topic, *who)
            if entry not in senders.known:
                if len(senders.known) >= MOST_SENDERS:
                    return None
                self._out.memory.put(self._id, SENDERS, Senders((*senders.known, entry)))
            sender = Sender()
        found = self._voices[who] = heard, heard.thawed(sender)
        return found

    def _take(self, frame: Frame, heard: Heard, voice: Voice) -> None:
        received_us, out = self._received_us, self._out
        number, fate = voice.place(frame, received_us, self._rules.silence_us)
        payload, of = frame.payload, kind(frame.number)
        if fate == "repeated" or of is None or payload is None:
            self._count(heard, voice, number)
            if fate != "repeated":
                voice.unknown += 1
                self._tell_stranger(frame, heard)
            return
        taker = heard.taker(of)
        told_ms = -1
        if taker.boot_at >= 0:
            raw_ms = int.from_bytes(payload[taker.boot_at : taker.boot_at + 4], "little")
            if fate == "next":
                unix_us = int.from_bytes(payload[:8], "little") if taker.clock == SYSTEM_TIME else None
                told_ms, anew = voice.started(raw_ms, received_us, unix_us)
                if anew:
                    number = voice.restart(frame)
                if unix_us is not None:
                    voice.tell_time(unix_us, told_ms)
            else:
                told_ms = voice.late(raw_ms)
        self._count(heard, voice, number)
        flying = heard.flights and frame.number in MESSAGES and fate == "next"
        if not (taker.wanted or flying or frame.number == HEARTBEAT):
            return
        values = of.read(payload)
        at_us, flags = self._date(taker, payload, told_ms, voice)
        begun = len(out.channel_id)
        if taker.wanted:
            taker.take(values, at_us, self._message.flags | flags, self._message, self._binding, out)
        if fate == "next" and frame.number == HEARTBEAT:
            self._heartbeat(values, heard, voice, taker, at_us)
        if not self._rules.clock:
            out.arrivals += range(begun, len(out.channel_id))
        # Whether a flight still goes on is not known yet; a text is one in any case.
        if flying and (frame.number == TEXT or not voice.unsure(received_us)):
            said = Said(
                frame.number, frame.system, frame.component, voice.boot, number, at_us, self._message.flags | flags
            )
            for flights in heard.flights:
                flights.take(values, said, self._message, out)

    def _count(self, heard: Heard, voice: Voice, number: int) -> None:
        if number > 0:
            self._out.numbered(self._id, f"{heard.label}.{voice.ordinal}", number)

    def _date(self, taker: Taker, payload: bytes, told_ms: int, voice: Voice) -> tuple[int, int]:
        if not self._rules.clock:
            return self._received_us, ARRIVAL
        if told_ms >= 0:
            return voice.at(told_ms, self._received_us)
        if taker.clock == SINCE_US:
            raw_us = int.from_bytes(payload[taker.clock_at : taker.clock_at + 8], "little")
            return voice.at_us_since(raw_us, self._received_us)
        return voice.undated(self._received_us)

    def _heartbeat(self, values: tuple[Any, ...], heard: Heard, voice: Voice, taker: Taker, at_us: int) -> None:
        for link in heard.links:
            link.heartbeat(values, self._received_us, self._out)
        for sources, source in taker.counters:
            counted = {
                "frames.received": voice.received, "frames.lost": voice.lost, "frames.repeated": voice.repeated,
                "frames.unknown": voice.unknown, "frames.unreadable": self._stream.unreadable,
            }[source]  # fmt: skip
            flags = self._message.flags | ARRIVAL
            sources.take(source, counted, at_us, flags, self._message, self._out, "1")

    def _tell_stranger(self, frame: Frame, heard: Heard) -> None:
        """Tell, once, of a message that the dialect does not have."""
        strangers = self._out.memory.get(self._id, STRANGERS, Strangers) or Strangers()
        known = strangers.known
        if frame.number in known or len(known) >= _MOST_STRANGERS or not heard.speaks:
            return
        self._out.memory.put(self._id, STRANGERS, Strangers((*known, frame.number)))
        self._out.reject(
            slot_id=heard.speaks[0].slot.slot_id, topic=self._message.topic, item=f"message {frame.number}", observed="",
            value=str(frame.number), reason=reasons.UNKNOWN_MESSAGE,
            detail=f"system={frame.system} component={frame.component}",
        )  # fmt: skip

    def _keep_start(self, heard: Heard, voice: Voice) -> None:
        starts = self._out.memory.get(self._id, heard.starts_key, Starts) or Starts()
        known, since_us = starts.known, voice.since_us or self._received_us
        if known and known[-1][2:] == (1, voice.boot) and voice.by == 1:
            since_us, known = known[-1][0], known[:-1]
        entry = (since_us, voice.started_us, voice.by, voice.boot)
        self._out.memory.put(self._id, heard.starts_key, Starts((*known, entry)[-MOST_BOOTS:]))
