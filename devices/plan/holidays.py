"""공휴일: the public holidays of Korea, lunar and substitute ones included, by a calendar that others keep.

The library knows the law's dates, the ones counted by the moon, substitute holidays and those that the government set once. A
later version of it may know more of a year to come, so whoever judges by holidays writes down which dates were used.

:source: ``holidays`` on PyPI (MIT), its calendar KR, category public.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Calendar = Literal["KR"]
KOREA: Final[Calendar] = "KR"


class Holidays(BaseModel):
    """What public holidays are to a measure: no days of it, the only ones, or days of it besides the weekdays named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calendar: Calendar
    days: Literal["exclude", "only", "include"] = "exclude"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"calendar": value} if isinstance(value, str) else value

    def holds(self, day: date, *, among: bool) -> bool:
        """Whether a day counts.

        :param among: whether its weekday is one of those named.

        >>> seollal, tuesday = date(2026, 2, 17), date(2026, 2, 24)
        >>> [Holidays(calendar="KR", days=how).holds(seollal, among=True) for how in ("exclude", "only", "include")]
        [False, True, True]
        >>> Holidays(calendar="KR", days="include").holds(tuesday, among=False)
        False
        """
        if self.days == "include":
            return among or is_holiday(day)
        return among and is_holiday(day) == (self.days == "only")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"const": KOREA, "description": "Public holidays of Korea are left out."}, handler(core)]}


def is_holiday(day: date) -> bool:
    """Whether a day is a public holiday of Korea; a Sunday alone is none."""
    return day in _of_year(day.year)


def korean_holidays(start: date, end: date) -> dict[date, str]:
    """The public holidays from ``start`` up to, not including, ``end``, in their order, with their Korean names.

    >>> list(korean_holidays(date(2026, 2, 1), date(2026, 3, 3)).items())[:2]
    [(datetime.date(2026, 2, 16), '설날 전날'), (datetime.date(2026, 2, 17), '설날')]
    >>> korean_holidays(date(2026, 3, 2), date(2026, 3, 3))
    {datetime.date(2026, 3, 2): '삼일절 대체 휴일'}
    """
    found: dict[date, str] = {}
    for year in range(start.year, (end - timedelta(days=1)).year + 1):
        found |= {day: name for day, name in _of_year(year).items() if start <= day < end}
    return found


def calendar_source() -> str:
    """Which calendar, in which version: ``holidays 0.109, KR``."""
    return f"holidays {version('holidays')}, {KOREA}"


@cache
def _of_year(year: int) -> Mapping[date, str]:
    import holidays

    return MappingProxyType(dict(sorted(holidays.country_holidays(KOREA, years=year, language="ko").items())))
