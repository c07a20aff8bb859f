"""Canonical JSON (RFC 8785) and the hashes printed on documents."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import rfc8785

from core.window import micros

_SAFE_INTEGER = 2**53 - 1


def plain(value: Any) -> Any:
    """The JSON form of a value made of records, dates and numbers.

    Instants become ISO 8601 in UTC with microseconds, so that the text is the same everywhere. What JSON cannot say (NaN,
    an infinity, an integer beyond 2**53 - 1) is an error here, not a surprise in a document.
    """
    match value:
        case None | bool() | str():
            return value.value if isinstance(value, Enum) else value
        case int():
            if abs(value) > _SAFE_INTEGER:
                raise ValueError(f"{value} is beyond what JSON numbers hold exactly (2**53 - 1)")
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is no JSON number")
            return value
        case datetime():
            micros(value)  # refuses a naive one
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            return value.isoformat()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            fields = getattr(value, "__dataclass_fields__", None)
            if fields is None:
                raise TypeError(f"{type(value).__name__} has no canonical JSON form")
            return {name: plain(getattr(value, name)) for name in fields}


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 bytes of a value."""
    return rfc8785.dumps(plain(value))


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def check_code(digest: str) -> str:
    """The short form of a SHA-256 that people compare by eye: its first 16 digits in groups of four."""
    return "-".join(digest[start : start + 4] for start in range(0, 16, 4)).upper()
