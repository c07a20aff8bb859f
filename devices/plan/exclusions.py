"""평가 제외 구간: what may be left out of judgement, how soon that is asked for, and how much. Fixed before anything happens."""

from __future__ import annotations

from pydantic import Field

from devices.plan.parts import Name, Part
from devices.plan.written import Day, Number, Text, Whole


class Exclusions(Part):
    """The rules of exclusions. Each is for the whole slot and all KPIs, and agreed by the site and the programme team."""

    reasons: dict[Name, Text] | None = Field(
        None, min_length=1, description="The closed list: code → what it means. The product's own list if left out."
    )
    ask_within: Whole = Field(5, ge=1, description="Working days after the day on which the cause began.")
    most: Number = Field(
        2, ge=0, le=100, description="The most of a slot's judged time that may be left out, in %; 0: nothing may."
    )
    holidays: tuple[Day, ...] = Field((), description="Days that are no working days though they are no weekend.")
