"""The measure kinds that look at how readings come, or where they lead: delays, frame numbers, forecasts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from core.units import UnitError, parse_quantity
from devices.plan.conditions import OfReadings
from devices.plan.event_measures import Counter, Summed
from devices.plan.measure_parts import Piece
from devices.plan.rules import broken
from devices.plan.written import Text, Whole


def _delay_stat(text: str) -> str:
    if re.fullmatch(r"max|p(?:[1-9]\d?|99\.\d)", text) is None:
        raise broken("delay-stat")
    return text


def _level(text: str) -> str:
    try:
        parse_quantity(text)
    except (UnitError, ValueError):
        raise broken("quantity") from None
    return text


DelayStat = Annotated[
    str, Field(json_schema_extra={"pattern": r"^(max|p([1-9][0-9]?|99\.[0-9]))$"}), AfterValidator(_delay_stat)
]
Level = Annotated[Text, AfterValidator(_level)]


class Delay(OfReadings):
    """How long readings take from the device to our receipt. A message that never came is infinitely late."""

    of: Literal["delay"]
    stat: DelayStat
    channel: Text | None = Field(None, description="Of this channel's readings; of all the slot's if left out.")
    lost: Literal["infinite"] = Field("infinite", description="A missing reading of a periodic channel never arrives.")


class ByOf:
    """For the schema: with ``of`` it is the second of two, without it the first, so that editors say what is wrong where."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        first, second = handler(core)["oneOf"]
        return {"if": {"required": ["of"]}, "then": second, "else": first}


class FrameSequence(OfReadings):
    """Frame numbers that arrived, each once, out of those that were sent (radio delivery, PDR)."""

    channel: Text = Field(description="A counter that the sender raises by one with each frame.")
    wrap: Whole | None = Field(
        None, ge=64, description="How many numbers there are: after wrap − 1 comes 0. 65536 of 16 bits."
    )
    reset: Text = Field(
        "rejoin",
        description="rejoin: a fall that is neither the wrap nor a late frame begins a new numbering. Or the kind of event of"
        " the slot that says when one begins.",
    )
    first: Whole = Field(0, ge=0, description="The number of the first frame of a new numbering.")


class Forecast(OfReadings):
    """When a channel will have come to a level, by the straight line through what it did. Reported, and never met."""

    channel: Text
    until: Level = Field(description="The level at which it is used up, as '20 %' or '3.1 V'.")
    stat: Literal["life", "left"] = Field(
        "life", description="life: from the beginning of the last discharge; left: from the end of the judged window."
    )
    recharge: Level | None = Field(
        None,
        description="A rise by more than this begins a new discharge; a tenth of the way to the level if left out.",
    )


class Exposed(Piece):
    """What a share is of, where it is not of time: the way of a counter, or a channel summed up over time."""

    increase: Counter | None = None
    integral: Summed | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Exposed:
        if (self.increase is None) == (self.integral is None):
            raise broken("exposure-one")
        return self

    @property
    def by(self) -> Counter | Summed:
        """The channel, and how it is added up."""
        found = self.increase or self.integral
        assert found is not None
        return found

    @property
    def key(self) -> str:
        """Under which key it is written."""
        return "increase" if self.increase is not None else "integral"
