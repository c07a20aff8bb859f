"""What the parties fix beside the KPIs themselves: how the whole is decided (목표달성도), and how large a sample is planned."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from core.units import UnitError, parse_quantity
from devices.plan.measure_parts import Piece
from devices.plan.rules import broken
from devices.plan.written import Number, Text, Whole, resolved


def _quantity(text: str) -> str:
    try:
        parse_quantity(text)
    except (UnitError, ValueError):
        raise broken("quantity") from None
    return text


Level = Annotated[
    Text, AfterValidator(_quantity), Field(description="A number with the unit of the target, as in '97 %'.")
]


def _undecided(value: Any) -> Any:
    value = resolved(value)
    if value == "achieved":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise broken("points")
    return float(value)


Points = Annotated[Number, Field(ge=0)]
Undecided = Annotated[Points | Literal["achieved"], BeforeValidator(_undecided)]


class Planned(Piece):
    """표본수: what ``plan check`` reckons with where dates and sampling periods do not tell. It decides nothing."""

    n: Whole | None = Field(None, ge=1, description="Events or trials up to data_until, all slots together.")
    days: Whole | None = Field(None, ge=1, description="On how many days they come; all days if left out.")
    better: Level | None = Field(None, description="What a product somewhat better than its target truly does.")
    worse: Level | None = Field(None, description="What a product somewhat worse than its target truly does.")
    spread: Level | None = Field(None, description="Standard deviation of single readings, or of single durations.")
    correlation: Number | None = Field(
        None, ge=0, le=0.999, description="Of events of one day, or of neighbouring hours: 0.1 and 0.9 if left out."
    )


class Formula(Piece):
    """The score of a KPI, by the direction of its target; 100 is the target reached."""

    larger: Literal["ratio", "met"] = Field("ratio", description="ratio: 100 × value / target. met: 100 or 0.")
    smaller: Literal["ratio", "complement", "met"] = Field(
        "ratio", description="ratio: 100 × target / value. complement: 100 × (2 − value / target). met: 100 or 0."
    )
    range: Literal["met", "distance"] = Field(
        "met",
        description="met: 100 inside, else 0. distance: 100 less what it is outside, in half widths of the range.",
    )


class Overall(Piece):
    """목표달성도: how the verdicts of the KPIs come to one answer. A score never changes a verdict."""

    rule: Literal["all_required", "weighted"] = Field(
        "all_required",
        description="all_required: every required KPI must be met, every KPI where none is required."
        " weighted: the weighted mean of the scores.",
    )
    formula: Formula = Formula()
    cap: Annotated[Number, Field(gt=0)] = Field(100.0, description="The most that one KPI can score.")
    open: Undecided = Field(
        0.0,
        description="The score of a verdict that stays open: points, or achieved (by the formula, as decided ones).",
    )
    insufficient: Undecided = Field(0.0, description="The score of a KPI with too little data: points, or achieved.")
    pass_: Points | None = Field(
        None, alias="pass", description="The score from which on the whole is met, if no required KPI is missed."
    )

    @model_validator(mode="after")
    def _reachable(self) -> Overall:
        values = [value for value in (self.open, self.insufficient, self.pass_) if isinstance(value, float)]
        if any(value > self.cap for value in values):
            raise broken("overall-cap", cap=f"{self.cap:g}")
        return self
