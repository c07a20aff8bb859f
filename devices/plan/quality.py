"""By what a channel's readings are judged, where its plan says so; what it leaves out goes by defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag

from core.units import UnitError, parse_quantity, seconds
from devices.plan.parts import Duration, Part, Quantity
from devices.plan.rules import broken
from devices.plan.written import Number, Text, resolved

TAG: Final = "|"
"""With this begin the tags of shapes: steps of a path of which the file knows nothing."""


def rate_parts(text: str) -> tuple[str, str]:
    """A rate's change and what it is per: ``"3 degC/min"`` → ``("3 degC", "1 min")``.

    :raises UnitError: it has no slash.
    """
    change, slash, per = text.rpartition("/")
    if not slash:
        raise UnitError(f"{text!r} is no rate: write a change and a unit of time, as in '3 degC/min'.")
    return change.strip(), f"1 {per.strip()}"


def _rate(text: str) -> str:
    try:
        change, per = rate_parts(text)
        sound = parse_quantity(change)[0] >= 0 and seconds(per) > 0
    except (UnitError, ValueError):
        sound = False
    if not sound:
        raise broken("rate")
    return text


def _shapes(*known: str) -> Callable[[Any], str]:
    """Which of the shapes a value has that a key takes; for one that has none of them, what is to be missed."""

    def shape(value: Any) -> str:
        match resolved(value):
            case False:
                found = "off"
            case list() | tuple():
                found = "two"
            case Mapping() | BaseModel():
                found = "rests"
            case _:
                found = "one"
        return f"{TAG}{found if found in known else known[-1]}"

    return shape


Rate = Annotated[Text, AfterValidator(_rate), Field(description="A change and a unit of time, as in '3 degC/min'.")]


class Resting(Part):
    """How long a value may rest."""

    after: Duration = Field(description="Suspect from here on.")
    fail: Duration | None = Field(None, description="Wrong from here on.")
    tolerance: Quantity | None = Field(None, description="So small a difference is none.")


_Off = Annotated[Literal[False], BeforeValidator(resolved), Tag("|off")]
_Span = Annotated[tuple[Number, Number], Tag("|two")]
_Length = Annotated[Duration, Tag("|one")]
_Lengths = Annotated[tuple[Duration, Duration], Tag("|two")]
_Rests = Annotated[Resting, Tag("|rests")]
_Change = Annotated[Quantity, Tag("|one")]
_Changes = Annotated[tuple[Quantity, Quantity], Tag("|two")]
_Speed = Annotated[Rate, Tag("|one")]
_Speeds = Annotated[tuple[Rate, Rate], Tag("|two")]
_Gap = Annotated[_Length | _Off, Discriminator(_shapes("off", "one"))]
_Stuck = Annotated[_Length | _Lengths | _Rests | _Off, Discriminator(_shapes("off", "two", "rests", "one"))]
_Range = Annotated[_Span | _Off, Discriminator(_shapes("off", "two"))]
_Spike = Annotated[_Change | _Changes | _Off, Discriminator(_shapes("off", "two", "one"))]
_Rates = Annotated[_Speed | _Speeds | _Off, Discriminator(_shapes("off", "two", "one"))]
_Jump = Annotated[_Change | _Off, Discriminator(_shapes("off", "one"))]


class Quality(Part):
    """Thresholds of the quality tests. Of two values the first is suspect, the second fails; false switches a test off."""

    gap: _Gap | None = Field(None, description="Silence from this length on is a gap.")
    stuck: _Stuck | None = Field(None, description="For how long a value may rest.")
    range: _Range | None = Field(None, description="What is usual, in the canonical unit; of a counter its increments.")
    spike: _Spike | None = Field(None, description="By how much a reading may leave both its neighbours.")
    rate: _Rates | None = Field(None, description="How fast it may change.")
    jump: _Jump | None = Field(None, description="From what size on a shift of the level is told.")
