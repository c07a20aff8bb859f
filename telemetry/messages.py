"""Raw messages, kept as they came: a block a pilot and batch, MessagePack in deflate.

A row a message would cost more than its reading; a block costs a few bytes a message and is read whole, in the order of
arrival, when a wrong mapping is corrected.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

Entry = tuple[int, str, bytes]
"""(connection_id, topic, payload)"""

_LEVEL = 1  # deflate at its fastest: payloads of one pilot resemble each other, more effort gains a few percent only
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[int, str, bytes]])


def pack(entries: list[Entry]) -> bytes:
    """A block's body."""
    return zlib.compress(_encoder.encode(entries), _LEVEL)


def unpack(body: bytes) -> Iterator[Entry]:
    """The messages of a block, in the order of arrival."""
    yield from _decoder.decode(zlib.decompress(body))
