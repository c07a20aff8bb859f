"""How a KPI is computed, as the plan says it: one model a measure kind. What each means is in ``kpi/measures/``.

Every kind takes ``slots`` (which of the pilot's slots; all that have the channel if left out), ``hours`` (a daily time
span of the pilot's zone, ``"05:00-24:00"``) and ``days`` (weekdays).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from devices.plan.agreement_measures import Agreement, Span
from devices.plan.change_measures import Change
from devices.plan.conditions import OfReadings
from devices.plan.detection_measures import Detection
from devices.plan.event_measures import Count, Counter, EventDuration, EventRate, EventRatio, Mtbf, Per, Summed
from devices.plan.manual_measures import Manual, OrManual, rate_as_manual
from devices.plan.measure_parts import Piece, While, bounds_text
from devices.plan.reading_measures import ByOf, Delay, Exposed, Forecast, FrameSequence
from devices.plan.reading_quality import OfValues
from devices.plan.rules import broken
from devices.plan.written import Text

__all__ = [
    "Agreement",
    "Availability",
    "Capture",
    "Change",
    "Count",
    "Counter",
    "Delay",
    "Detection",
    "EventDuration",
    "EventKinds",
    "EventRate",
    "EventRatio",
    "Exposed",
    "Forecast",
    "FrameSequence",
    "Increase",
    "Integral",
    "Kinds",
    "Manual",
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


class Statistic(OfValues, OfReadings):
    """A statistic of the readings of one channel."""

    channel: Text
    stat: Stat
    average: Span | None = Field(
        None,
        description="Of averages over so long, by the clock of the pilot's zone: the 15-minute maximum of a peak load.",
    )


def _statistic_of(value: Any) -> str:
    """Whether a statistic is of a channel's readings, or of what is derived from them."""
    of = value.get("of") if isinstance(value, dict) else getattr(value, "of", None)
    return "|channel" if of is None else "|delay"


class Share(OfValues, OfReadings):
    """Share of time, or of what a counter or an integral came to, while a condition holds."""

    of: Annotated[
        Annotated[Literal["time"], Tag("|time")] | Annotated[Exposed, Tag("|exposure")],
        Discriminator(lambda value: "|time" if isinstance(value, str) else "|exposure"),
    ] = "time"
    while_: While = Field(alias="while")


class Capture(OfValues, OfReadings):
    """Valid readings out of those expected."""

    channels: tuple[Text, ...] | None = Field(None, min_length=1, description="All periodic channels if left out.")


class Availability(OfReadings):
    """Up time out of required time."""


class Integral(Summed, OfValues, OfReadings):
    """What a channel comes to over time: power as energy."""


class Increase(Counter, OfValues, OfReadings):
    """How far a counter went, over its resets and wraps."""


EventKinds = EventRatio | EventRate | Count | EventDuration | Mtbf
ReadingKinds = Delay | FrameSequence | Forecast | Agreement
Kinds = (
    Statistic
    | Share
    | Capture
    | Availability
    | Integral
    | Increase
    | ReadingKinds
    | EventKinds
    | Manual
    | Detection
    | Change
)


class Measure(Piece):
    """Exactly one measure kind."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    statistic: (
        Annotated[
            Annotated[Statistic, Tag("|channel")] | Annotated[Delay, Tag("|delay")],
            Discriminator(_statistic_of),
            ByOf(),
        ]
        | None
    ) = None
    share: Share | None = None
    capture: Capture | None = None
    availability: Availability | None = None
    integral: Integral | None = None
    increase: Increase | None = None
    agreement: Agreement | None = None
    event_ratio: EventRatio | None = None
    event_rate: Annotated[EventRate, OrManual()] | None = None
    count: Count | None = None
    event_duration: EventDuration | None = None
    mtbf: Mtbf | None = None
    sequence: FrameSequence | None = None
    forecast: Forecast | None = None
    detection: Detection | None = None
    manual: Manual | None = None
    change: Change | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_options(cls, value: Any) -> Any:
        """``availability:`` with nothing under it is the kind without options."""
        if not isinstance(value, dict):
            return value
        return {key: {} if item is None else item for key, item in rate_as_manual(value).items()}

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


Change.model_rebuild(_types_namespace={"Measure": Measure})  # a change is of another measure
Measure.model_rebuild()
