"""The time of a message: ISO 8601 with any fraction, else its receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ingest.protocols.json import times

_lenient: Final = times.reader("auto", ZoneInfo("UTC"))


def instant_us(moment: datetime) -> int:
    """Epoch µs of an aware datetime."""
    return round(moment.timestamp() * 1_000_000)


def said_us(raw: Any) -> int | None:
    """Epoch µs of a ``timestamp``; None where it is none. Without a zone it is UTC, as the specification has it."""
    if type(raw) is str:
        try:
            found = msgspec.convert(raw, datetime)
            if found.tzinfo is not None:
                return instant_us(found)
        except (msgspec.ValidationError, OverflowError, ValueError):
            pass
    try:
        return _lenient(raw)
    except times.TimeUnreadable:
        return None
