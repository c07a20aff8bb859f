"""수기 관측값: what people observe and enter, each with the document that proves it. Declared before anything is entered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from devices.plan.manual_measures import Manual
from devices.plan.measures import Measure
from devices.plan.parts import Name, Part, Unit
from devices.plan.rules import broken
from devices.plan.written import Number, Text

ManualKind = Literal["count", "sample", "value"]


class Exposure(Part):
    """What a count is counted by: the residents times the days that it is about."""

    id: Name | None = Field(None, description="By which a rate names it: per: {manual: resident-days}.")
    name: Text | None = None
    unit: Unit


class ManualQuantity(Part):
    """One quantity that people enter: a count (of complaints), a sample (of answers), or a value (read off a meter)."""

    name: Text
    kind: ManualKind = Field(
        "value", description="count: whole, never negative; sample: n, mean and sd, or single scores; value: a number."
    )
    unit: Unit
    exposure: Exposure | None = Field(None, description="Of a count: what a rate divides by.")
    range: tuple[Number, Number] | None = Field(None, description="The least and the most that it can be.")
    slots: tuple[Text, ...] | None = Field(
        None, min_length=1, description="Each entry is of one of these slots; left out: of the pilot as a whole."
    )
    source: Text | None = Field(None, description="측정방법: who observes, how, and which document proves it.")

    @model_validator(mode="after")
    def _sound(self) -> ManualQuantity:
        if self.exposure is not None and self.kind != "count":
            raise broken("manual-exposure-count")
        if self.kind == "sample" and self.range is None:
            raise broken("manual-sample-range")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise broken("manual-range-order")
        return self

    @property
    def low(self) -> float:
        """The least that it can be."""
        return self.range[0] if self.range is not None else 0.0 if self.kind == "count" else -math.inf

    @property
    def high(self) -> float:
        return math.inf if self.range is None else self.range[1]


def quantity_of(quantities: Mapping[str, ManualQuantity], measure: Measure) -> ManualQuantity | None:
    """What a measure of what people enter is about; None of any other measure, or where the plan does not declare it."""
    return quantities.get(measure.of.of) if isinstance(measure.of, Manual) else None


def manual_unit(quantities: Mapping[str, ManualQuantity], measure: Measure) -> str | None:
    """The unit of what a ``manual`` measure gives; None where that is not known.

    >>> given = ManualQuantity.model_validate({"name": "민원", "kind": "count", "unit": "건",
    ...                                        "exposure": {"id": "resident-days", "unit": "resident-day"}})
    >>> rate = Measure.model_validate({"event_rate": {"manual": "complaints", "per": {"manual": "resident-days"}}})
    >>> manual_unit({"complaints": given}, rate), rate.kind
    ('건/resident-day', 'manual')
    """
    quantity = quantity_of(quantities, measure)
    if quantity is None or not isinstance(measure.of, Manual):
        return None
    if measure.of.stat != "rate":
        return quantity.unit
    if quantity.exposure is None:
        return None
    below = quantity.exposure.unit
    return f"{quantity.unit}/({below})" if " " in below or "*" in below or "/" in below else f"{quantity.unit}/{below}"


def manual_slots(quantities: Mapping[str, ManualQuantity], measure: Manual) -> tuple[str, ...]:
    """The slots that a measure of what people enter is about; none where its entries are of the pilot as a whole."""
    quantity = quantities.get(measure.of)
    if quantity is None or quantity.slots is None:
        return ()
    return tuple(slot for slot in quantity.slots if measure.slots is None or slot in measure.slots)
