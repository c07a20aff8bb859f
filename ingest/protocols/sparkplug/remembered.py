"""What is remembered of a node. What changes with each message is small; what is large changes at births only."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

MOST_NODES: Final = 1_000
"""So many nodes a connection may have, and so many devices a node."""
MOST_DEVICES: Final = 2_000


class Count(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a node's numbering stands."""

    number: int = 1
    """Of its next message since its birth, which is 1: never wrapped."""
    seq: int = -1
    """The next one, 0 to 255; -1: any is."""
    latest_ms: int = 0
    """The newest time at the top of its messages."""


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A node between two births, and what is in doubt of it."""

    ordinal: int = 0
    """Counts births: what was told before is old."""
    boot: str = ""
    """The birth's identity in the account of numbers; empty before the first."""
    alive: bool = False
    bd_seq: int | None = None
    born_ms: int = 0
    """The time at the top of its birth."""
    died_us: int = 0
    """Receipt of its last death."""
    death: str = ""
    """What that death said of itself."""
    devices: tuple[str, ...] = ()
    """Those of a plan's slot that were born, ever."""
    doubt_us: int = 0
    """Receipt of what made us doubt whether we know its names; 0: nothing does."""
    holes: tuple[int, ...] = ()
    """Numbers that are waited for."""
    asked_us: int = 0
    """When it was last asked for its births."""
    asks: int = 0
    """How often, without a long pause between."""


class Table(msgspec.Struct, frozen=True, array_like=True):
    """What a birth says of its metrics."""

    ordinal: int
    """Of the session that it was told in."""
    number: int
    """Of the birth."""
    bd_seq: int | None
    since_us: int
    """What was received later was said by these names: the receipt of the death before, or of a birth that changed aliases."""
    names: dict[str, int]
    """Name → data type; -1 where the birth names it twice with two types."""
    aliases: dict[int, str]
    """Alias → name; empty where the birth gives it to two."""
    former: dict[int, str]
    """Aliases that meant something else by the birth before."""


class Held(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that waits for a birth."""

    topic: str
    payload: bytes
    received_us: int
    flags: int
    number: int


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """Which messages are held: place, device (empty: the node's own), size."""

    held: tuple[tuple[int, str, int], ...] = ()
    next: int = 0
    payload_bytes: int = 0


class Nodes(msgspec.Struct, frozen=True, array_like=True):
    """Group and node of each that was heard."""

    names: tuple[tuple[str, str], ...] = ()


NODES: Final = "nodes"


def key(what: str, *names: str) -> str:
    """The name under which something is kept. Topics may be long: their digest stands for them."""
    return f"{what} {hashlib.blake2b('/'.join(names).encode('utf-8', 'surrogatepass'), digest_size=10).hexdigest()}"


def table_of(
    payload: Any, before: Table | None, *, ordinal: int, number: int, bd_seq: int | None, died_us: int, received_us: int
) -> Table:
    """The names and aliases of a birth."""
    names: dict[str, int] = {}
    aliases: dict[int, str] = {}
    for metric in payload.metrics:
        name = metric.name.decode("utf-8", "replace")
        if not name:
            continue
        if names.setdefault(name, metric.datatype) != metric.datatype:
            names[name] = -1
        if metric.HasField("alias") and aliases.setdefault(metric.alias, name) != name:
            aliases[metric.alias] = ""
    former = {} if before is None else {
        alias: name for alias, name in before.aliases.items() if aliases.get(alias, name) != name
    }  # fmt: skip
    since_us = received_us if former else max(died_us, 0 if before is None else before.since_us)
    return Table(ordinal, number, bd_seq, since_us, names, aliases, former)


def bd_seq_of(payload: Any) -> int | None:
    """The number that a birth and its death share, if it says one."""
    for metric in payload.metrics:
        if metric.name == b"bdSeq" and metric.WhichOneof("value") in ("int_value", "long_value"):
            return int(metric.int_value or metric.long_value)
    return None
