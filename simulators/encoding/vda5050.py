"""Robots of VDA 5050 2.1 and the orders that their fleet control gives them: one robot a slot.

State, visualization and orders at QoS 0, connection at QoS 1, retained, with CONNECTIONBROKEN as the will (2.1.0, 6.2 and 6.14).
A state is sent with every tick of the slot and whenever something happens in a mission, each with all that it has to hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.errors import PermanentError
from core.window import instant
from devices.plan.model import Plan
from simulators.encoding.native import written
from simulators.encoding.reported import Reported
from simulators.encoding.said import Said, Utterance, Value
from simulators.encoding.vda5050_order import Order
from simulators.scenario.missions import PROGRESS
from simulators.scenario.records import Event, Link, Readings

_VERSION: Final = "2.1.0"
_TELLS: Final = ("battery", "x", "y", "mode")
"""What the plan's channels may name as their ``source``."""


@dataclass(slots=True, kw_only=True)
class _Robot:
    """What a robot knows of itself."""

    base: str
    manufacturer: str
    serial: str
    sources: Mapping[str, str]
    headers: dict[str, int] = field(default_factory=dict)
    order: Order | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    x_m: float = 0.0
    y_m: float = 0.0
    theta: float = 0.0
    battery: float = 100.0

    def said(self, what: str, at_us: int, document: dict[str, Any], *, qos: Any = 0, retain: bool = False) -> Said:
        """A message with its header, which counts by topic."""
        number = self.headers.get(what, -1) + 1
        self.headers[what] = number & 0xFFFFFFFF
        return Said(
            topic=f"{self.base}/{what}",
            payload=written({**self.header(number & 0xFFFFFFFF, at_us), **document}),
            qos=qos,
            retain=retain,
        )

    def header(self, number: int, at_us: int) -> dict[str, Any]:
        timestamp = instant(at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "headerId": number,
            "timestamp": timestamp,
            "version": _VERSION,
            "manufacturer": self.manufacturer,
            "serialNumber": self.serial,
        }


class VdaEncoder:
    """See :class:`simulators.encoding.said.Encoder`.

    :raises PermanentError: the plan's filters name no single robot for a slot, or a channel is of what no robot of ours tells.
    """

    hears: str | None = None
    needs_connection = True
    means_nothing_ungreeted = False

    def __init__(self, plan: Plan, connection: str) -> None:
        self._robots = {slot: _robot(plan, connection, slot) for slot in plan.slots_of(connection)}
        self._begun_us = 0

    def will(self) -> Said | None:
        """With the first robot's name: one connection has one will."""
        robot = next(iter(self._robots.values()))
        document = {**robot.header(0, self._begun_us), "connectionState": "CONNECTIONBROKEN"}
        return Said(topic=f"{robot.base}/connection", payload=written(document), retain=True)

    def greeting(self, at_us: int, online: Mapping[str, bool]) -> Sequence[Said]:
        self._begun_us = at_us
        return [
            self._connection(robot, "ONLINE" if online[slot] else "OFFLINE", at_us)
            for slot, robot in self._robots.items()
        ]

    def say(self, utterance: Utterance) -> Sequence[Said]:
        robot, what = self._robots[utterance.slot], utterance.what
        if isinstance(what, Event):
            return self._happened(robot, what)
        if isinstance(what, Link):
            return [self._connection(robot, "ONLINE" if what.state == "online" else "OFFLINE", what.at_us)]
        return [self._state(robot, utterance.at_us, what)]

    def answer(self, payload: bytes, at_us: int) -> Sequence[Said]:  # noqa: ARG002
        return []

    def farewell(self, at_us: int) -> Sequence[Said]:
        return [self._connection(robot, "OFFLINE", at_us) for robot in self._robots.values()]

    def _connection(self, robot: _Robot, state: str, at_us: int) -> Said:
        return robot.said("connection", at_us, {"connectionState": state}, qos=1, retain=True)

    def _happened(self, robot: _Robot, event: Event) -> list[Said]:
        """What happens changes the state, which is told at the same instant; a new order is given besides."""
        if event.kind == "mission" and event.phase == "start":
            robot.order = Order(event.id, str(event.attributes["destination"]))
            return [robot.said("order", event.at_us, robot.order.given())]
        if event.kind == "fault":
            # The order is in the error's reference: two of one kind are two errors.
            reference = {"referenceKey": "orderId", "referenceValue": event.attributes["mission"]}
            error = {"errorType": event.attributes["code"], "errorLevel": "FATAL", "errorReferences": [reference]}
            robot.errors = [error] if event.phase == "start" else []
        elif robot.order is not None and event.kind == PROGRESS:
            robot.order.go_on(str(event.attributes["what"]))
        elif robot.order is not None and event.kind == "mission":
            robot.order.end(delivered=event.attributes["outcome"] == "delivered")
        return []

    def _state(self, robot: _Robot, at_us: int, values: Mapping[str, Value]) -> Said:
        if set(values) != set(robot.sources):
            raise PermanentError(
                f"A robot's state holds all of {', '.join(robot.sources)} at once, not {', '.join(values)} alone: a recording"
                " of one channel cannot be sent as VDA 5050."
            )
        told = {robot.sources[channel]: value for channel, value in values.items()}
        before_m, charge = (robot.x_m, robot.y_m), robot.battery
        robot.x_m, robot.y_m = _number(told, "x", robot.x_m), _number(told, "y", robot.y_m)
        robot.battery = _number(told, "battery", charge)
        step = (robot.x_m - before_m[0], robot.y_m - before_m[1])
        driving = robot.order is not None and robot.order.active and math.hypot(*step) > 1.0
        if driving:
            robot.theta = round(math.atan2(step[1], step[0]), 4)
        position = {
            "x": robot.x_m, "y": robot.y_m, "theta": robot.theta, "mapId": "site", "positionInitialized": True,
        }  # fmt: skip
        document = {
            **(Order.none() if robot.order is None else robot.order.state()),
            "driving": driving,
            "agvPosition": position,
            "batteryState": {"batteryCharge": robot.battery, "charging": robot.battery > charge},
            "operatingMode": told.get("mode", "AUTOMATIC"),
            "errors": robot.errors,
            "information": [],
            "safetyState": {"eStop": "NONE", "fieldViolation": False},
        }
        return robot.said("state", at_us, document)


