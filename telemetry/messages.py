"""Raw messages, kept as they came: a block a pilot and batch, MessagePack in deflate.

A row a message would cost more than its reading; a block costs a few bytes a message and is read whole, in the order of
arrival, when a wrong mapping is corrected. With each message stand its arrival and the facts of its delivery: of a device
without a clock the arrival is the time of its readings.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from core.database import Connection
from core.sql import load

_SQL = load("telemetry", "messages.sql")

Entry = tuple[int, str, bytes, int, int]
"""(connection_id, topic, payload, arrival in µs, flags of the delivery)"""

_LEVEL = 1  # deflate at its fastest: payloads of one pilot resemble each other, more effort gains a few percent only


class Raw(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message of a block."""

    connection_id: int
    topic: str
    payload: bytes
    arrival_us: int | None = None
    """When it came to the collector; None in blocks from before this was kept."""
    flags: int = 0
    """RETAINED and QOS0 of :class:`telemetry.batch.Flag`."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The messages of one pilot that were committed together."""

    message_id: int
    received_at: datetime
    n: int
    messages: list[Raw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What there is of a pilot's raw messages in a span of receipt."""

    blocks: int
    messages: int
    first_at: datetime | None
    last_at: datetime | None


def pack(entries: Sequence[Entry]) -> bytes:
    """A block's body."""
    return zlib.compress(_encoder.encode(entries), _LEVEL)


def unpack(body: bytes) -> list[Raw]:
    """The messages of a block, in the order of arrival."""
    return _decoder.decode(zlib.decompress(body))


def kept(
    connection: Connection, pilot: str, start: datetime | None = None, end: datetime | None = None, sender: str | None = None
) -> Kept:  # fmt: skip
    """What is kept of a pilot between two instants of receipt, of blocks that hold messages of one connection if one is named."""
    asked = {"pilot": pilot, "start": start, "end": end, "sender": sender}
    row = connection.execute(_SQL["kept"], asked).fetchone()
    assert row is not None
    return Kept(blocks=row["blocks"], messages=row["messages"], first_at=row["first_at"], last_at=row["last_at"])


def dropped_before(connection: Connection, pilot: str) -> datetime | None:
    """Up to where a pilot's raw messages were dropped because their time was over; None if none were."""
    row = connection.execute(_SQL["dropped_before"], {"pilot": pilot}).fetchone()
    before: datetime | None = None if row is None else row["before"]
    return before


def read(
    connection: Connection, pilot: str, start: datetime, end: datetime, sender: str | None = None
) -> Iterator[Block]:
    """The blocks of a pilot received in ``[start, end)``, in the order of receipt, one at a time.

    :param connection: each block is a statement of its own, so that one may commit between two of them.
    """
    after_at, after_id = start, 0
    while True:
        asked = {"pilot": pilot, "start": after_at, "after": after_id, "end": end, "sender": sender}
        row = connection.execute(_SQL["next_block"], asked).fetchone()
        if row is None:
            return
        after_at, after_id = row["received_at"], row["message_id"]
        yield Block(message_id=after_id, received_at=after_at, n=row["n"], messages=unpack(row["body"]))
