"""Whatever parts of a plan can be read, each by itself: so that one bad line hides no other problem.

A part that is not valid is None here; what is wrong with it, pydantic has said already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from devices.plan.agreed import Overall
from devices.plan.conditions import OperatingCondition
from devices.plan.equipment import Certificate
from devices.plan.manual import ManualQuantity
from devices.plan.measures import Measure
from devices.plan.model import (
    Calibration,
    Channel,
    Connection,
    Device,
    Duration,
    EventKind,
    Kpi,
    Name,
    Period,
    Target,
    native_kinds,
)
from devices.plan.problem import Way
from devices.plan.target import Bounds, parse_bounds
from devices.plan.truth import Side
from devices.plan.written import Day, Free, Number, Text, resolved

_Part = TypeVar("_Part", bound=BaseModel)
_Value = TypeVar("_Value")

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_OWNER: TypeAdapter[str] = TypeAdapter(Side)
_TEXTS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[Text, ...])
_SELECT: TypeAdapter[Mapping[str, Any]] = TypeAdapter(Mapping[str, Free])
_DAY = TypeAdapter(Day)
_DURATION: TypeAdapter[str] = TypeAdapter(Duration)
_NUMBER: TypeAdapter[float] = TypeAdapter(Number)
_TARGET: TypeAdapter[str] = TypeAdapter(Target)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSlot:
    """What can be read of a slot."""

    owner: str | None
    certificate: Certificate | None
    connection: str | None
    connection_given: bool
    topics: tuple[str, ...]
    select: Mapping[str, Any]
    device: Device | None
    channels: Mapping[str, Channel | None]
    events: Mapping[str, EventKind | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPromise:
    """What can be read of a measure and its target."""

    way: Way
    """Where it stands below its KPI: nothing, or ``all`` and its position."""
    measure: Measure | None
    target: Bounds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftKpi:
    """What can be read of a KPI."""

    promises: tuple[DraftPromise, ...]
    weight: float | None
    scope: str | None
    decision: str | None
    group: str | None = None
    required: bool
    conditions: tuple[str, ...]
    """The operating conditions that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What can be read of a plan."""

    pilot: str | None
    period: Period | None
    data_until: Any
    meeting: Any
    interim: tuple[Any, ...]
    keep_messages: str | None
    retention: str | None
    connections: Mapping[str, Connection | None]
    slots: Mapping[str, DraftSlot]
    kpis: Mapping[str, DraftKpi]
    overall: Overall | None
    calibrations: tuple[Calibration | None, ...]
    manual: Mapping[str, ManualQuantity | None]
    conditions: Mapping[str, OperatingCondition | None]

    def connection_of(self, slot: str) -> str:
        """The name of the connection that speaks for a slot."""
        return self.slots[slot].connection or slot

    def owner_of(self, slot: str) -> str:
        """Whose a slot is: as it says, as its connection says, else the company's."""
        connection = self.connections.get(self.connection_of(slot))
        return self.slots[slot].owner or ("company" if connection is None else connection.side)

    @property
    def company_slots(self) -> tuple[str, ...]:
        """The slots that a measure is about which names none."""
        return tuple(slot for slot in self.slots if self.owner_of(slot) == "company")

    def slots_of(self, connection: str) -> tuple[str, ...]:
        """The slots that a connection speaks for."""
        return tuple(slot for slot in self.slots if self.connection_of(slot) == connection)

    def native(self, connection: str) -> list[str]:
        """The native filters on which a connection publishes."""
        definition = self.connections.get(connection)
        kinds = native_kinds("" if definition is None else definition.protocol)
        return [f"pilots/{self.pilot}/{slot}/{kind}" for slot in self.slots_of(connection) for kind in kinds]


def draft(root: Mapping[str, Any]) -> Draft:
    """Read each part of a plan by itself."""
    evaluation = _mapping(root.get("evaluation"))
    interim, calibrations = evaluation.get("interim"), root.get("calibrations")
    defaults = {"keep_messages": "30 d", "retention": "1826 d"}
    return Draft(
        pilot=_value(_NAME, root.get("pilot")),
        period=_part(Period, root.get("period")),
        data_until=_value(_DAY, evaluation.get("data_until")),
        meeting=_value(_DAY, evaluation.get("meeting")),
        interim=tuple(_value(_DAY, day) for day in interim) if isinstance(interim, list) else (),
        keep_messages=_value(_DURATION, root.get("keep_messages", defaults["keep_messages"])),
        retention=_value(_DURATION, root.get("retention", defaults["retention"])),
        connections={name: _part(Connection, item) for name, item in _mapping(root.get("connections")).items()},
        slots={name: _slot(_mapping(item)) for name, item in _mapping(root.get("slots")).items()},
        kpis={name: _kpi(_mapping(item)) for name, item in _mapping(root.get("kpis")).items()},
        overall=_part(Overall, root.get("overall", {})),
        calibrations=tuple(_part(Calibration, item) for item in calibrations) if isinstance(calibrations, list) else (),
        manual={name: _part(ManualQuantity, item) for name, item in _mapping(root.get("manual")).items()},
        conditions={name: _part(OperatingCondition, item) for name, item in _mapping(root.get("conditions")).items()},
    )


def _slot(raw: Mapping[str, Any]) -> DraftSlot:
    return DraftSlot(
        owner=_value(_OWNER, raw.get("owner")),
        certificate=None if raw.get("certificate") is None else _part(Certificate, raw["certificate"]),
        connection=_value(_TEXT, raw.get("connection")),
        connection_given=raw.get("connection") is not None,
        topics=_value(_TEXTS, raw.get("topics")) or (),
        select=_value(_SELECT, raw.get("select")) or {},
        device=_part(Device, raw.get("device")),
        channels={name: _part(Channel, item) for name, item in _mapping(raw.get("channels")).items()},
        events={name: _part(EventKind, item) for name, item in _mapping(raw.get("events")).items()},
    )


def _kpi(raw: Mapping[str, Any]) -> DraftKpi:
    several = raw.get("all")
    promises = (
        [_promise(("all", position), _mapping(item)) for position, item in enumerate(several)]
        if isinstance(several, list)
        else [_promise((), raw)]
    )
    default = Kpi.model_fields["weight"].default
    return DraftKpi(
        promises=tuple(promises),
        weight=_value(_NUMBER, raw.get("weight", default)),
        scope=_value(_TEXT, raw.get("scope")),
        decision=_value(_TEXT, raw.get("decision")),
        group=_value(_TEXT, raw.get("group")),
        required=resolved(raw.get("required")) is True,
        conditions=_value(_TEXTS, raw.get("conditions")) or (),
    )


def _promise(way: Way, raw: Mapping[str, Any]) -> DraftPromise:
    target = _value(_TARGET, raw.get("target"))
    return DraftPromise(
        way=way,
        measure=_part(Measure, raw.get("measure")),
        target=None if target is None else parse_bounds(target),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _part(model: type[_Part], value: Any) -> _Part | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def _value(adapter: TypeAdapter[_Value], value: Any) -> _Value | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None
