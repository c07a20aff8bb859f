"""The plan file's language: contract, device registry and KPI definition of one pilot.

These models are what the published JSON Schema is made from. They check what one value can show by itself; what takes two
values (a target against its channel's unit, a slot against its connection) is in ``devices/plan/checks/``.
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from core.window import Window, date_window
from devices.plan.agreed import Overall
from devices.plan.calibration import Calibration
from devices.plan.conditions import OperatingCondition
from devices.plan.equipment import Certificate, Channel, Connection, Device, EventKind, Slot, Times, Uncertainty
from devices.plan.exclusions import Exclusions
from devices.plan.kpi import Kpi, Promise
from devices.plan.manual import ManualQuantity
from devices.plan.parts import Duration, Name, Part, Quantity, Target, Unit, Zone
from devices.plan.profile import Profiles
from devices.plan.rules import broken
from devices.plan.truth import Side
from devices.plan.written import Day, Number, Text, Truth, Whole

__all__ = [
    "NATIVE",
    "Amendment",
    "Calibration",
    "Certificate",
    "Channel",
    "Connection",
    "Device",
    "Duration",
    "Evaluation",
    "EventKind",
    "Exclusions",
    "Kpi",
    "ManualQuantity",
    "Name",
    "OperatingCondition",
    "Part",
    "Party",
    "Period",
    "Plan",
    "Product",
    "Promise",
    "Quantity",
    "Site",
    "Slot",
    "Target",
    "Times",
    "Uncertainty",
    "Unit",
]

NATIVE = ("readings", "events", "status")
"""What a slot publishes below ``pilots/{pilot}/{slot}/``."""


def native_kinds(protocol: str) -> tuple[str, ...]:
    """The same of a connection that speaks this protocol: MAVLink's raw frames have a topic of their own."""
    return (*NATIVE, "mavlink") if protocol == "mavlink" else NATIVE


def _location(place: tuple[float, float]) -> tuple[float, float]:
    if abs(place[0]) > 90 or abs(place[1]) > 180:
        raise broken("latitude")
    return place


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
    timezone: Zone = "Asia/Seoul"

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
    exclusions: Exclusions = Field(Exclusions(), description="평가 제외 구간: for what, how soon asked, how much.")
    manual: dict[Name, ManualQuantity] = Field(
        default_factory=dict,
        description="수기 관측값: what people observe and enter, with the document that proves it.",
    )
    conditions: dict[Name, OperatingCondition] = Field(
        default_factory=dict,
        description="적용 환경: within what the product may be used. Time outside of it is left out, and both numbers are shown.",
    )
    calibrations: tuple[Calibration, ...] = Field(
        (), description="교정·비교측정: pairs of before and after a change of device, for pooling its segments."
    )

    _profiles: Profiles = PrivateAttr(default=())

    def hold(self, profiles: Profiles) -> None:
        """Keep the device templates by which it was written out, as its reader found them."""
        self._profiles = profiles

    @property
    def profiles(self) -> Profiles:
        """The device templates that it names, to the byte."""
        return self._profiles

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

    def owner_of(self, slot: str) -> Side:
        """Whose a slot is: as it says, as its connection says, else the company's."""
        return self.slots[slot].owner or self.connection_of(slot)[1].side

    def topics_of(self, connection: str) -> tuple[str, ...]:
        """Where a connection publishes: the native topics of its slots, then the filters that the plan gives it."""
        slots = self.slots_of(connection)
        protocol = self.connections[connection].protocol if connection in self.connections else ""
        native = [f"pilots/{self.pilot}/{slot}/{kind}" for slot in slots for kind in native_kinds(protocol)]
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
