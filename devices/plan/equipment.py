"""Who speaks and what stands where: connections, slots, devices, channels, the kinds of events."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from core.units import seconds
from devices.plan.parts import Duration, Name, Part, Quantity, Unit, Zone
from devices.plan.quality import Quality
from devices.plan.rules import broken
from devices.plan.states import as_keys
from devices.plan.truth import Side
from devices.plan.written import Day, Free, Number, Text, Truth


class Times(Part):
    """How a connection writes time."""

    path: str = Field("ts", description="Where in the message the time stands; '' where it has none.")
    format: Literal["auto", "s", "ms", "us", "ns", "iso"] = "auto"
    zone: Zone | None = Field(None, description="For ISO 8601 times without a zone.")


class Certificate(Part):
    """교정성적서: what vouches for an instrument."""

    number: Text
    date: Day | None = Field(None, description="The day of the calibration.")
    valid_until: Day | None = Field(None, description="The last day on which it holds.")
    by: Text | None = Field(None, description="Who calibrated: 교정기관.")

    @model_validator(mode="after")
    def _order(self) -> Certificate:
        if self.date is not None and self.valid_until is not None and self.valid_until < self.date:
            raise broken("certificate-order")
        return self


class Connection(Part):
    """One credential and protocol that speaks for one slot or several."""

    profile: Text | None = Field(
        None,
        description="A device template that says how its devices speak: one that is shipped, or ./profiles/x.yaml beside the"
        " plan. What the connection says itself goes before it.",
    )
    protocol: Text = "json"
    topics: tuple[Text, ...] = Field(
        (), description="MQTT filters it publishes to, where they are not the native ones."
    )
    time: Times = Times()
    clock: Truth = Field(True, description="False for a device without a clock: observed_at is then the arrival.")
    values: Text | None = Field(None, description="Where in a message the values stand; 'values' in the native form.")
    options: dict[str, Free] = Field(default_factory=dict, description="What the protocol takes besides.")
    side: Side = Field("company", description="Whose it is: truth labels that it delivers are those of that side.")


class Device(Part):
    serial: Text
    model: Text | None = None
    firmware: Text | None = None
    installed: Day | None = Field(None, description="Start of the period if left out.")


class Uncertainty(Part):
    """Expanded uncertainty as certified, or as claimed where there is no certificate."""

    relative: Quantity | None = Field(None, description="As a share of the value, as in '5 %'.")
    absolute: Quantity | None = Field(None, description="In the channel's unit, as in '0.5 degC'.")
    k: Number = Field(2.0, gt=0)
    certificate: Text | None = None

    @model_validator(mode="after")
    def _given(self) -> Uncertainty:
        if self.relative is None and self.absolute is None:
            raise broken("uncertainty-none")
        return self


class Channel(Part):
    """One quantity at one slot, in one canonical unit."""

    name: Text | None = Field(None, description="What people read; the channel's key if left out.")
    kind: Literal["gauge", "counter", "state"] = "gauge"
    unit: Unit | None = Field(None, description="Canonical unit; a state has none.")
    states: tuple[Text, ...] | None = Field(None, min_length=1, description="The states of a state channel, in order.")
    source: Text | None = Field(None, description="Path of the value in the message; the channel's key if left out.")
    source_states: Annotated[dict[Text, Text], BeforeValidator(as_keys)] | None = Field(
        None,
        min_length=1,
        description="What the device says → the state that it means, as in {0: stopped, 1: running, ERR: fault}; anything else is"
        " rejected. Left out: the device says the states themselves.",
    )
    source_unit: Unit | None = Field(
        None, description="Unit of the value in the message; the canonical one if left out."
    )
    reporting: Literal["periodic", "on_change", "event"] = "periodic"
    period: Duration | None = None
    max_hold: Duration | None = Field(None, description="How long a reading stands; 3 × period for a periodic channel.")
    range: tuple[Number, Number] | None = Field(None, description="What is physically possible, in the canonical unit.")
    uncertainty: Uncertainty | None = None
    quality: Quality | None = Field(None, description="Thresholds of the quality tests; defaults where left out.")

    @model_validator(mode="after")
    def _whole(self) -> Channel:
        if self.kind == "state":
            if self.states is None or self.unit is not None or self.source_unit is not None:
                raise broken("state-channel")
            if len(set(self.states)) != len(self.states):
                raise broken("states-twice")
        elif self.unit is None or self.states is not None or self.source_states is not None:
            raise broken("value-channel")
        if (self.period is not None) != (self.reporting == "periodic"):
            raise broken("period-reporting")
        if self.range is not None and self.range[0] > self.range[1]:
            raise broken("range-order")
        return self

    @property
    def canonical_unit(self) -> str:
        return self.unit if self.unit is not None else "state"

    def code(self, state: str) -> int:
        """The number that stands for a state: its position, from 0, in ``states``.

        :raises ValueError: the channel has no such state.
        """
        return (self.states or ()).index(state)

    @property
    def period_s(self) -> float | None:
        return None if self.period is None else seconds(self.period)

    @property
    def max_hold_s(self) -> float | None:
        """How long a reading stands at the most; None until the link is lost."""
        if self.max_hold is not None:
            return seconds(self.max_hold)
        return None if self.period is None else 3 * seconds(self.period)


class EventKind(Part):
    """A kind of event that a slot reports."""

    name: Text | None = None
    numbered: Truth = Field(
        False, description="Each carries a number, without holes: a missing one counts as a failure."
    )
    phased: Truth = Field(False, description="Each has a start and an end: one never closed counts as a failure.")
    truth: Truth = Field(
        False,
        description="Truth labels: what people say happened at this slot, or at the one that attribute slot names.",
    )


class Slot(Part):
    """A position where a device stands."""

    place: str = ""
    profile: Text | None = Field(
        None,
        description="A device template (장비 서식): one that is shipped, or a file beside the plan, as in ./profiles/x.yaml. Its"
        " channels and events are the slot's; what the slot says itself goes before it, a channel field by field.",
    )
    without: tuple[Name, ...] = Field((), description="Channels of the profile that this slot does not have.")
    owner: Side | None = Field(
        None,
        description="Whose it is: as its connection's side, the company's, if left out. What is not the company's is no slot"
        " that a KPI is about: it is there to compare with.",
    )
    certificate: Certificate | None = Field(None, description="교정성적서: of the instrument that stands here.")
    device: Device
    connection: Name | None = Field(None, description="Left out: the slot has a connection of its own, native JSON.")
    topics: tuple[Text, ...] = Field((), description="MQTT filters of this slot's messages, where not the native ones.")
    select: dict[str, Free] = Field(
        default_factory=dict, description="Which part of its connection's messages is this slot's."
    )
    channels: dict[Name, Channel] = Field(default_factory=dict)
    events: dict[Name, EventKind] = Field(default_factory=dict)
