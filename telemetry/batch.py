"""What the intake hands over for one commit: plain columns and records, already in canonical units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any, Literal

from numpy.typing import NDArray


class Flag(IntFlag):
    """Facts of intake about one reading or event. Judgements about quality never stand here."""

    ARRIVAL_TIME = 1
    """The sender gave no time or has no clock: ``observed_at`` is the arrival."""
    RETAINED = 2
    """The broker had kept the message: it is from the past, and counts by its own time."""
    QOS0 = 4
    """Sent without guarantee: what was lost on the way cannot be known."""
    LOADED = 8
    """Simulated history written by the loader, with simulated receipt times."""
    REPLAYED = 16
    """Stored by the replay of a message that had been set aside: received then, taken late."""
    REDECODED = 32
    """Stored when a raw message was decoded again after its mapping was corrected; never without REPLAYED."""


@dataclass(slots=True, kw_only=True)
class Readings:
    """Columns of equal length: one reading an index."""

    channel_id: list[int] = field(default_factory=list)
    observed_us: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.channel_id)

    def append(self, channel_id: int, observed_us: int, value: float, flags: int = 0) -> None:
        self.channel_id.append(channel_id)
        self.observed_us.append(observed_us)
        self.value.append(value)
        self.flags.append(flags)

    def extend(self, other: Readings) -> None:
        self.channel_id.extend(other.channel_id)
        self.observed_us.extend(other.observed_us)
        self.value.extend(other.value)
        self.flags.extend(other.flags)

    def rows(self) -> Iterable[tuple[int, int, float, int]]:
        return zip(self.channel_id, self.observed_us, self.value, self.flags, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """Something that happened at a slot. ``attributes`` is the text of a JSON object."""

    slot_id: int
    kind: str
    id: str
    phase: Literal["", "start", "end"]
    number: int | None
    at_us: int
    attributes: bytes
    flags: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStateRecord:
    """What a slot said of its link (``status``), or its connection's will said for it (``will``)."""

    slot_id: int
    at_us: int
    state: Literal["online", "offline"]
    origin: Literal["status", "will"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedMessage:
    """A message that could not be taken: whole, or its head where it is oversized."""

    connection_id: int | None
    topic: str
    reason: str
    detail: str
    payload: bytes
    payload_bytes: int
    payload_sha256: str
    flags: int = 0
    """Facts of its delivery, as of readings: a replay needs them."""
    redelivered: bool = False
    """The broker had delivered it before: it may be set aside already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """A reading or an event refused on its own: with its value as it was said."""

    slot_id: int
    topic: str
    item: str
    observed: str
    value: str
    reason: str
    detail: str
    redelivered: bool = False
    """The broker had delivered its message before: it may be there already."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Everything one transaction writes."""

    readings: Readings = field(default_factory=Readings)
    rows: NDArray[Any] | None = None
    """The same readings as rows for COPY (:func:`telemetry.rows.ahead`), where somebody made them ahead of time."""
    events: list[EventRecord] = field(default_factory=list)
    link_states: list[LinkStateRecord] = field(default_factory=list)
    quarantined: list[QuarantinedMessage] = field(default_factory=list)
    rejected: list[RejectedItem] = field(default_factory=list)
    delivered: dict[int, int] = field(default_factory=dict)
    """Messages delivered a connection, the quarantined ones among them."""
    payload_bytes: dict[int, int] = field(default_factory=dict)
    redelivered: dict[int, int] = field(default_factory=dict)
    """Of the delivered ones, those that the broker marks as delivered before."""
    sequences: list[tuple[int, str, int]] = field(default_factory=list)
    """Numbers that messages carried: (connection_id, boot, seq); ``boot`` is empty where the sender names none."""
    messages: list[tuple[int, int, str, bytes, int, int]] = field(default_factory=list)
    """Raw messages to keep: (pilot_id, connection_id, topic, payload, arrival in µs, flags of the delivery)."""
    remembered: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    """What protocols remember from here on: (connection_id, name, value); None where it is forgotten."""
