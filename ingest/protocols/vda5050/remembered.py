"""What is remembered of a robot. What changes with each message is small; a mission changes when something happens."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import msgspec

MOST_ROBOTS: Final = 1_000
"""So many robots a connection may have."""
ROBOTS: Final = "robots"
MOST_ERRORS: Final = 64
"""So many of a robot's errors are followed at a time."""
MOST_ACTIONS: Final = 64
"""So many instant actions are remembered by their ids."""


class Count(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the numbers of one topic stand."""

    header: int = -1
    """The newest one; -1: there was none."""
    latest_us: int = 0
    """The newest time that a message told."""
    received_us: int = 0
    """Its receipt."""
    base: int = 0
    """What is added since it began anew at 2^32."""
    first: int = 0
    """The first one of this boot."""
    ordinal: int = 0
    boot: str = ""
    """Names the numbering in the account."""


class Mission(msgspec.Struct, frozen=True, array_like=True):
    """One order that a robot carries out."""

    order: str
    id: str
    """Of its events."""
    update: int
    start_us: int
    start_seen: bool
    final: int = -1
    """The sequence number of its last node; -1: nobody said."""
    interventions: int = 0
    fatal: int = 0
    lost: int = 0
    """Messages of its time that were lost."""
    updates: int = 0
    cancelled: bool = False
    cancel_us: int = 0
    """Receipt of the cancellation that was heard last before it."""
    from_m: float = -1.0
    """The distance at its start; -1: it is not known."""
    ended: bool = False


class Error(msgspec.Struct, frozen=True, array_like=True):
    """One error that is there."""

    key: str
    id: str
    type: str
    level: str
    since_us: int
    seen: bool
    """Whether it was seen to come."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What a robot's states have said so far."""

    mission: Mission | None = None
    helped: bool = False
    """Whether a person was at it: not in automatic mode, or a fatal error."""
    mode: str = ""
    cancels: tuple[str, ...] = ()
    """Cancellations that the last state named."""
    errors: tuple[Error, ...] = ()


class Travel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far a robot went."""

    total_m: float = 0.0
    x: float = 0.0
    y: float = 0.0
    map: str = ""
    at_us: int = 0
    """Of the last position that counted; 0: there is none."""
    node: str = ""
    since_m: float = -1.0
    """How far it was past its last node; -1: it did not say."""


class Ordered(msgspec.Struct, frozen=True, array_like=True):
    """The order that a robot was given last."""

    order: str = ""
    update: int = 0
    final: int = -1
    received_us: int = 0


class Instant(msgspec.Struct, frozen=True, array_like=True):
    """What else a robot was told to do."""

    ids: tuple[str, ...] = ()
    cancel_us: int = 0
    """Receipt of the last cancellation."""
    cancels: str = ""
    """The order that it names; empty: the present one."""


class Online(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a robot last said that it came online."""

    received_us: int = 0


class Robots(msgspec.Struct, frozen=True, array_like=True):
    """The robots that were heard, each by its key."""

    keys: tuple[str, ...] = ()


@lru_cache(maxsize=8_192)
def key(what: str, *names: str) -> str:
    """The name under which something is kept. Topics may be long: their digest stands for them."""
    return f"{what} {digest('/'.join(names))}"


def digest(text: str) -> str:
    """Short and always the same."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
