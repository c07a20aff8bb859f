"""What can be read of a robot's messages: name, unit, and where it stands in 2.x and in 3.0.

Source: the JSON schemas of VDA 5050 2.0.0, 2.1.0 and 3.0.0 (github.com/VDA5050/VDA5050), and the specification
where it names a unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from ingest.protocols.json.paths import ABSENT
from ingest.protocols.json.repeated import Repeated

Kind = Literal["number", "flag", "text"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a message."""

    name: str
    kind: Kind
    unit: str | None
    """A symbol of ``core/units.py``; None: it is a state."""
    v2: Path | None
    v3: Path | None
    visualized: bool = False
    """Whether it stands in visualization messages too."""

    def path(self, form: int) -> Path | None:
        """Where it stands; None where that version does not have it."""
        return self.v3 if form >= 3 else self.v2


def _field(
    name: str, kind: Kind, unit: str | None, v2: str | None, v3: str | None = "", visualized: bool = False
) -> Field:
    """:param v3: as in 2.x where it is left out."""
    there = v2 if v3 == "" else v3
    return Field(
        name=name, kind=kind, unit=unit, v2=None if v2 is None else tuple(v2.split(".")),
        v3=None if there is None else tuple(there.split(".")), visualized=visualized,
    )  # fmt: skip


_P2, _P3, _B2, _B3, _S = "agvPosition.", "mobileRobotPosition.", "batteryState.", "powerSupply.", "safetyState."
FIELDS: Final = (
    _field("battery", "number", "%", _B2 + "batteryCharge", _B3 + "stateOfCharge"),
    _field("battery.voltage", "number", "V", _B2 + "batteryVoltage", _B3 + "batteryVoltage"),
    _field("battery.current", "number", "A", None, _B3 + "batteryCurrent"),
    _field("battery.health", "number", "%", _B2 + "batteryHealth", _B3 + "batteryHealth"),
    _field("range", "number", "m", _B2 + "reach", _B3 + "range"),
    _field("charging", "flag", None, _B2 + "charging", _B3 + "charging"),
    _field("x", "number", "m", _P2 + "x", _P3 + "x", True),
    _field("y", "number", "m", _P2 + "y", _P3 + "y", True),
    _field("theta", "number", "rad", _P2 + "theta", _P3 + "theta", True),
    _field("localized", "flag", None, _P2 + "positionInitialized", _P3 + "localized", True),
    _field("localization_score", "number", "1", _P2 + "localizationScore", _P3 + "localizationScore", True),
    _field("deviation", "number", "m", _P2 + "deviationRange", _P3 + "deviationRange", True),
    _field("map", "text", None, _P2 + "mapId", _P3 + "mapId", True),
    _field("vx", "number", "m/s", "velocity.vx", visualized=True),
    _field("vy", "number", "m/s", "velocity.vy", visualized=True),
    _field("omega", "number", "rad/s", "velocity.omega", visualized=True),
    _field("mode", "text", None, "operatingMode"),
    _field("driving", "flag", None, "driving"),
    _field("paused", "flag", None, "paused"),
    _field("base_request", "flag", None, "newBaseRequest"),
    _field("emergency_stop", "text", None, _S + "eStop", _S + "activeEmergencyStop"),
    _field("field_violation", "flag", None, _S + "fieldViolation"),
    _field("order", "text", None, "orderId"),
    _field("order.update", "number", "1", "orderUpdateId"),
    _field("node", "text", None, "lastNodeId"),
    _field("node.sequence", "number", "1", "lastNodeSequenceId"),
    _field("node.distance", "number", "m", "distanceSinceLastNode"),
)
DIRECT: Final[Mapping[str, Field]] = MappingProxyType({field.name: field for field in FIELDS})

SPEED: Final = "speed"
DISTANCE: Final = "distance"
COUNTED: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "nodes_left": "1", "actions_left": "1", "order.active": None, "order.progress": "%", "loads": "1", "loads.weight": "kg",
        "errors": "1", "errors.warning": "1", "errors.urgent": "1", "errors.critical": "1", "errors.fatal": "1",
    }
)  # fmt: skip
"""What is counted from a state's lists, with its unit."""
UNITS: Final[Mapping[str, str | None]] = MappingProxyType(
    {**{field.name: field.unit for field in FIELDS}, SPEED: "m/s", DISTANCE: "m", **COUNTED}
)
"""All names, each with its unit; None: it is a state."""


def form_of(document: Mapping[str, Any], major: int) -> int:
    """By which version's names a message is written: by its own, else by its topic's."""
    if "powerSupply" in document or "mobileRobotPosition" in document:
        return 3
    if "batteryState" in document or "agvPosition" in document:
        return 2
    return 3 if major >= 3 else 2


def found(document: Mapping[str, Any], path: Path | None) -> Any:
    """What stands at a place: ABSENT where nothing does, a :class:`Misplaced` where its holder is no object."""
    piece: Any = document
    for name in path or ("",):
        if type(piece) is Repeated:
            if name in piece.names:
                return piece
            piece = dict(piece.pairs)
        if type(piece) is not dict:
            return Misplaced(piece)
        piece = piece.get(name, ABSENT)
        if piece is ABSENT:
            return ABSENT
    return piece


@dataclass(frozen=True, slots=True)
class Misplaced:
    """What stands where an object belongs that holds a value."""

    holder: Any


def is_there(document: Mapping[str, Any], path: Path | None) -> bool:
    """Whether anything stands at a place, be it something wrong."""
    return path is not None and found(document, path) is not ABSENT
