"""The time of a message: numbers in s, ms, µs or ns, ISO 8601 with or without a zone, or none at all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.window import micros

_FACTOR: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DIGITS: Final = re.compile(r"\s*([-+]?\d{1,20})(\.\d{1,20})?\s*", re.ASCII)
_SECOND_60: Final = re.compile(r"(T| )(\d\d:?\d\d:?)60", re.ASCII)
_FARTHEST_US: Final = 253_402_300_799_999_999  # the end of the year 9999

Reader = Callable[[Any], int]


class TimeUnreadable(ValueError):
    """What stands where the time belongs is none. Its text is the detail for the sender."""


def reader(form: str, zone: ZoneInfo | None) -> Reader:
    """A function from what stands in a message to epoch µs.

    :param form: ``auto`` (numbers by their magnitude, texts as ISO 8601), ``s``, ``ms``, ``us``, ``ns`` or ``iso``.
    :param zone: of ISO 8601 texts that name none.

    The function raises :class:`TimeUnreadable`, and nothing else.
    """

    def read(raw: Any) -> int:
        if type(raw) is int or type(raw) is float:
            if form == "iso":
                raise TimeUnreadable(f"{_short(raw)}: format=iso")
            return _number(raw, form)
        if type(raw) is str:
            digits = _DIGITS.fullmatch(raw) if form != "iso" else None
            if digits is not None:
                return _number(float(raw) if digits[2] else int(digits[1]), form)
            if form in ("auto", "iso"):
                return _iso(raw, zone)
        raise TimeUnreadable(f"{_short(raw)}: format={form}")

    return read


def _number(raw: float, form: str) -> int:
    unit = form if form != "auto" else _by_magnitude(abs(raw))
    if type(raw) is int:
        us = raw // 1_000 if unit == "ns" else raw * _FACTOR[unit]
    elif not math.isfinite(raw):
        raise TimeUnreadable(f"{raw}: format={form}")
    else:
        exact = raw / 1_000 if unit == "ns" else raw * _FACTOR[unit]
        if abs(exact) > _FARTHEST_US:
            raise TimeUnreadable(f"{raw} {unit} > 9999-12-31")
        us = round(exact)
    if abs(us) > _FARTHEST_US:
        raise TimeUnreadable(f"{_short(raw)} {unit} > 9999-12-31")
    return us


def _by_magnitude(size: float) -> str:
    """Seconds up to the year 5138; from there each unit begins where the one before would pass it."""
    if size < 1e11:
        return "s"
    if size < 1e14:
        return "ms"
    return "us" if size < 1e17 else "ns"


def _iso(text: str, zone: ZoneInfo | None) -> int:
    written = text.strip()
    if len(written) < 12 or len(written) > 64:  # a date alone says no time
        raise TimeUnreadable(f"{_short(text)}: ISO 8601")
    # A leap second is the second after it: clocks that we compare with count it so.
    leap = _SECOND_60.search(written)
    if leap is not None:
        written = written[: leap.end() - 2] + "59" + written[leap.end() :]
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise TimeUnreadable(f"{_short(text)}: ISO 8601") from None
    if found.tzinfo is None:
        if zone is None:
            raise TimeUnreadable(f"{_short(text)}: zone=- time.zone=-")
        found = found.replace(tzinfo=zone)
    us = micros(found)
    return us if leap is None else us + 1_000_000


def _short(raw: Any) -> str:
    if type(raw) is int and abs(raw) >= 10**40:
        return "1e40.."
    if type(raw) is dict or type(raw) is list:
        return "{…}" if type(raw) is dict else "[…]"
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:59]}…"
