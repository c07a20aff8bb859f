"""The measure kind ``change``: what became of another measure since a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from core.units import UnitError, conversion, parse_quantity, same_dimension
from devices.plan.baseline import Baseline
from devices.plan.event_measures import span_of
from devices.plan.holidays import Calendar
from devices.plan.measure_parts import Common, Piece
from devices.plan.rules import broken
from devices.plan.written import Number, Text, Truth

if TYPE_CHECKING:
    from devices.plan.measures import Measure

SUMMED = ("integral", "increase", "count")
"""What grows with time: told by time, so that windows of other lengths compare."""
DAILY = ("statistic", "share", "integral", "increase", "count", "event_rate", "event_ratio", "event_duration")
"""What a day has a value of."""
COMMON = ("slots", "hours", "days", "holidays")


def _per(text: str) -> str:
    try:
        span_of(text)
    except (UnitError, ValueError):
        raise broken("duration") from None
    return text


def _in(text: str, unit: str, code: str) -> str:
    """A quantity of a unit's dimension."""
    try:
        known = same_dimension(parse_quantity(text)[1], unit)
    except (UnitError, ValueError):
        known = False
    if not known:
        raise broken(code)
    return text


def _temperature(text: str) -> str:
    return _in(text, "degC", "degree-days")


def _percent(text: str) -> str:
    return _in(text, "%", "quantity")


Temperature = Annotated[Text, AfterValidator(_temperature)]


class Pair(Piece):
    """Each judged day with one of the baseline: the same weekday of the same week of the year (ISO 8601)."""

    weekday: Truth = True
    holidays: Calendar | None = Field(None, description="Whose public holidays are no ordinary days.")
    on_holidays: Literal["left_out", "sunday"] = Field(
        "left_out",
        description="left_out: pairs with a holiday in them do not count. sunday: a holiday is paired as a Sunday, an ordinary"
        " day whose counterpart is one with the same weekday a week before or after.",
    )

    @field_validator("weekday")
    @classmethod
    def _only_weekdays(cls, value: bool) -> bool:
        if not value:
            raise broken("pair-weekday")
        return value


class Weather(Piece):
    """Whose channel has the outdoor temperature."""

    slot: Text
    channel: Text


class DegreeDays(Piece):
    """Base temperatures, below which is heated and above which is cooled; both are fitted where none is given."""

    heating: Temperature | None = None
    cooling: Temperature | None = None
    fitted: Truth = False

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if value == "fitted":
            return {"fitted": True}
        if isinstance(value, list | tuple) and len(value) == 2:
            return {"heating": value[0], "cooling": value[1]}
        return value

    @model_validator(mode="after")
    def _some(self) -> DegreeDays:
        given = self.bases
        if self.fitted == any(base is not None for base in given):
            raise broken("degree-days")
        if given[0] is not None and given[1] is not None and given[0] > given[1]:
            raise broken("degree-days")
        return self

    @property
    def bases(self) -> tuple[float | None, float | None]:
        """In °C."""
        return _celsius(self.heating), _celsius(self.cooling)


def _celsius(text: str | None) -> float | None:
    if text is None:
        return None
    value, unit = parse_quantity(text)
    return conversion(unit, "degC")(value)


class Normalise(Piece):
    """The baseline as it would have been in the weather of the judged days."""

    degree_days: DegreeDays = Field(description="fitted, or [heating base, cooling base], as in [18 degC, 24 degC].")
    weather: Weather
    cv_rmse: Annotated[Text, AfterValidator(_percent)] = Field(
        "25 %", description="The most that the baseline's days may scatter round the model, of their mean."
    )
    r2: Number = Field(0.75, ge=0, le=1, description="The least share of the days' variation that the model explains.")

    @property
    def most_cv_rmse(self) -> float:
        value, unit = parse_quantity(self.cv_rmse)
        return conversion(unit, "")(value)


class Change(Common):
    """What became of another measure since a baseline: in % of it, or the difference."""

    of: Measure = Field(description="Any measure that the baseline can be computed by.")
    per: Annotated[Text, AfterValidator(_per)] = Field("1 d", description="By which a sum is told: 1 d, 1 h.")
    baseline: Baseline
    pair: Pair | None = None
    normalise: Normalise | None = None
    control: tuple[Text, ...] | None = Field(
        None,
        min_length=1,
        description="Slots that the product does not touch: what they did would have happened anyway.",
    )
    as_: Literal["ratio", "difference"] = Field("ratio", alias="as")

    @property
    def inner(self) -> Measure:
        """The measure itself, about the slots and times that stand with it or with the change."""
        of = self.of.of
        taken = {key: getattr(self, key) for key in COMMON if getattr(of, key) is None}
        return self.of.model_copy(update={self.of.kind: of.model_copy(update=taken)})

    @property
    def by_day(self) -> bool:
        """Whether days are compared, and not the windows as wholes."""
        return self.pair is not None or self.normalise is not None or self.control is not None

    @property
    def summed(self) -> bool:
        return self.of.kind in SUMMED

    @property
    def least_complete(self) -> float:
        """The least share of the baseline that must be there, 0 to 1."""
        given = self.baseline.completeness
        usual = 90.0 if self.of.kind in ("integral", "increase") else 75.0
        return (usual if given is None else given) / 100

    @property
    def beside(self) -> tuple[str, ...]:
        """The slots that it looks at besides those that it judges."""
        weather = () if self.normalise is None else (self.normalise.weather.slot,)
        return tuple(dict.fromkeys([*(self.control or ()), *weather]))
