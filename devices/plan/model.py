"""The plan file's language: contract, device registry and KPI definition of one pilot.

These models are what the published JSON Schema is made from. They check what one value can show by itself; what takes two
values (a target against its channel's unit, a slot against its connection) is in ``devices/plan/checks.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from core.units import UnitError, counted, parse_quantity, seconds, unit_of
from core.window import Window, date_window
from devices.plan.agreed import Overall, Planned
from devices.plan.measures import Measure, bounds_text
from devices.plan.rules import broken
from devices.plan.target import Bounds, parse_bounds
from devices.plan.written import Day, Free, Number, Text, Truth, Whole


def _unit(text: str) -> str:
    try:
        unit_of(text)
    except UnitError:
        raise broken("unit") from None
    return text


def _duration(text: str) -> str:
    try:
        positive = seconds(text) > 0
    except (UnitError, ValueError):
        positive = False
    if not positive:
        raise broken("duration")
    return text


def _quantity(text: str) -> str:
    try:
        value, _ = parse_quantity(text)
    except (UnitError, ValueError):
        raise broken("quantity") from None
    if value < 0:
        raise broken("quantity")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise broken("zone") from None
    return text


def _location(place: tuple[float, float]) -> tuple[float, float]:
    if abs(place[0]) > 90 or abs(place[1]) > 180:
        raise broken("latitude")
    return place


# MQTT topic levels are made of these names, so they hold no slash, no wildcard and no blank.
Name = Annotated[Text, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Unit = Annotated[Text, AfterValidator(_unit), Field(description="A unit of core/units.py's table, as in ug/m^3.")]
Duration = Annotated[Text, AfterValidator(_duration), Field(description="A number and a unit of time, as in '10 s'.")]
Quantity = Annotated[Text, AfterValidator(_quantity), Field(description="A number and a unit, as in '0.5 degC'.")]
Target = Annotated[Text, AfterValidator(bounds_text), Field(description="'>= 95 %', '< 5 s', '20..26 degC', '== 0'.")]

NATIVE = ("readings", "events", "status")
"""What a slot publishes below ``pilots/{pilot}/{slot}/``."""


class Part(BaseModel):
    """A part of the plan: nothing unknown is taken, nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Party(Part):
    id: Name
    name: Text


class Site(Party):
    address: Text | None = None
    location: Annotated[tuple[Number, Number], AfterValidator(_location)] | None = Field(
        None, description="Latitude and longitude in degrees, WGS 84."
    )


class Period(Part):
    """The pilot's days: from ``start`` up to, not including, ``end``, in its time zone."""

    start: Day
    end: Day
    timezone: Annotated[Text, AfterValidator(_zone)] = "Asia/Seoul"

    @model_validator(mode="after")
    def _order(self) -> Period:
        if self.end <= self.start:
            raise broken("period-order")
        return self


class Evaluation(Part):
    """When verdicts are given. With k looks each is made at 5 %/k."""

    interim: tuple[Day, ...] = ()
    data_until: Day
    meeting: Day


class Product(Part):
    name: Text
    functions: tuple[Text, ...] = ()
    trl: Whole | None = Field(None, ge=1, le=9)


class Amendment(Part):
    """협약변경: who agreed to the change from the version before, why, and when."""

    parties: tuple[Text, ...] = Field(min_length=3, description="Site, company and programme team.")
    reason: Text
    date: Day


class Times(Part):
    """How a connection writes time."""

    path: str = Field("ts", description="Where in the message the time stands; '' where it has none.")
    format: Literal["auto", "s", "ms", "us", "ns", "iso"] = "auto"
    zone: Annotated[Text, AfterValidator(_zone)] | None = Field(None, description="For ISO 8601 times without a zone.")


class Connection(Part):
    """One credential and protocol that speaks for one slot or several."""

    protocol: Text = "json"
    topics: tuple[Text, ...] = Field(
        (), description="MQTT filters it publishes to, where they are not the native ones."
    )
    time: Times = Times()
    clock: Truth = Field(True, description="False for a device without a clock: observed_at is then the arrival.")
    values: Text | None = Field(None, description="Where in a message the values stand; 'values' in the native form.")
    options: dict[str, Free] = Field(default_factory=dict, description="What the protocol takes besides.")


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
    source_unit: Unit | None = Field(
        None, description="Unit of the value in the message; the canonical one if left out."
    )
    reporting: Literal["periodic", "on_change", "event"] = "periodic"
    period: Duration | None = None
    max_hold: Duration | None = Field(None, description="How long a reading stands; 3 × period for a periodic channel.")
    range: tuple[Number, Number] | None = Field(None, description="What is physically possible, in the canonical unit.")
    uncertainty: Uncertainty | None = None

    @model_validator(mode="after")
    def _whole(self) -> Channel:
        if self.kind == "state":
            if self.states is None or self.unit is not None or self.source_unit is not None:
                raise broken("state-channel")
            if len(set(self.states)) != len(self.states):
                raise broken("states-twice")
        elif self.unit is None or self.states is not None:
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


class Slot(Part):
    """A position where a device stands."""

    place: str = ""
    device: Device
    connection: Name | None = Field(None, description="Left out: the slot has a connection of its own, native JSON.")
    topics: tuple[Text, ...] = Field((), description="MQTT filters of this slot's messages, where not the native ones.")
    select: dict[str, Free] = Field(
        default_factory=dict, description="Which part of its connection's messages is this slot's."
    )
    channels: dict[Name, Channel] = Field(default_factory=dict)
    events: dict[Name, EventKind] = Field(default_factory=dict)


