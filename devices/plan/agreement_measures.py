"""The measure kind ``agreement``: what a channel says beside a reference, in pairs of averages or of readings."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from core.units import UnitError, conversion, parse_quantity, same_dimension, seconds, unit_of
from devices.plan.measure_parts import Common, Condition, Piece
from devices.plan.rules import broken
from devices.plan.target import Bounds, parse_bounds
from devices.plan.written import Number, Text, Truth

_DAY_S: Final = 86_400.0
_LEVELS: Final = ("dB", "dBm", "pH")
RATIOS: Final = ("relative_error", "mape", "drift")
"""Statistics that divide by the reference."""


def _span(text: str) -> str:
    try:
        if seconds(text) > 0:
            return text
    except (UnitError, ValueError):
        pass
    raise broken("duration")


def _part(text: str) -> str:
    """A share above 0 and at most 1, as in '75 %'."""
    try:
        value, unit = parse_quantity(text)
        if same_dimension(unit, "%") and 0 < conversion(unit, "")(value) <= 1:
            return text
    except (UnitError, ValueError):
        pass
    raise broken("agreement-coverage")


def _stat(text: str) -> str:
    if re.fullmatch(r"relative_error|mape|mae|rmse|bias|r2|drift|p(?:[1-9]\d?|99\.\d)", text) is None:
        raise broken("agreement-stat")
    return text


Span = Annotated[Text, AfterValidator(_span), Field(description="A number and a unit of time, as in '1 h'.")]
AgreementStat = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(relative_error|mape|mae|rmse|bias|r2|drift|p([1-9][0-9]?|99\.[0-9]))$"}),
    AfterValidator(_stat),
]


class Referred(Piece):
    """What a channel is compared with: one at a slot that is not the company's."""

    slot: Text
    channel: Text
    by: Literal["company"] | None = Field(
        None, description="company: the reference is the company's own, and everybody agreed to that. plan check warns."
    )
    wrap: Number | None = Field(None, gt=0, description="Of a counter: where it begins again at 0.")
    stamped: Literal["start", "end"] = Field(
        "start",
        description="end: its readings stand for the time before them, as hourly values of 10:00 for 09:00 to 10:00.",
    )


class Agreement(Common):
    """How well a channel agrees with a reference."""

    channel: Text
    reference: Referred
    stat: AgreementStat
    average: Span | None = Field(
        None,
        description="Pairs are of averages over so long, by the clock of the pilot's zone: it divides a day, or is days.",
    )
    coverage: Annotated[Text, AfterValidator(_part)] | None = Field(
        None, description="What each average needs of its expected readings: '75 %'; of a sum 100 % if left out."
    )
    take: Literal["mean", "sum"] = Field(
        "mean", description="What of the readings of an average's time; of a counter always its increase."
    )
    within: Span | None = Field(
        None, description="Without average: pairs are nearest readings no further apart than this."
    )
    where_reference: Condition | None = Field(None, description="Which pairs count, by the reference: '>= 10 ug/m^3'.")
    window: Span = Field("14 d", description="drift: how long its first and its last stretch are.")
    relative: Truth = Field(True, description="drift: in % of the reference's mean; false: in the channel's unit.")
    designed: Truth = Field(False, description="Pairs of staged, independent trials; otherwise of daily operation.")
    wrap: Number | None = Field(
        None, gt=0, description="Of a counter: where it begins again at 0, in the channel's unit."
    )

    @model_validator(mode="after")
    def _paired(self) -> Agreement:
        if (self.average is None) == (self.within is None):
            raise broken("agreement-paired")
        if self.average is not None and not divides_day(self.average):
            raise broken("agreement-average")
        ends = self.reference.stamped == "end"
        if self.within is not None and (self.coverage is not None or self.take == "sum" or ends):
            raise broken("agreement-within")
        return self

    @property
    def average_s(self) -> float | None:
        return None if self.average is None else seconds(self.average)

    @property
    def within_us(self) -> int:
        return 0 if self.within is None else round(seconds(self.within) * 1e6)

    @property
    def least_coverage(self) -> float:
        """0 to 1. A sum lacks what its missing readings had; a mean and a counter do not."""
        if self.coverage is None:
            return 1.0 if self.take == "sum" else 0.75
        value, unit = parse_quantity(self.coverage)
        return float(conversion(unit, "")(value))

    @property
    def condition(self) -> Bounds | None:
        """Which values of the reference count."""
        return None if self.where_reference is None else parse_bounds(self.where_reference)

    @property
    def in_percent(self) -> bool:
        """Whether it divides by the reference."""
        return self.stat in ("relative_error", "mape") or (self.stat == "drift" and self.relative)

    @property
    def shifts(self) -> bool:
        """Whether it is a difference of values: another unit scales it, and never shifts it."""
        return not self.in_percent and self.stat != "r2"


def divides_day(average: str) -> bool:
    """Whether a day holds a whole number of it, or it is a whole number of days.

    >>> [divides_day(text) for text in ("1 h", "5 min", "8 h", "7 d", "7 h", "36 h")]
    [True, True, True, True, False, False]
    """
    length_us, day_us = round(seconds(average) * 1e6), round(_DAY_S * 1e6)
    return day_us % length_us == 0 if length_us <= day_us else length_us % day_us == 0


def agreement_unit(of: Agreement, channel_unit: str | None) -> str | None:
    """The unit of what it gives; None where it hangs on a channel that is not known.

    >>> hourly = {"channel": "x", "reference": {"slot": "r", "channel": "x"}, "average": "1 h"}
    >>> of = Agreement.model_validate({**hourly, "stat": "mae"})
    >>> agreement_unit(of, "ug/m^3"), agreement_unit(of, "%")      # a difference of shares is no share
    ('ug/m^3', '%p')
    """
    if of.in_percent:
        return "%"
    if of.stat == "r2":
        return "1"
    return None if channel_unit is None else difference_unit(channel_unit)


def difference_unit(channel_unit: str) -> str:
    """In which differences of a channel's values are told: of shares in percentage points."""
    return "%p" if channel_unit.strip() in ("%", "％") else channel_unit


def has_no_zero(unit: str) -> bool:
    """Whether a value is no multiple of its unit: a temperature, a level. Nothing is a share of it then.

    >>> [has_no_zero(unit) for unit in ("degC", "dB", "pH", "ug/m^3", "%", "K")]
    [True, True, True, False, False, False]
    """
    if any(same_dimension(unit, level) for level in _LEVELS):
        return True
    return same_dimension(unit, "K") and unit_of(unit) != unit_of("K") and conversion(unit, "K").offset != 0
