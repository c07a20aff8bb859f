"""How a KPI is computed, as the plan says it: one model a measure kind. What each means is in ``kpi/measures/``.

Every kind takes ``slots`` (which of the pilot's slots; all that have the channel if left out), ``hours`` (a daily time
span of the pilot's zone, ``"05:00-24:00"``) and ``days`` (weekdays).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.units import UnitError
from devices.plan.rules import broken
from devices.plan.target import Bounds, TargetError, parse_bounds
from devices.plan.written import Text, Truth, resolved

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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Common(_Part):
    """What every measure kind takes."""

    slots: tuple[Text, ...] | None = Field(None, min_length=1, description="Which slots; all that fit if left out.")
    hours: Hours | None = None
    days: tuple[Weekday, ...] | None = Field(None, min_length=1)

    @property
    def hours_minutes(self) -> tuple[int, int] | None:
        """The daily span as minutes after midnight, half-open."""
        if self.hours is None:
            return None
        start, end = self.hours.split("-")
        return int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:])


class While(_Part):
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


def _stat(text: str) -> str:
    if re.fullmatch(r"mean|min|max|std|sum|last|p(?:[1-9]\d?|99\.\d)", text) is None:
        raise broken("stat")
    return text


Stat = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(mean|min|max|std|sum|last|p([1-9][0-9]?|99\.[0-9]))$"}),
    AfterValidator(_stat),
]


class Statistic(_Common):
    """A statistic of the readings of one channel."""

    channel: Text
    stat: Stat


class Share(_Common):
    """Share of time while a condition holds."""

    of: Literal["time"] = "time"
    while_: While = Field(alias="while")


class Capture(_Common):
    """Valid readings out of those expected."""

    channels: tuple[Text, ...] | None = Field(None, min_length=1, description="All periodic channels if left out.")


class Availability(_Common):
    """Up time out of required time."""


class EventRatio(_Common):
    """Events that succeeded out of all of one kind. A number missing in their order counts as a failure."""

    event: Text
    where: Attributes = Field(default_factory=dict, description="Which events count: attribute → value or condition.")
    success: Attributes = Field(min_length=1, description="Which of them succeeded: attribute → value or condition.")
    designed: Truth = Field(
        False, description="Independent designed trials; otherwise events of daily operation, which cluster by day."
    )


class Measure(_Part):
    """Exactly one measure kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    statistic: Statistic | None = None
    share: Share | None = None
    capture: Capture | None = None
    availability: Availability | None = None
    event_ratio: EventRatio | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_options(cls, value: Any) -> Any:
        """``availability:`` with nothing under it is the kind without options."""
        return {key: {} if item is None else item for key, item in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Measure:
        if len(self.model_fields_set) != 1:
            raise broken("measure-one", known=", ".join(type(self).model_fields))
        return self

    @property
    def kind(self) -> str:
        """The name of the kind that is given."""
        return next(iter(self.model_fields_set))

    @property
    def of(self) -> Statistic | Share | Capture | Availability | EventRatio:
        """What stands under the kind."""
        found: Statistic | Share | Capture | Availability | EventRatio = getattr(self, self.kind)
        return found