class Promise(Part):
    """One of several things that a KPI promises at once."""

    name: Text | None = Field(None, description="What people read; the KPI's name if left out.")
    measure: Measure
    target: Target


class Kpi(Part):
    """One numeric promise: what is computed, what it must reach, how it is decided. Or several, all of which must hold."""

    name: Text
    definition: Text | None = Field(None, description="정의: in words, as the agreement has it.")
    measure_: Measure | None = Field(None, alias="measure")
    target_: Target | None = Field(None, alias="target")
    all_: tuple[Promise, ...] | None = Field(
        None, alias="all", min_length=1, description="Several measures with their targets, all of which must hold."
    )
    weight: Number = Field(0, ge=0, le=100)
    required: Truth = False
    scope_: Literal["period", "capability"] | None = Field(
        None, alias="scope", description="period if left out; capability where the measure is mtbf."
    )
    decision: Literal["estimate", "confident", "guarded"] | None = Field(
        None,
        description="estimate is the default of scope period, confident of capability; guarded: a guard band of the"
        " instrument's expanded uncertainty.",
    )
    if_inconclusive: Literal["committee", "extend", "not_met"] = "committee"
    group: Literal["pooled", "worst", "mean", "sum"] = Field(
        "pooled",
        description="Several slots: together by time, each must meet the target, the mean of their values, or their sum.",
    )
    completeness: Number = Field(75, gt=0, le=100, description="Least completeness for a verdict, in %.")
    method: Text | None = Field(None, description="측정방법")
    measured_by: Text | None = Field(None, description="측정주체")
    baseline: Text | None = Field(None, description="기준값")
    planned: Planned | None = Field(None, description="표본수")

    @model_validator(mode="after")
    def _promising(self) -> Kpi:
        alone = (self.measure_ is not None, self.target_ is not None)
        if alone != ((True, True) if self.all_ is None else (False, False)):
            raise broken("kpi-promise")
        return self

    @property
    def parts(self) -> tuple[Kpi, ...]:
        """What is promised, each as a KPI of its own; the KPI itself where that is one thing."""
        if self.all_ is None:
            return (self,)
        return tuple(
            self.model_copy(
                update={
                    "name": one.name or self.name, "measure_": one.measure, "target_": one.target, "all_": None
                }
            )
            for one in self.all_
        )  # fmt: skip

    @property
    def measure(self) -> Measure:
        """How it is computed. Of a KPI that promises several things, the first of them: whoever judges takes ``parts``."""
        found = self.measure_ if self.all_ is None else self.all_[0].measure
        assert found is not None
        return found

    @property
    def target(self) -> str:
        """What it must reach; of several, the first."""
        found = self.target_ if self.all_ is None else self.all_[0].target
        assert found is not None
        return found

    @property
    def bounds(self) -> Bounds:
        """The target; where events are counted a bare number is one of events."""
        found = parse_bounds(self.target)
        counts = self.measure.kind in ("event_rate", "count")
        return replace(found, unit=counted(found.unit)) if counts else found

    @property
    def scope(self) -> Literal["period", "capability"]:
        """Whether it is about what happened, or about what the product can do."""
        # A mean time between failures is judged by its lower confidence bound, which only a capability has.
        return self.scope_ or ("capability" if self.measure.kind == "mtbf" else "period")

    @property
    def rule(self) -> Literal["estimate", "confident", "guarded"]:
        """The decision rule in force."""
        return self.decision or ("estimate" if self.scope == "period" else "confident")


class Plan(Part):
    """One pilot at one site for one period."""

    pilot: Name
    title: Text
    kind: Literal["rnd", "opportunity"]
    simulated: Truth = Field(False, description="Simulated data: every page and document says so.")
    company: Party
    site: Site
    period: Period
    evaluation: Evaluation
    product: Product
    amendment: Amendment | None = None
    keep_messages: Duration = "30 d"
    retention: Duration = Field("1826 d", description="How long readings are kept after the period ends.")
    connections: dict[Name, Connection] = Field(default_factory=dict)
    slots: dict[Name, Slot] = Field(min_length=1)
    kpis: dict[Name, Kpi] = Field(min_length=1)
    overall: Overall = Field(Overall(), description="목표달성도: how the verdicts come to one answer.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.period.timezone)

    @property
    def window(self) -> Window:
        """The whole period as instants."""
        return date_window(self.period.start, self.period.end, self.zone)

    def connection_of(self, slot: str) -> tuple[str, Connection]:
        """The name and definition of the connection that speaks for a slot."""
        name = self.slots[slot].connection
        return (slot, Connection()) if name is None else (name, self.connections[name])

    def topics_of(self, connection: str) -> tuple[str, ...]:
        """Where a connection publishes: the native topics of its slots, then the filters that the plan gives it."""
        slots = self.slots_of(connection)
        native = [f"pilots/{self.pilot}/{slot}/{kind}" for slot in slots for kind in NATIVE]
        own = self.connections[connection].topics if connection in self.connections else ()
        given = [topic for slot in slots for topic in self.slots[slot].topics]
        return tuple(dict.fromkeys([*native, *own, *given]))

    @property
    def connection_names(self) -> tuple[str, ...]:
        """Every connection: those of the plan, then the slots' own."""
        return tuple(dict.fromkeys([*self.connections, *(self.connection_of(slot)[0] for slot in self.slots)]))

    def slots_of(self, connection: str) -> tuple[str, ...]:
        """The slots that a connection speaks for, in the plan's order."""
        return tuple(slot for slot in self.slots if self.connection_of(slot)[0] == connection)
