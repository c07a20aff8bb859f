"""One value as it stands in a message → the canonical number of its channel, or the reason why not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.units import Conversion
from ingest import reasons
from ingest.binding import IDENTITY
from ingest.reasons import Refused

EXACT: Final = 2**53
"""Up to here a double holds every integer."""

_NUMBER: Final = re.compile(r"\s*[-+]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][-+]?\d{1,6})?\s*", re.ASCII)
_NOT_FINITE: Final = frozenset({"nan", "inf", "infinity"})

Reader = Callable[[Any], float]


def number_reader(to_canonical: Conversion) -> Reader:
    """A function from a raw value to the canonical number. It raises :class:`Refused`, and nothing else."""
    same, scale, offset = to_canonical == IDENTITY, to_canonical.scale, to_canonical.offset

    def read(raw: Any) -> float:
        number = as_number(raw)
        if same:
            return number
        canonical = number * scale + offset
        if not math.isfinite(canonical):
            raise Refused(reasons.NOT_FINITE, f"{number} leaves the range of numbers in the canonical unit")
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
                raise Refused(reasons.NOT_FINITE, "the text of no finite number")
            raise Refused(reasons.NOT_A_NUMBER, "a text that is no number")
        number = float(raw)
    elif raw is None:
        raise Refused(reasons.NO_VALUE, "null")
    else:
        raise Refused(reasons.NOT_A_NUMBER, f"{_kind(raw)} where a number belongs")
    if not math.isfinite(number):
        raise Refused(reasons.NOT_FINITE, "beyond what a double can hold, or no number")
    return number


def _integer(raw: int) -> float:
    if -EXACT <= raw <= EXACT:
        return float(raw)
    try:
        number = float(raw)
    except OverflowError:
        raise Refused(reasons.NOT_FINITE, f"an integer of {raw.bit_length()} bits") from None
    if int(number) != raw:
        raise Refused(reasons.NOT_EXACT, f"stored it would be {number:.0f}")
    return number


def state_reader(codes: Mapping[str, int]) -> Reader:
    """A function from a raw state to its code: a text of the plan, or the number or boolean that is written like it."""

    def read(raw: Any) -> float:
        if type(raw) is str:
            text = raw
        elif type(raw) is bool:
            text = "true" if raw else "false"
        elif type(raw) is int and -EXACT <= raw <= EXACT:
            text = str(raw)
        elif type(raw) is float and raw.is_integer() and abs(raw) <= EXACT:
            text = str(int(raw))
        elif raw is None:
            raise Refused(reasons.NO_VALUE, "null")
        else:
            raise Refused(reasons.UNKNOWN_STATE, f"{_kind(raw)} where a state belongs")
        code = codes.get(text)
        if code is None:
            raise Refused(reasons.UNKNOWN_STATE, f"the plan's states are {', '.join(codes)}")
        return float(code)

    return read


def _kind(raw: Any) -> str:
    names = {bool: "true or false", dict: "an object", list: "a list", int: "an integer", float: "a fraction"}
    return names.get(type(raw), type(raw).__name__)
