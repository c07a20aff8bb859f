"""평가 제외 구간: what may be left out of judgement, how soon that is asked for, and how much. Fixed before anything happens."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from devices.plan.holidays import KOREA, korean_holidays
from devices.plan.parts import Name, Part
from devices.plan.rules import broken
from devices.plan.written import Number, Text, Whole


def _holiday(value: Any) -> Any:
    """A calendar day, or ``KR`` for all the public holidays of Korea."""
    if isinstance(value, date) or value == KOREA:
        return value
    try:
        return date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else _no_day()
    except (TypeError, ValueError):
        return _no_day()


def _no_day() -> Any:
    raise broken("date")


_Holiday = Annotated[
    Any,
    BeforeValidator(_holiday),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"const": KOREA}]}),
]


def _listed(value: Any) -> Any:
    """``KR`` alone stands for a list of it."""
    return (value,) if value == KOREA else value


class Exclusions(Part):
    """The rules of exclusions. Each is for the whole slot and all KPIs, and agreed by the site and the programme team."""

    reasons: dict[Name, Text] | None = Field(
        None, min_length=1, description="The closed list: code → what it means. The product's own list if left out."
    )
    ask_within: Whole = Field(5, ge=1, description="Working days after the day on which the cause began.")
    most: Number = Field(
        2, ge=0, le=100, description="The most of a slot's judged time that may be left out, in %; 0: nothing may."
    )
    holidays: Annotated[tuple[_Holiday, ...], BeforeValidator(_listed)] = Field(
        (), description="Days that are no working days though they are no weekend; KR: the public holidays of Korea."
    )

    def holidays_between(self, start: date, end: date) -> frozenset[date]:
        """Those of ``start`` up to, not including, ``end``; the days that the plan lists whenever they are.

        >>> sorted(Exclusions(holidays="KR").holidays_between(date(2026, 2, 10), date(2026, 2, 18)))
        [datetime.date(2026, 2, 16), datetime.date(2026, 2, 17)]
        """
        listed = frozenset(day for day in self.holidays if isinstance(day, date))
        return listed | frozenset(korean_holidays(start, end)) if KOREA in self.holidays else listed
