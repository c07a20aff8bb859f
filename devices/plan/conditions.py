"""Conditions that cut time: ``where`` of a measure (one channel conditioned on another's state), and the operating conditions
(적용 환경) under which a product is judged at all.

``where`` says about which time a promise is: while a fan runs, while a load is above 10 kW. ``conditions`` say where the product
may be used; time outside of its specification is no time to judge it by, and both numbers are shown. In either, time of which
nobody knows whether the condition held stays in: whoever silences a channel gains nothing by it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from devices.plan.measure_parts import Common, While
from devices.plan.written import Text


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Where = Annotated[
    tuple[While, ...],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=Annotated[list[While], Field(min_length=1)] | While),
]
"""One condition, or several all of which must hold."""


class OfReadings(Common):
    """What is measured of readings, or of the time they stand for."""

    where: Where | None = Field(
        None,
        description="Only the time while this holds at the slot: {channel, value} or {channel, in}, or a list of them.",
    )


class OperatingCondition(While):
    """Within what the product may be used, told by a channel of its own slot or of one that is named."""

    name: Text = Field(description="What people read, as 적용 환경 온도.")
    slot: Text | None = Field(None, description="Whose channel it is; the KPI's own slot if left out.")


def where_of(of: Common) -> tuple[While, ...]:
    """The conditions on a measure's time; none where it takes no such key, or has none."""
    return (of.where or ()) if isinstance(of, OfReadings) else ()
