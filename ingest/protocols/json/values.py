"""One value as it stands in a message → the canonical number of its channel, or the reason why not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.units import Conversion
from ingest import reasons
from ingest.binding import IDENTITY
from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated
from ingest.reasons import Refused

EXACT: Final = 2**53
"""Up to here a double holds every integer."""

LARGEST: Final = 1e100
"""No quantity is larger. A finite number near the end of doubles would end every sum that it comes into."""

_NUMBER: Final = re.compile(r"\s*[-+]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][-+]?\d{1,6})?\s*", re.ASCII)
_NOT_FINITE: Final = frozenset({"nan", "inf", "infinity"})

Reader = Callable[[Any], float]


def number_reader(to_canonical: Conversion) -> Reader:
    """A function from a raw value to the canonical number. It raises :class:`Refused`, and nothing else."""
    same, scale, offset = to_canonical == IDENTITY, to_canonical.scale, to_canonical.offset

    def read(raw: Any) -> float:
        number = as_number(raw)
        canonical = number if same else number * scale + offset
        if abs(canonical) > LARGEST:
            detail = f"{number}" if same else f"{number} * {scale} + {offset} = {canonical}"
            raise Refused(reasons.NOT_FINITE, f"{detail}: > {LARGEST:g}")
        return canonical

    return read


def as_number(raw: Any) -> float:
    """A raw value as a finite double: a number, or a text that is one. An integer only if it stays exact."""
    if type(raw) is float:
        number = raw
    elif type(raw) is int:
        return _integer(raw)
    elif type(raw) is str:
        if _NUMBER.fullmatch(raw) is None:
            if raw.strip().lstrip("+-").lower() in _NOT_FINITE:
                raise Refused(reasons.NOT_FINITE, document.named(raw))
            raise Refused(reasons.NOT_A_NUMBER, document.named(raw))
        number = float(raw)
    else:
        raise Refused(*_no_value(raw) or (reasons.NOT_A_NUMBER, document.named(raw)))
    if not math.isfinite(number):
        raise Refused(reasons.NOT_FINITE, document.named(raw))
    return number


def _integer(raw: int) -> float:
    if -EXACT <= raw <= EXACT:
        return float(raw)
    try:
        number = float(raw)
    except OverflowError:
        raise Refused(reasons.NOT_FINITE, f"{raw.bit_length()} bit") from None
    if int(number) != raw:
        raise Refused(reasons.NOT_EXACT, f"{raw} -> {number:.0f}")
    return number


def state_reader(codes: Mapping[str, int]) -> Reader:
    """A function from a raw state to its code: a text that the plan knows, or the number or boolean that is written like it."""

    def read(raw: Any) -> float:
        if type(raw) is str:
            text = raw
        elif type(raw) is bool:
            text = "true" if raw else "false"
        elif type(raw) is int and -EXACT <= raw <= EXACT:
            text = str(raw)
        elif type(raw) is float and math.isfinite(raw):
            text = str(int(raw)) if raw.is_integer() and abs(raw) <= EXACT else repr(raw)
        else:
            raise Refused(*_no_value(raw) or (reasons.UNKNOWN_STATE, f"{document.named(raw)}: {'|'.join(codes)}"))
        code = codes.get(text)
        if code is None:
            raise Refused(reasons.UNKNOWN_STATE, f"{document.named(raw)}: {'|'.join(codes)}")
        return float(code)

    return read


def _no_value(raw: Any) -> tuple[str, str] | None:
    """Why this can be no channel's value, whatever its kind."""
    if raw is None:
        return reasons.NO_VALUE, "null"
    if type(raw) is Repeated:
        return reasons.REPEATED_KEY, raw.told()
    return None
