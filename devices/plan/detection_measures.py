"""The measure kind that compares alerts with the truth, and what other kinds take from its matching."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from core.units import UnitError, parse_quantity, seconds
from devices.plan.measure_parts import Attributes, Common, Piece
from devices.plan.rules import broken
from devices.plan.truth import Side, Span, share_of, span
from devices.plan.written import Text, Truth, Whole


def _share(text: str) -> str:
    try:
        share = share_of(text)
    except (UnitError, ValueError):
        raise broken("truth-share") from None
    if not 0 < share <= 1:
        raise broken("truth-share")
    return text


def _distance(text: str) -> str:
    try:
        value, _ = parse_quantity(text)
    except (UnitError, ValueError):
        raise broken("quantity") from None
    if value < 0:
        raise broken("quantity")
    return text


def _sampled(text: str) -> str:
    if seconds(span(text)) % 1:
        raise broken("truth-window")
    return text


Percent = Annotated[Text, AfterValidator(_share), Field(description="A share above 0, as in '5 %'.")]
Window = Annotated[Text, AfterValidator(_sampled), Field(description="Length of a window, as in '10 min'.")]
Distance = Annotated[Text, AfterValidator(_distance), Field(description="As in '2 m', in the unit of the attribute.")]


class TruthSample(Piece):
    """Which windows are labelled: drawn from the seed, so that anybody can draw them again."""

    window: Window
    fraction: Percent
    seed: Whole = Field(
        description="Fixed beforehand; with slot and start of a window it decides whether that is drawn."
    )

    @property
    def window_us(self) -> int:
        return round(seconds(self.window) * 1e6)


class TruthOf(Piece):
    """Which labels are the truth."""

    labels: Text = Field(description="The kind of event that is a truth label: declared with truth: true at the slots.")
    where: Attributes = Field(
        default_factory=dict, description="Which labels count: attribute → value, list of values or condition."
    )
    by: Side | tuple[Side, ...] | None = Field(None, description="Whose labels count; anybody's but the company's.")
    blinded: Truth = Field(True, description="Only labels made without seeing the alerts count.")
    sample: TruthSample | None = Field(None, description="All of the required time is labelled if left out.")
    double: Percent | None = Field(None, description="How many are to be labelled by a second person, as in '10 %'.")
    covers: Literal["all", "labelled"] | None = Field(
        None,
        description="Where an alert that no label explains is false: all of the time (the default), or only where labels"
        " stand (the default of designed tests).",
    )

    @property
    def sides(self) -> tuple[Side, ...]:
        """Whose labels count."""
        if self.by is None:
            return ("site", "team", "outside")
        return (self.by,) if isinstance(self.by, str) else self.by


class Detection(Common):
    """Alerts against the truth: matched one to one within a tolerance that is fixed beforehand."""

    alerts: Text = Field(description="The kind of event that is an alert.")
    where: Attributes = Field(
        default_factory=dict, description="Which alerts count: attribute → value, list of values or condition."
    )
    merge: Span | None = Field(
        None, description="Alerts closer than this are one, and so are labels; none if left out."
    )
    within: Span = Field(description="How far an alert may lie from the label that it matches, as in '10 s'.")
    same: tuple[Text, ...] = Field(
        (), description="Attributes that alert and label have in common, such as class or place."
    )
    near: dict[Text, Distance] = Field(
        default_factory=dict, description="Attribute → how far apart its values may be: a number, or coordinates."
    )
    truth: TruthOf
    stat: Literal["recall", "precision", "f1", "false_rate"]
    designed: Truth = Field(
        False,
        description="Staged tests, independent of each other; otherwise events of daily operation, which cluster.",
    )

    @model_validator(mode="after")
    def _blind(self) -> Detection:
        if "company" in self.truth.sides:
            raise broken("truth-company")
        if not self.truth.blinded and not self.designed:
            raise broken("truth-blind")
        return self

    @property
    def within_us(self) -> int:
        return round(seconds(self.within) * 1e6)

    @property
    def merge_us(self) -> int:
        """0 where nothing is merged."""
        return 0 if self.merge is None else round(seconds(self.merge) * 1e6)

    @property
    def everywhere(self) -> bool:
        """Whether an alert that no label explains is false wherever it lies."""
        return (self.truth.covers or ("labelled" if self.designed else "all")) == "all"


MatchOutcome = Literal["matched", "missed", "false_alarm"]
"""What became of a label or an alert."""
