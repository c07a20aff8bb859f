"""What goes into a decoder and what comes out: one message in, columns and records out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from ingest.memory import Recollection, nothing
from telemetry.batch import EventRecord, Flag, LinkStateRecord, QuarantinedMessage, RejectedItem

HEAD_BYTES: Final = 4_096
"""So much of an oversized message is kept."""

# Plain integers: an IntFlag's operators cost a microsecond each.
ARRIVAL: Final = int(Flag.ARRIVAL_TIME)
RETAINED: Final = int(Flag.RETAINED)
QOS0: Final = int(Flag.QOS0)

_LONGEST_SHOWN: Final = 200
_LONGEST_TOPIC: Final = 4_096


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    received_us: int
    """When it arrived at the collector."""
    flags: int = 0
    """The intake facts that every reading of it carries: RETAINED, QOS0."""
    redelivered: bool = False
    """Whether the broker says that it had delivered it before."""


def message_flags(*, retain: bool, qos: int) -> int:
    """The intake facts that the broker's delivery shows."""
    return (RETAINED if retain else 0) | (QOS0 if qos == 0 else 0)


@dataclass(slots=True, kw_only=True)
class Decoded:
    """What decoders found, columnar for readings. One object collects a whole batch of messages."""

    channel_id: list[int] = field(default_factory=list)
    observed_us: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    link_states: list[LinkStateRecord] = field(default_factory=list)
    rejected: list[RejectedItem] = field(default_factory=list)
    quarantined: list[QuarantinedMessage] = field(default_factory=list)
    sequences: list[tuple[int, str, int]] = field(default_factory=list)
    """Numbers that messages carried: (connection_id, boot, seq)."""
    memory: Recollection = field(default_factory=nothing)
    """What protocols remember from message to message, and the commands that they ask for."""
    arrivals: list[int] = field(default_factory=list)
    """Positions of the readings whose observed_us is an arrival: they are made strictly increasing per channel."""

    def accepted(self) -> int:
        """How many items were taken so far."""
        return len(self.channel_id) + len(self.events) + len(self.link_states)

    def reading(self, channel_id: int, observed_us: int, value: float, flags: int) -> None:
        """Take one reading."""
        if flags & ARRIVAL:
            self.arrivals.append(len(self.channel_id))
        self.channel_id.append(channel_id)
        self.observed_us.append(observed_us)
        self.value.append(value)
        self.flags.append(flags)

    def numbered(self, connection_id: int, boot: str, seq: int) -> None:
        """The message carries this number of its sender: we answer for it from now on, whatever becomes of its readings."""
        self.sequences.append((connection_id, boot, seq))

    def reject(
        self, *, slot_id: int, topic: str, item: str, observed: str, value: str, reason: str, detail: str
    ) -> None:
        """Refuse one item, kept with its value. Texts come from devices: they are made storable and short here."""
        self.rejected.append(
            RejectedItem(
                slot_id=slot_id,
                topic=storable(topic),
                item=storable(item),
                observed=storable(observed),
                value=storable(value),
                reason=reason,
                detail=storable(detail),
            )
        )

    def quarantine(self, message: Message, connection_id: int | None, reason: str, detail: str) -> None:
        """Set a whole message aside."""
        self.quarantined.append(quarantined(message, connection_id, reason, detail))


class Decoder(Protocol):
    """What a protocol makes for one topic of one connection. It has no I/O and no clock, and never raises."""

    def decode(self, message: Message, out: Decoded) -> None:
        """Put everything that the message says into ``out``: readings, events, link states, refusals."""


def quarantined(
    message: Message, connection_id: int | None, reason: str, detail: str, *, head_only: bool = False
) -> QuarantinedMessage:
    """The record of a message set aside; ``head_only`` keeps its head and hash alone."""
    return QuarantinedMessage(
        connection_id=connection_id,
        # Whole as far as anybody can mean it: a replay finds the reader by it.
        topic=storable(message.topic, longest=_LONGEST_TOPIC),
        reason=reason,
        detail=storable(detail),
        payload=message.payload[:HEAD_BYTES] if head_only else message.payload,
        payload_bytes=len(message.payload),
        payload_sha256=hashlib.sha256(message.payload).hexdigest(),
        flags=message.flags,
        redelivered=message.redelivered,
    )


def storable(text: str, *, longest: int = _LONGEST_SHOWN) -> str:
    r"""A device's text as PostgreSQL can keep it: NUL and lone surrogates written out, cut to a readable length.

    >>> storable("a\x00b")
    'a\\u0000b'
    """
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    if "\x00" in text:
        text = text.replace("\x00", "\\u0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text
