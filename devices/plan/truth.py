"""Whose a truth label is, and the scalars that the truth of a plan is written in."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from core.units import UnitError, conversion, parse_quantity, seconds
from devices.plan.rules import broken
from devices.plan.written import Text

Side = Literal["site", "company", "team", "outside"]
"""Who somebody belongs to: the demand site, the company, the programme team, or a body outside of the three."""

SIDES: tuple[Side, ...] = get_args(Side)


def span(text: str) -> str:
    """Check a length of time as the text it stays."""
    try:
        positive = seconds(text) > 0
    except (UnitError, ValueError):
        positive = False
    if not positive:
        raise broken("duration")
    return text


def share_of(text: str) -> float:
    """``"5 %"`` or ``"0.05"`` → 0.05.

    :raises UnitError: it is no share.
    """
    value, unit = parse_quantity(text)
    return conversion(unit, "")(value)


Span = Annotated[Text, AfterValidator(span), Field(description="A number and a unit of time, as in '10 s'.")]
