"""Scalars as they were written: text first, a number only for who asks for one.

YAML decides by itself that ``no`` may be a truth value, ``1.10`` a number and ``0012`` twelve. A plan means its channel
``no``, its firmware ``1.10`` and its serial ``0012`` as they stand. So an unquoted scalar stays text that knows what else
it could be, and the model's field says which it wants.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict

from devices.plan.rules import broken

# The core schema of YAML 1.2, section 10.3.2.
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Written(str):
    """An unquoted scalar: its text, which may also be read as a number or a truth value."""

    __slots__ = ()

    @property
    def resolved(self) -> bool | int | float | str:
        """What YAML 1.2 takes it for: a truth value, a number, else its text."""
        if self in ("true", "True", "TRUE"):
            return True
        if self in ("false", "False", "FALSE"):
            return False
        if _INTEGER.fullmatch(self) and len(self) <= 300:
            return int(self)
        if _FLOAT.fullmatch(self) and math.isfinite(float(self)):
            return float(self)
        return str(self)


def resolved(value: Any) -> Any:
    """A value with every unquoted scalar in it read as YAML 1.2 does."""
    match value:
        case Written():
            return value.resolved
        case dict():
            return {str(key): resolved(item) for key, item in value.items()}
        case list() | tuple():
            return [resolved(item) for item in value]
        case _:
            return value


def _day(value: Any) -> Any:
    # Alone, pydantic would take 20260301 for seconds since 1970.
    if not isinstance(value, str):
        return value
    if _DATE.fullmatch(value) is None:
        raise broken("date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise broken("date") from None


Text = Annotated[str, Field(min_length=1)]
"""Text as it was written; not empty."""

Number = Annotated[float, Strict(), BeforeValidator(resolved), Field(allow_inf_nan=False)]
"""A number that was written as one, not as quoted text."""

Whole = Annotated[int, Strict(), BeforeValidator(resolved)]

Truth = Annotated[bool, Strict(), BeforeValidator(resolved)]
"""``true`` or ``false``; nothing else is taken for them."""

Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day, YYYY-MM-DD."""

Free = Annotated[Any, BeforeValidator(resolved)]
"""Whatever YAML says it is: for attributes and selections, whose kinds the plan's language does not know."""
