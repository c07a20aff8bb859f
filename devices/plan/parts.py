"""What the plan's models are made of: scalars with their rule, and what every part has in common."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.units import UnitError, parse_quantity, seconds, unit_of
from devices.plan.measure_parts import bounds_text
from devices.plan.rules import broken
from devices.plan.written import Text


def _unit(text: str) -> str:
    try:
        unit_of(text)
    except UnitError:
        raise broken("unit") from None
    return text


def _duration(text: str) -> str:
    try:
        positive = seconds(text) > 0
    except (UnitError, ValueError):
        positive = False
    if not positive:
        raise broken("duration")
    return text


def _quantity(text: str) -> str:
    try:
        value, _ = parse_quantity(text)
    except (UnitError, ValueError):
        raise broken("quantity") from None
    if value < 0:
        raise broken("quantity")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise broken("zone") from None
    return text


# MQTT topic levels are made of these names, so they hold no slash, no wildcard and no blank.
Name = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Unit = Annotated[Text, AfterValidator(_unit), Field(description="A unit of core/units.py's table, as in ug/m^3.")]
Duration = Annotated[Text, AfterValidator(_duration), Field(description="A number and a unit of time, as in '10 s'.")]
Quantity = Annotated[Text, AfterValidator(_quantity), Field(description="A number and a unit, as in '0.5 degC'.")]
Zone = Annotated[Text, AfterValidator(_zone)]
Target = Annotated[Text, AfterValidator(bounds_text), Field(description="'>= 95 %', '< 5 s', '20..26 degC', '== 0'.")]


class Part(BaseModel):
    """A part of the plan: nothing unknown is taken, nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class NoOptions(Part):
    """What a protocol takes that takes nothing besides what every connection has."""
