"""How a KPI is computed, as the plan says it: one model a measure kind. What each means is in ``kpi/measures/``.

Every kind takes ``slots`` (which of the pilot's slots; all that have the channel if left out), ``hours`` (a daily time
span of the pilot's zone, ``"05:00-24:00"``) and ``days`` (weekdays).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from devices.plan.event_measures import Count, Counter, EventDuration, EventRate, EventRatio, Mtbf, Per, Summed
from devices.plan.measure_parts import Common, Piece, While, bounds_text
from devices.plan.rules import broken
from devices.plan.written import Text

__all__ = [
    "Availability",
    "Capture",
    "Count",
    "Counter",
    "EventDuration",
    "EventKinds",
    "EventRate",
    "EventRatio",
    "Increase",
    "Integral",
    "Kinds",
    "Measure",
    "Mtbf",
    "Per",
    "Share",
    "Statistic",
    "Summed",
    "While",
    "bounds_text",
]


def _stat(text: str) -> str:
    if re.fullmatch(r"mean|min|max|std|sum|last|p(?:[1-9]\d?|99\.\d)", text) is None:
        raise broken("stat")
    return text


Stat = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(mean|min|max|std|sum|last|p([1-9][0-9]?|99\.[0-9]))$"}),
    AfterValidator(_stat),
]


class Statistic(Common):
    """A statistic of the readings of one channel."""

    channel: Text
    stat: Stat


class Share(Common):
    """Share of time while a condition holds."""

    of: Literal["time"] = "time"
    while_: While = Field(alias="while")


class Capture(Common):
    """Valid readings out of those expected."""

    channels: tuple[Text, ...] | None = Field(None, min_length=1, description="All periodic channels if left out.")


class Availability(Common):
    """Up time out of required time."""


class Integral(Summed, Common):
    """What a channel comes to over time: power as energy."""


class Increase(Counter, Common):
    """How far a counter went, over its resets and wraps."""


EventKinds = EventRatio | EventRate | Count | EventDuration | Mtbf
Kinds = Statistic | Share | Capture | Availability | Integral | Increase | EventKinds


class Measure(Piece):
    """Exactly one measure kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    statistic: Statistic | None = None
    share: Share | None = None
    capture: Capture | None = None
    availability: Availability | None = None
    integral: Integral | None = None
    increase: Increase | None = None
    event_ratio: EventRatio | None = None
    event_rate: EventRate | None = None
    count: Count | None = None
    event_duration: EventDuration | None = None
    mtbf: Mtbf | None = None

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
    def of(self) -> Kinds:
        """What stands under the kind."""
        found: Kinds = getattr(self, self.kind)
        return found
