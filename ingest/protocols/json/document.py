"""Bytes → a JSON document, or the reason why there is none. Bounded, and without an exception that is not declared."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import msgspec

from ingest import reasons
from ingest.reasons import Refused

_strict: Final = msgspec.json.Decoder()
# Used where a number is too large for the strict one: it becomes infinite and is refused alone, its neighbours are taken.
_unbounded: Final = msgspec.json.Decoder(float_hook=float)
_encoder: Final = msgspec.json.Encoder()
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST: Final = 120
_LONGEST_NAMED: Final = 60
_PLACE: Final = re.compile(r"(?:byte|char|position)\s+(\d+)")


def read(payload: bytes) -> Any:
    """The JSON document of a payload.

    :raises Refused: with the reason. Nothing else is raised, whatever the bytes.
    """
    try:
        return _strict.decode(payload)
    except msgspec.ValidationError:
        return _second_attempt(payload, _unbounded.decode)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if not payload.strip():
            raise Refused(reasons.EMPTY, f"{len(payload)} B") from None
        payload = payload.removeprefix(_BOM)
        if b"NaN" in payload or b"Infinity" in payload:
            # What Python's own encoder writes for them. They are refused one by one, their neighbours are taken.
            return _second_attempt(payload, json.loads)
        return _second_attempt(payload, _strict.decode)
    except RecursionError:
        raise Refused(reasons.TOO_DEEP, f"{len(payload)} B") from None


def _second_attempt(payload: bytes, decode: Any) -> Any:
    try:
        return decode(payload)
    except RecursionError:
        raise Refused(reasons.TOO_DEEP, f"{len(payload)} B") from None
    except (ValueError, msgspec.MsgspecError) as error:  # UnicodeDecodeError is a ValueError
        raise Refused(reasons.NOT_JSON, _where(error) + repr(payload[:24])[1:]) from None


def _where(error: Exception) -> str:
    """The byte at which a payload stops being JSON, as far as the reader says so; else nothing."""
    place = _PLACE.search(str(error))
    return f"byte {place[1]}: " if place else ""


def named(value: Any) -> str:
    """The same with a text in quotes, so that ``"1"`` and 1 differ; shortened.

    >>> named("1"), named(1), named(None)
    ('"1"', '1', 'null')
    """
    if type(value) is str:
        return f'"{value if len(value) <= _LONGEST_NAMED else value[: _LONGEST_NAMED - 1] + "…"}"'
    return shown(value)


def shown(value: Any) -> str:
    """A piece of a document as a short text, for the record of what was refused.

    >>> shown({"a": [1, "x"]})
    '{"a":[1,"x"]}'
    """
    if type(value) is str:
        return value
    if type(value) is float and not math.isfinite(value):
        return str(value)
    try:
        text = _encoder.encode(value).decode()
    except (RecursionError, msgspec.MsgspecError, OverflowError, ValueError):
        return f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
