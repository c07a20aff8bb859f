"""PostgreSQL's binary forms of numbers and instants: columns that the database strings together, both ways, and its COPY.

A block that has a whole column to hand over strings it together (``string_agg(float8send(value), …)``), so that numpy reads it
in one go; no rows are NULL, and read as no values.
"""

from __future__ import annotations

from typing import Any, Final, LiteralString

import numpy as np
from numpy.typing import NDArray

from core.database import Connection

PG_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01, where PostgreSQL's binary timestamps begin, in microseconds since 1970."""

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL: Final = b"\xff\xff"

# --- read


def instants(sent: bytes | None) -> NDArray[np.int64]:
    """``timestamptz_send``: microseconds since 1970."""
    return np.frombuffer(sent or b"", dtype=">i8").astype(np.int64) + PG_EPOCH_US


def floats(sent: bytes | None) -> NDArray[np.float64]:
    """``float8send``."""
    return np.frombuffer(sent or b"", dtype=">f8").astype(np.float64)


def wholes(sent: bytes | None) -> NDArray[np.int64]:
    """``int4send``."""
    return np.frombuffer(sent or b"", dtype=">i4").astype(np.int64)


def flags(sent: bytes | None) -> NDArray[np.int16]:
    """``int2send``."""
    return np.frombuffer(sent or b"", dtype=">i2").astype(np.int16)


def truths(sent: bytes | None) -> NDArray[np.bool_]:
    """``boolsend``."""
    return np.frombuffer(sent or b"", dtype=np.bool_)


# --- written


def of_instants(us: NDArray[np.int64]) -> bytes:
    return (us - PG_EPOCH_US).astype(">i8").tobytes()


def of_floats(values: NDArray[Any]) -> bytes:
    return values.astype(">f8").tobytes()


def of_wholes(values: NDArray[Any]) -> bytes:
    return values.astype(">i4").tobytes()


def copy(connection: Connection, statement: LiteralString, packed: bytes) -> None:
    """Send rows through a ``COPY … FROM STDIN (FORMAT binary)`` statement."""
    with connection.cursor().copy(statement) as stream:
        stream.write(_HEAD)
        stream.write(packed)
        stream.write(_TAIL)