class VdaReported(Reported):
    """A mission is read out of the states: whatever happens in it is one more state, with all values."""

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        also_us = sorted({event.at_us for event in self.happenings(plan, slot, start, end)})
        return self.scenario.readings(plan, slot, start, end, also_us=also_us)

    def happenings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        return self.scenario.events_of(plan, slot, start, end)

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """Missions and interventions as they are told after the protocol's mapping."""
        serial = _robot(plan, plan.connection_of(slot)[0], slot).serial
        told = [_told(event, serial) for event in self._with_starts(plan, slot, start, end)]
        return [event for event in told if event is not None and event.kind in plan.slots[slot].events]

    def _with_starts(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[tuple[Event, Event]]:
        """Each event of the window, with the start of its mission, which may lie before it."""
        own = self.happenings(plan, slot, start, end)
        starts: dict[str, Event] = {}
        for event in self.scenario.events_of(plan, slot, start - self.scenario.longest, end):
            if event.kind == "mission" and event.phase == "start":
                starts[event.id] = event
        return [(event, starts[_mission_of(event)]) for event in own if _mission_of(event) in starts]


ENCODER: Final = VdaEncoder
REPORTED: Final = VdaReported


def _mission_of(event: Event) -> str:
    return event.id if event.kind in ("mission", PROGRESS) else str(event.attributes["mission"])


def _told(pair: tuple[Event, Event], serial: str) -> Event | None:
    """An event as it is read out of the states; None where it is told otherwise, or not at all."""
    event, start = pair
    order = start.id
    mission = f"{serial}:{order}:{start.at_us // 1000}"
    if event.kind == "mission" and event.phase == "start":
        return Event(at_us=event.at_us, kind="mission", id=mission, phase="start", attributes={"order": order})
    if event.kind == "mission":
        helped, failed = bool(event.attributes["intervention"]), event.attributes["outcome"] != "delivered"
        outcome = "failed" if failed else "delivered"
        attributes: dict[str, str | int | float | bool] = {
            "order": order, "start_seen": True, "end_seen": True, "result": outcome,
            **({"reason": "action drop"} if failed else {}),
            "outcome": outcome, "interventions": int(helped), "intervention": helped, "lost": 0,
            "duration_s": round((event.at_us - start.at_us) / 1_000_000, 3), **({"fatal_errors": 1} if failed else {}),
        }  # fmt: skip
        return Event(at_us=event.at_us, kind="mission", id=mission, phase="end", attributes=attributes)
    fatal = event.kind == "fault" and event.phase == "start"
    if not fatal and event.kind != "intervention":
        return None
    attributes = {
        "mode": "AUTOMATIC" if fatal else "MANUAL", "cause": "fatal error" if fatal else "mode", "order": order,
        "mission": mission,
    }  # fmt: skip
    identity = f"{serial}:intervention:{event.at_us // 1000}"
    return Event(at_us=event.at_us, kind="intervention", id=identity, attributes=attributes)


def _robot(plan: Plan, connection: str, slot: str) -> _Robot:
    """The robot that a slot's filters name, ``{interface}/v2/{manufacturer}/{serial}/…``, and its ``select`` what they do not."""
    definition = plan.slots[slot]
    sources = {name: channel.source or name for name, channel in definition.channels.items()}
    untold = sorted(set(sources.values()) - set(_TELLS))
    if untold:
        raise PermanentError(
            f"Slot {slot!r} of pilot {plan.pilot!r} maps {', '.join(untold)}: simulated robots tell {', '.join(_TELLS)} only."
            " Leave the others out, or let a real robot speak."
        )
    for topic in definition.topics or (plan.connections[connection].topics if connection in plan.connections else ()):
        base = _base(topic, definition.select)
        if base is not None:
            return _Robot(base="/".join(base), manufacturer=base[-2], serial=base[-1], sources=sources)
    raise PermanentError(
        f"Slot {slot!r} of pilot {plan.pilot!r} has no filter that names its robot, in version 2: a simulated one has to know who"
        f" it is. Give connection {connection!r} topics as in uagv/v2/Maker/Serial/+, or the slot select: {{manufacturer: …,"
        " serial: …}."
    )


def _base(topic: str, select: Mapping[str, Any]) -> list[str] | None:
    """Interface, version, manufacturer and serial of a filter; None where it is another's, or says less."""
    levels = topic.split("/")[:-1]
    if len(levels) < 3 or levels[-3] != "v2":
        return None
    for place, name in ((-2, "manufacturer"), (-1, "serial")):
        if levels[place] == "+":
            levels[place] = str(select.get(name, "+"))
        if str(select.get(name, levels[place])) != levels[place]:
            return None
    return None if {"+", "#"} & set(levels) else levels


def _number(told: Mapping[str, Value], name: str, otherwise: float) -> float:
    value = told.get(name, otherwise)
    assert not isinstance(value, str)
    return value
