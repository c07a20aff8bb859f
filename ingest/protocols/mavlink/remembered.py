"""What is remembered of a byte stream, of a sender in it, and of a slot's vehicle. What changes with each message is small."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

MOST_STREAMS: Final = 256
"""So many topics of a connection have a memory of their own, and so many senders within all of them."""
MOST_SENDERS: Final = 256
MOST_BOOTS: Final = 64
WINDOW: Final = 64
"""So many of a sender's last frames are known by their checksums: a late one is told from a repeated one."""
TAIL: Final = 128
"""Messages whose digests stand in one piece of a stream's tail, and how many pieces there are."""
PIECES: Final = 64
_DIGEST: Final = 8


class Stream(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The bytes of one topic."""

    rest: bytes = b""
    """The beginning of a frame whose end has not come yet."""
    tail: bytes = b""
    """Digests of its last messages."""
    piece: int = 0
    """Which piece of the tail this is."""
    unreadable: int = 0
    """Bytes that were of no frame, ever."""
    repeated: int = 0
    """Messages that the broker delivered again after they had been read."""


class Tail(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A piece of a stream's tail that is full."""

    tail: bytes


class Sender(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One component of one system, in one stream: its numbers and its clock."""

    ordinal: int = 0
    """Counts its numberings: a restart begins one, and a silence."""
    number: int = 1
    """Of its next frame; never wrapped."""
    seq: int = -1
    """The next one, 0 to 255; -1: any is."""
    sums: bytes = b""
    """Checksums of its last frames, two bytes each; zeros: it did not come."""
    heard_us: int = 0
    """Receipt of its last frame."""
    boot: int = 0
    """Counts its starts."""
    latest_ms: int = -1
    """The newest time since its start that it told, never wrapped; -1: none."""
    latest_us: int = 0
    """Receipt of that."""
    started_us: int = 0
    """When it was started, by the clock that :attr:`by` tells."""
    by: int = 0
    """0: nobody knows; 1: by receipt; 2: by its own word (SYSTEM_TIME)."""
    dated_us: int = 0
    """The last time that was given to a frame without one."""
    received: int = 0
    lost: int = 0
    repeated: int = 0
    unknown: int = 0
    fresh: bool = False
    """Whether its numbering began after the last frame that told a time."""
    quiet_us: int = 0
    """Receipt of its last frame before a silence in which it may have been started anew; 0: that is no question."""
    quiet_ms: int = 0
    """The newest time since its start that it had told by then."""
    asked_us: int = 0
    """Receipt of its first frame after that silence."""


class Senders(msgspec.Struct, frozen=True, array_like=True):
    """Who was heard: stream, system, component."""

    known: tuple[tuple[str, int, int], ...] = ()


class Streams(msgspec.Struct, frozen=True, array_like=True):
    """Which topics have a memory."""

    known: tuple[str, ...] = ()


class Starts(msgspec.Struct, frozen=True, array_like=True):
    """A sender's starts, for those who look at messages of the past: since when known (receipt), when, by whom, and which."""

    known: tuple[tuple[int, int, int, int], ...] = ()


class Strangers(msgspec.Struct, frozen=True, array_like=True):
    """Message numbers that the dialect does not have, and that were told of already."""

    known: tuple[int, ...] = ()


SENDERS: Final = "senders"
STREAMS: Final = "streams"
STRANGERS: Final = "strangers"


def digest_of(topic: str) -> str:
    """Topics may be long: their digest stands for them."""
    return hashlib.blake2b(topic.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def has(tail: bytes, digest: bytes) -> bool:
    """Whether a message's digest stands in a piece of a tail."""
    at = tail.find(digest)
    while at >= 0 and at % _DIGEST:
        at = tail.find(digest, at + 1)
    return at >= 0
