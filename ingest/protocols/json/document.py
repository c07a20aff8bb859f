"""Bytes → a JSON document, or the reason why there is none. Bounded, and without an exception that is not declared."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import msgspec

from ingest import reasons
from ingest.protocols.json.depth import DEEPEST, refuse_depth
from ingest.protocols.json.repeated import BLANKS, Repeated, repeats_nothing
from ingest.reasons import Refused

_strict: Final = msgspec.json.Decoder()
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST: Final = 120
_LONGEST_INTEGER: Final = 400
"""Longer ones are beyond what a double holds."""
_LONGEST_NAMED: Final = 60
_PLACE: Final = re.compile(r"byte (\d+)")


def read(payload: bytes) -> Any:
    """The JSON document of a payload, with objects that repeat a key as :class:`Repeated`.

    :raises Refused: with the reason. Nothing else is raised, whatever the bytes.
    """
    try:
        found = _strict.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _read_odd(payload, error)
    if len(payload) > 2 * DEEPEST:
        refuse_depth(payload)
    if type(found) is dict:
        # What is usual, made short: see repeats_nothing().
        inner = found.get("values")
        keys = len(found) + len(inner) if type(inner) is dict else len(found)
        if payload.count(b":") == keys or payload.translate(None, BLANKS).count(b'":') == keys:
            return found
    return found if repeats_nothing(payload, found) else _read_leniently(payload)


def _read_odd(payload: bytes, error: Exception) -> Any:
    """What the strict reader does not take."""
    if isinstance(error, RecursionError):
        raise Refused(reasons.TOO_DEEP, f"> {DEEPEST}") from None
    if not payload.strip():
        raise Refused(reasons.EMPTY, f"{len(payload)} B") from None
    bare = payload.removeprefix(_BOM)
    # Of numbers that are too large, and of what Python's own encoder writes for those that are none, each is refused alone and
    # its neighbours are taken.
    if isinstance(error, msgspec.ValidationError) or bare is not payload or b"NaN" in bare or b"Infinity" in bare:
        return _read_leniently(bare)
    raise _not_json(payload, error) from None


def _read_leniently(payload: bytes) -> Any:
    try:
        found = _lenient.decode(payload.decode())
    except RecursionError:
        raise Refused(reasons.TOO_DEEP, f"> {DEEPEST}") from None
    except ValueError as error:  # a UnicodeDecodeError is one too
        raise _not_json(payload, error) from None
    refuse_depth(payload)
    return found


def _not_json(payload: bytes, error: Exception) -> Refused:
    """
    :raises Refused: it stops being JSON so deep that a reader with less room left would have stopped before.
    """
    place = _place(payload, error)
    refuse_depth(payload[:place])
    return Refused(reasons.NOT_JSON, ("" if place is None else f"byte {place}: ") + repr(payload[:24])[1:])


def _place(payload: bytes, error: Exception) -> int | None:
    """The byte at which a payload stops being JSON, as far as the reader says so."""
    if isinstance(error, UnicodeDecodeError):  # which counts from the beginning of a text
        try:
            payload.decode()
        except UnicodeDecodeError as foreign:
            return foreign.start
    if isinstance(error, json.JSONDecodeError):  # which counts letters
        return len(error.doc[: error.pos].encode())
    place = _PLACE.search(str(error))
    return None if place is None else int(place[1])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Repeated:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(pairs)


def _whole_number(text: str) -> float:
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)


_lenient: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole_number)
"""Takes numbers that are too large or none, and tells repeated keys."""


def named(value: Any) -> str:
    """The same with a text in quotes, so that ``"1"`` and 1 differ; shortened.

    >>> named("1"), named(1), named(None)
    ('"1"', '1', 'null')
    """
    if type(value) is str:
        return f'"{value if len(value) <= _LONGEST_NAMED else value[: _LONGEST_NAMED - 1] + "…"}"'
    return shown(value)


def _written(piece: Any) -> msgspec.Raw:
    if type(piece) is not Repeated:  # of a format that has more than JSON
        raise ValueError(type(piece).__name__)
    pairs = [_encoder.encode(name) + b":" + _encoder.encode(value) for name, value in piece.pairs]
    return msgspec.Raw(b"{" + b",".join(pairs) + b"}")


_encoder: Final = msgspec.json.Encoder(enc_hook=_written)


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
