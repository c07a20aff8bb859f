"""What the models of all measure kinds are made of: conditions, slots, hours, days, attributes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from core.units import UnitError
from devices.plan.holidays import Holidays
from devices.plan.rules import broken
from devices.plan.target import Bounds, TargetError, parse_bounds
from devices.plan.written import Text, resolved

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def _hours(text: str) -> str:
    match = _HOURS.fullmatch(text)
    if match is None:
        raise broken("hours")
    start, end = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    if end > 1440 or start >= end:
        raise broken("hours")
    return text


def bounds_text(text: str) -> str:
    """Check a target or condition as the text it stays."""
    try:
        bounds = parse_bounds(text)
    except UnitError:
        raise broken("unit") from None
    except (TargetError, ValueError, ZeroDivisionError):
        raise broken("target") from None
    if bounds.low > bounds.high:
        raise broken("target-empty")
    return text


def _attribute(value: Any) -> Any:
    """What an attribute must be: a value, a list of values any of which will do, or a condition such as ``> 0``."""
    value = resolved(value)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise broken("at-least", least=1)
    for item in items:
        if not isinstance(item, str | int | float | bool):
            raise broken("text")
        if isinstance(item, str) and re.match(r"\s*[<>=]", item):
            bounds_text(item)
    return value


Hours = Annotated[Text, AfterValidator(_hours), Field(description="Daily time span in the pilot's zone, 05:00-24:00.")]
Condition = Annotated[
    Text, AfterValidator(bounds_text), Field(description="Condition on a value, as in '<= 35 ug/m^3'.")
]
Attributes = dict[str, Annotated[Any, BeforeValidator(_attribute)]]
"""Attribute → a value, a list of values, or a condition in text."""


class Piece(BaseModel):
    """A part of a measure: nothing unknown is taken, nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Common(Piece):
    """What every measure kind takes."""

    slots: tuple[Text, ...] | None = Field(None, min_length=1, description="Which slots; all that fit if left out.")
    hours: Hours | None = None
    days: tuple[Weekday, ...] | None = Field(None, min_length=1)
    holidays: Holidays | None = Field(
        None,
        description="Public holidays: KR leaves them out; {calendar: KR, days: only}, or include besides the days named.",
    )

    @model_validator(mode="before")
    @classmethod
    def _values_only(cls, value: Any) -> Any:
        if isinstance(value, dict) and "quality" in value and "quality" not in cls.model_fields:
            raise broken("leave-out-measure")
        return value

    @property
    def hours_minutes(self) -> tuple[int, int] | None:
        """The daily span as minutes after midnight, half-open."""
        if self.hours is None:
            return None
        start, end = self.hours.split("-")
        return int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:])


class While(Piece):
    """A condition on one channel: on its value, or on its state."""

    channel: Text
    value: Condition | None = None
    in_: tuple[Text, ...] | None = Field(None, alias="in", min_length=1, description="States of a state channel.")

    @model_validator(mode="after")
    def _one_of(self) -> While:
        if (self.value is None) == (self.in_ is None):
            raise broken("while-one")
        return self

    @property
    def bounds(self) -> Bounds | None:
        """The condition on the value; None for states."""
        return None if self.value is None else parse_bounds(self.value)


class OfChannel(Piece):
    """What is measured of one channel, which may be named alone: ``integral: power``."""

    channel: Text

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"channel": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1, "description": "The channel's name."}, handler(core)]}


class OfEvents(Common):
    """What is measured of the events of one kind."""

    event: Text
    where: Attributes = Field(
        default_factory=dict, description="Which events count: attribute → value, list of values or condition."
    )
