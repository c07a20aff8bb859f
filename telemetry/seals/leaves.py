"""The leaves of a seal: their byte layout, which the database makes next to the data (``leaves.sql``) and this beside it.

    channel-hour of receipt   SHA-256(0x00 ‖ text pilot/slot/channel/revision ‖ text unit ‖ int8 hour ‖ int8 n
                                      ‖ int8 first, last observed_at ‖ rows)
        rows, by observed_at  int8 observed_at ‖ int8 received_at ‖ float8 value ‖ int2 flags
    lines of one kind         SHA-256(0x00 ‖ text pilot:kind ‖ lines)
        lines                 RFC 8785 JSON ‖ 0x0A

A text is its length in bytes as int2, then UTF-8. Numbers are big-endian, instants microseconds since 1970. A tree has first
the channel-hours by identity (its bytes) and hour, then the kinds that have lines, by identity.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import capabilities

from core.canonical import canonical_json, plain
from core.database import Connection

READING: Final = "reading"
"""The kind of the leaves of readings."""
ROW: Final = np.dtype([("observed_us", ">i8"), ("received_us", ">i8"), ("value", ">f8"), ("flags", ">i2")])
"""A row of a channel-hour as numpy sees it: 26 bytes, nothing between."""
_SAFE_INTEGER: Final = 2**53 - 1
_FETCHED: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The head of a leaf: all of it but its rows."""

    kind: str
    identity: str
    n: int
    hash: bytes
    unit: str = ""
    hour_us: int | None = None
    """Of receipt; None: not of readings."""
    first_us: int | None = None
    last_us: int | None = None
    body: bytes | None = None
    """The lines themselves, where what they were read from goes on changing."""

    @property
    def order(self) -> tuple[bool, bytes, int]:
        """By this the leaves of a tree are sorted."""
        return self.kind != READING, self.identity.encode(), self.hour_us or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a seal is about: everything of a pilot that was received or recorded from ``start`` up to before ``end``."""

    pilot_id: int
    pilot: str
    start: datetime | None
    """None: from the beginning."""
    end: datetime
    first_day: date | None
    """The first of the days whose counts belong to it; None: from the beginning."""
    last_day: date

    def parameters(self) -> dict[str, Any]:
        return {
            "pilot_id": self.pilot_id, "pilot": self.pilot, "start": self.start, "end": self.end,
            "first_day": self.first_day, "last_day": self.last_day,
        }  # fmt: skip


def text(value: str) -> bytes:
    """A text as it stands in a leaf."""
    encoded = value.encode()
    return struct.pack(">h", len(encoded)) + encoded


def begun_hour(identity: str, unit: str, hour_us: int, n: int, first_us: int, last_us: int) -> hashlib._Hash:
    """The hash of a channel-hour of receipt, begun: its rows (:func:`packed_rows`) are still to come."""
    return hashlib.sha256(b"\x00" + text(identity) + text(unit) + struct.pack(">qqqq", hour_us, n, first_us, last_us))


def packed_rows(
    observed_us: NDArray[np.int64],
    received_us: NDArray[np.int64],
    value: NDArray[np.float64],
    flags: NDArray[np.int16],
) -> bytes:
    """Columns, in the order of the leaves, as the rows that stand in them."""
    made = np.empty(len(value), dtype=ROW)
    made["observed_us"], made["received_us"], made["value"], made["flags"] = observed_us, received_us, value, flags
    return made.tobytes()


def line(values: Mapping[str, Any]) -> bytes:
    """One record as a line: RFC 8785, its integers beyond 2**53 and what is no finite number as texts."""
    sayable = {key: _sayable(value) for key, value in values.items()}
    if any(isinstance(value, float | list | dict) for value in sayable.values()):
        return canonical_json(sayable) + b"\n"
    # Without a fraction the standard library writes the same bytes, thirty times as fast: there may be millions of lines.
    return json.dumps(sayable, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _sayable(value: Any) -> Any:
    match value:
        case bool() | None | str():
            return value
        case int():
            return value if abs(value) <= _SAFE_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return plain(value)


def line_identity(pilot: str, kind: str) -> str:
    """What a leaf of lines is called. A colon, which no name has, keeps it apart from a channel."""
    return f"{pilot}:{kind}"


def begun_lines(pilot: str, kind: str) -> hashlib._Hash:
    """The hash of a leaf of lines, begun: its lines are still to come."""
    return hashlib.sha256(b"\x00" + text(line_identity(pilot, kind)))


def lines_of(connection: Connection, span: Span, statement: LiteralString) -> Iterator[bytes]:
    """The lines of a kind, in order, in constant memory. Until they are all read the connection does nothing else."""
    return map(line, streamed(connection, statement, span.parameters()))


def streamed(
    connection: Connection, statement: LiteralString, parameters: Mapping[str, Any], *, binary: bool = False
) -> Iterator[dict[str, Any]]:
    """The rows of a statement, some at a time. Until they are all read the connection does nothing else."""
    size = _FETCHED if capabilities.has_stream_chunked() else 1
    with connection.cursor() as cursor:
        yield from cursor.stream(statement, parameters, binary=binary, size=size)


def line_leaf(
    connection: Connection, span: Span, kind: str, statement: LiteralString, *, keep: bool = False
) -> Leaf | None:
    """The leaf of one kind, in constant memory; None if it has no lines.

    :param keep: whether its lines are kept with it.
    """
    digest, n, kept = begun_lines(span.pilot, kind), 0, bytearray()
    for one in lines_of(connection, span, statement):
        digest.update(one)
        n += 1
        if keep:
            kept.extend(one)
    if not n:
        return None
    identity = line_identity(span.pilot, kind)
    return Leaf(kind=kind, identity=identity, n=n, hash=digest.digest(), body=bytes(kept) if keep else None)


def total(leaves: Iterable[Leaf], kinds: Iterable[str]) -> dict[str, int]:
    """Rows by kind, those without any among them."""
    found = dict.fromkeys((READING, *kinds), 0)
    for leaf in leaves:
        found[leaf.kind] = found.get(leaf.kind, 0) + leaf.n
    return found
