"""The measure kinds that count events: how many succeeded, how often they come, how long they last."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from core.units import UnitError, parse_quantity, same_dimension
from devices.plan.detection_measures import MatchOutcome
from devices.plan.measure_parts import Attributes, OfChannel, OfEvents, Piece
from devices.plan.rules import broken
from devices.plan.written import Number, Text, Truth


class OfEventsOrMatch(OfEvents):
    """Events of one kind, or the pairs of alerts and labels that another KPI of the plan has matched."""

    event: Text = ""
    match: Text | None = Field(
        None, description="A KPI with a detection: its pairs are measured in the place of events."
    )

    @model_validator(mode="after")
    def _events_or_match(self) -> OfEventsOrMatch:
        if (self.event == "") == (self.match is None) or (self.match is not None and self.where):
            raise broken("match-or-event")
        return self


class OfOutcome(OfEventsOrMatch):
    """… counted by their outcome."""

    outcome: MatchOutcome | None = Field(
        None, description="Of a match: labels that were alerted or missed, or false alerts."
    )

    @model_validator(mode="after")
    def _outcome_of_match(self) -> OfOutcome:
        if (self.outcome is None) != (self.match is None):
            raise broken("match-outcome")
        return self


class EventRatio(OfEvents):
    """Events that succeeded out of all of one kind. A number missing in their order counts as a failure."""

    success: Attributes = Field(min_length=1, description="Which of them succeeded: attribute → value or condition.")
    designed: Truth = Field(
        False, description="Independent designed trials; otherwise events of daily operation, which cluster by day."
    )


class Summed(OfChannel):
    """A channel by whose integral over time something is measured."""


class Counter(OfChannel):
    """A counter by whose increase something is measured."""

    wrap: Number | None = Field(None, gt=0, description="Where the counter begins again at 0, in the channel's unit.")


def span_of(text: str) -> tuple[float, str]:
    """``"1 d"``, ``"1000 h"``, ``"device-day"`` → the number and the unit of an exposure to time.

    :raises UnitError: it is no time, and no time of devices.
    """
    value, unit = parse_quantity(text if re.match(r"\s*[0-9]", text) else f"1 {text}")
    if value <= 0 or not (same_dimension(unit, "s") or same_dimension(unit, "device-day")):
        raise UnitError(f"{text!r} is no time: write one as in '1 d', '1000 h' or '1 device-day'.")
    return value, unit


class Per(Piece):
    """What events are counted by: time, the time of all devices together, or another measure such as a distance."""

    time: Text | None = None
    increase: Counter | None = None
    integral: Summed | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            span_of(value)
        except (UnitError, ValueError):
            raise broken("per") from None
        return {"time": value}

    @model_validator(mode="after")
    def _one_of(self) -> Per:
        if len(self.model_fields_set) != 1:
            raise broken("per")
        if self.time is not None:
            try:
                span_of(self.time)
            except (UnitError, ValueError):
                raise broken("per") from None
        return self

    @property
    def channel(self) -> str | None:
        """The channel that measures the exposure; None where it is time."""
        found = self.increase or self.integral
        return None if found is None else found.channel

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        short = {"type": "string", "description": "A time, or a time of devices: '1 d', '1000 h', '1 device-day'."}
        return {"anyOf": [short, handler(core)]}


class EventRate(OfOutcome):
    """How often events come: their number by time, by the time of all devices, or by a distance."""

    per: Per
    independent: Truth = Field(
        False, description="Independent events; otherwise those of daily operation, whose clusters widen the interval."
    )


class Count(OfOutcome):
    """How many events there were."""

    independent: Truth = Field(
        False, description="Independent events; otherwise those of daily operation, whose clusters widen the interval."
    )


def _duration_stat(text: str) -> str:
    if re.fullmatch(r"mean|max|p(?:[1-9]\d?|99\.\d)", text) is None:
        raise broken("duration-stat")
    return text


DurationStat = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(mean|max|p([1-9][0-9]?|99\.[0-9]))$"}),
    AfterValidator(_duration_stat),
]


class EventDuration(OfEventsOrMatch):
    """How long events last, from their start to their end; of a match, from a label's start to its alert's. What never ended
    lasts for ever, and so does a label without an alert."""

    stat: DurationStat
    missed: Literal["infinite"] = Field(
        "infinite", description="An event never closed, or whose number is missing, lasts for ever."
    )
    designed: Truth = Field(
        False, description="Independent designed trials; otherwise events of daily operation, which cluster by day."
    )


class Mtbf(OfEvents):
    """Mean time between failures: operating time by failure, judged by its lower confidence bound."""

    operating: Literal["up", "whole"] = Field(
        "up", description="up: the time the device was up, as in availability; whole: all of the required time."
    )
