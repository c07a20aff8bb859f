"""The order of a topic's messages: ``headerId`` counts them up, and begins anew where the robot does."""

from __future__ import annotations

import zlib
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from ingest.binding import FUTURE_US
from ingest.message import Message
from ingest.protocols.vda5050.remembered import Count

LARGEST: Final = 2**32 - 1
_LEAP: Final = 1_000_000
"""So many messages are not lost in a row: the number was set anew."""
_NEAR: Final = 100_000


class Place(NamedTuple):
    """Where a message stands among those of its topic."""

    now: Count
    """What is remembered from here on."""
    number: int | None
    """Its number in ``now.boot``; None: it has none, or belongs to an earlier numbering."""
    late: bool
    """It was there already, or comes from before one that was."""
    lost: int = 0
    """How many between the one before and this are missing."""
    fresh: bool = False
    """A numbering begins with it."""
    before_us: int = 0
    """When the newest message before it was from; 0: there was none."""


def header_of(raw: Any) -> int | None:
    """A ``headerId``; None where it is none."""
    return raw if type(raw) is int and 0 <= raw <= LARGEST else None


def place(count: Count, topic: str, header: int | None, said_us: int | None, message: Message, online_us: int) -> Place:
    """Find a message's place.

    :param said_us: its own time, if it has one.
    :param online_us: receipt of the robot's last word that it came online.
    """
    found = _place(count, topic, header, said_us, message, online_us)
    return found._replace(before_us=count.latest_us or count.received_us)


def _place(
    count: Count, topic: str, header: int | None, said_us: int | None, message: Message, online_us: int
) -> Place:
    old = said_us is not None and said_us <= count.latest_us
    if header is None:
        late = message.redelivered or (said_us is not None and said_us < count.latest_us)
        return Place(count if late else _later(count, said_us, message), None, late)
    if count.header < 0:
        return _begin(count, topic, header, said_us, message)
    ahead = header - count.header
    if ahead > 0:
        if ahead > _LEAP:
            return _begin(count, topic, header, said_us, message)
        now = replace(_later(count, said_us, message), header=header)
        return Place(now, count.base + header, False, ahead - 1)
    if ahead == 0:
        if message.redelivered or old or said_us is None:
            return Place(count, count.base + header, True)
        return Place(_later(count, said_us, message), None, False)  # a robot that does not count
    if count.header > LARGEST - _NEAR and header < _NEAR and not message.redelivered:
        now = replace(_later(count, said_us, message), header=header, base=count.base + LARGEST + 1)
        return Place(now, now.base + header, False, LARGEST - count.header + header)
    if message.redelivered or (old and online_us <= count.received_us):
        number = count.base + header
        return Place(count, number if number >= count.first else None, True)
    return _begin(count, topic, header, said_us, message)


def _begin(count: Count, topic: str, header: int, said_us: int | None, message: Message) -> Place:
    plausible = _plausible(said_us, message)
    name = zlib.crc32(topic.encode("utf-8", "surrogatepass"))
    boot = f"{name:08x}.{count.ordinal + 1}.{max(plausible or message.received_us, 0) // 1000}"
    # Its clock may have been set back: what it said before must not make all that follows look old.
    first = header if count.ordinal else 0  # of the first boot that is heard of, what came before is heard late
    now = Count(header, plausible, message.received_us, 0, first, count.ordinal + 1, boot)
    return Place(now, header, False, 0, True)


def _later(count: Count, said_us: int | None, message: Message) -> Count:
    return replace(count, latest_us=max(count.latest_us, _plausible(said_us, message)), received_us=message.received_us)


def _plausible(said_us: int | None, message: Message) -> int:
    """A time by which later ones may be judged: a clock that runs ahead must not make all that follows look old."""
    return said_us if said_us is not None and 0 < said_us <= message.received_us + FUTURE_US else 0
