"""A vehicle of ArduPilot behind a modem that puts MAVLink 2 frames into MQTT payloads, at QoS 1: one system a slot.

With every tick of the slot, and whenever something happens in a flight, one payload goes out: first the clock, then the
heartbeat, then what is measured. MAVLink has no word for a link that is down, so nothing is said then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from pymavlink.dialects.v20 import ardupilotmega as dialect  # type: ignore[import-untyped]

from core.errors import PermanentError
from core.units import seconds
from core.window import instant, micros, midnight
from devices.plan.model import Plan
from simulators.encoding.reported import Reported
from simulators.encoding.said import Said, Utterance
from simulators.scenario.drone import CRITICAL, WAYPOINT
from simulators.scenario.records import Event, Link, Readings

_TELLS: Final = ("battery", "lat", "lon", "relative_altitude", "ground_speed", "mode")
"""What the plan's channels may name as their ``source``."""
_MODES: Final = {"GUIDED": 4, "AUTO": 3, "RTL": 6, "LAND": 9}
"""The custom modes of a copter."""
_NO_HEADING: Final = 65_535
_EARTH_M: Final = 6_371_008.8


class _Vehicle:
    """What an autopilot knows of itself."""

    def __init__(self, plan: Plan, connection: str, slot: str) -> None:
        definition = plan.slots[slot]
        self.topic = _topic(plan, connection, slot)
        self.sources = {name: channel.source or name for name, channel in definition.channels.items()}
        untold = sorted(set(self.sources.values()) - set(_TELLS))
        if untold:
            raise PermanentError(
                f"Slot {slot!r} of pilot {plan.pilot!r} maps {', '.join(untold)}: simulated vehicles tell"
                f" {', '.join(_TELLS)} only. Leave the others out, or let a real vehicle speak."
            )
        self._wire: Any = dialect.MAVLink(None, srcSystem=_system(plan, slot), srcComponent=1)
        self._zone = plan.zone
        self.armed = self.critical = False
        self.item = 0

    def said(self, at_us: int, told: Mapping[str, Any]) -> Said:
        """One payload with all that is known at an instant."""
        wire, boot_ms = self._wire, (at_us - self._boot_us(at_us)) // 1000
        height_mm = round(told.get("relative_altitude", 0.0) * 1000)
        speed = told.get("ground_speed", 0.0)
        airborne = height_mm > 500
        frames = [
            wire.system_time_encode(at_us, boot_ms),
            self._heartbeat(str(told.get("mode", "GUIDED"))),
            wire.global_position_int_encode(
                boot_ms, round(told.get("lat", 0.0) * 1e7), round(told.get("lon", 0.0) * 1e7), height_mm + 12_000, height_mm,
                0, 0, 0, _NO_HEADING,
            ),
            wire.sys_status_encode(0, 0, 0, 250, 15_800, -1, int(told.get("battery", -1)), 0, 0, 0, 0, 0, 0),
            wire.vfr_hud_encode(speed, speed, 0, 45 if airborne else 0, height_mm / 1000 + 12.0, 0.0),
            wire.extended_sys_state_encode(
                dialect.MAV_VTOL_STATE_UNDEFINED,
                dialect.MAV_LANDED_STATE_IN_AIR if airborne else dialect.MAV_LANDED_STATE_ON_GROUND,
            ),
        ]  # fmt: skip
        if self.item:
            frames.append(wire.mission_item_reached_encode(self.item))
            self.item = 0
        return Said(topic=self.topic, payload=b"".join(self._packed(frame) for frame in frames))

    def _boot_us(self, at_us: int) -> int:
        """When it was switched on: its station does that each midnight, whatever becomes of the modem."""
        return micros(midnight(instant(at_us).astimezone(self._zone).date(), self._zone))

    def _heartbeat(self, mode: str) -> Any:
        armed = dialect.MAV_MODE_FLAG_SAFETY_ARMED if self.armed else 0
        return self._wire.heartbeat_encode(
            dialect.MAV_TYPE_QUADROTOR,
            dialect.MAV_AUTOPILOT_ARDUPILOTMEGA,
            dialect.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | armed,
            _MODES[mode],
            dialect.MAV_STATE_CRITICAL
            if self.critical
            else dialect.MAV_STATE_ACTIVE
            if self.armed
            else dialect.MAV_STATE_STANDBY,
        )

    def _packed(self, frame: Any) -> bytes:
        packed: bytes = bytes(frame.pack(self._wire))
        self._wire.seq = (self._wire.seq + 1) % 256
        return packed


class MavlinkEncoder:
    """See :class:`simulators.encoding.said.Encoder`.

    :raises PermanentError: the plan leaves open where a slot's frames go, or maps what no vehicle of ours tells.
    """

    hears: str | None = None
    needs_connection = False
    means_nothing_ungreeted = False

    def __init__(self, plan: Plan, connection: str) -> None:
        self._vehicles = {slot: _Vehicle(plan, connection, slot) for slot in plan.slots_of(connection)}

    def will(self) -> Said | None:
        return None

    def greeting(self, at_us: int, online: Mapping[str, bool]) -> Sequence[Said]:  # noqa: ARG002
        return []

    def say(self, utterance: Utterance) -> Sequence[Said]:
        vehicle, what = self._vehicles[utterance.slot], utterance.what
        if isinstance(what, Event):
            if what.kind == "flight":
                vehicle.armed, vehicle.critical = what.phase == "start", False
            elif what.kind == CRITICAL:
                vehicle.critical = True
            elif what.kind == WAYPOINT:
                vehicle.item = int(what.attributes["item"])
            return []
        if isinstance(what, Link):
            return []
        if set(what) != set(vehicle.sources):
            raise PermanentError(
                f"A vehicle tells all of {', '.join(vehicle.sources)} at once, not {', '.join(what)} alone: a recording of one"
                " channel cannot be sent as MAVLink."
            )
        return [vehicle.said(utterance.at_us, {vehicle.sources[channel]: value for channel, value in what.items()})]

    def answer(self, payload: bytes, at_us: int) -> Sequence[Said]:  # noqa: ARG002
        return []

    def farewell(self, at_us: int) -> Sequence[Said]:  # noqa: ARG002
        return []


class MavlinkReported(Reported):
    """A flight is read out of heartbeats and positions: whatever happens in it is one more payload, with all values."""

    def readings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> Readings:
        also_us = sorted({event.at_us for event in self.happenings(plan, slot, start, end)})
        return self.scenario.readings(plan, slot, start, end, also_us=also_us)

    def happenings(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        return self.scenario.events_of(plan, slot, start, end)

    def events(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Event]:
        """Flights as they are told after the protocol's mapping."""
        if "flight" not in plan.slots[slot].events:
            return []
        near = self.happenings(plan, slot, start - self.scenario.longest, end)
        starts = {event.id: event for event in near if event.kind == "flight" and event.phase == "start"}
        own = [event for event in near if event.kind == "flight" and start <= instant(event.at_us) < end]
        return [self._told(plan, slot, event, starts[event.id]) for event in own if event.id in starts]

    def links(self, plan: Plan, slot: str, start: datetime, end: datetime) -> list[Link]:
        """Down once nothing was heard for as long as the plan says, if it is still down then."""
        silence = timedelta(seconds=_silence_s(plan, slot))
        found = []
        for link in self.scenario.links(plan, slot, start - silence, end):
            at = instant(link.at_us)
            if link.state == "offline":
                at += silence
                if not self.scenario.is_online(plan, slot, at) and start <= at < end:
                    found.append(replace(link, at_us=link.at_us + round(silence.total_seconds() * 1_000_000)))
            elif start <= at and not self.scenario.is_online(plan, slot, at - silence):
                found.append(link)
        return found

    def _told(self, plan: Plan, slot: str, event: Event, start: Event) -> Event:
        system = _system(plan, slot)
        at = instant(start.at_us)
        name = f"{system}.1-{at:%Y%m%dT%H%M%S}.{start.at_us // 1000 % 1000:03}"
        if event.phase == "start":
            attributes: dict[str, str | int | float | bool] = {"system": system, "mode": "AUTO"}
            return Event(at_us=event.at_us, kind="flight", id=name, phase="start", attributes=attributes)
        failed = event.attributes["result"] == "failed"
        top_m, distance_m = self._flown(plan, slot, at, instant(event.at_us))
        attributes = {
            "result": event.attributes["result"], **({"why": "CRITICAL"} if failed else {}),
            "duration_s": round((event.at_us - start.at_us) / 1_000_000, 3), "flown": True,
            "max_altitude_m": round(top_m, 2), "distance_m": round(distance_m, 1), "items": event.attributes["items"],
            "interventions": 0,
        }  # fmt: skip
        return Event(at_us=event.at_us, kind="flight", id=name, phase="end", attributes=attributes)

    def _flown(self, plan: Plan, slot: str, start: datetime, end: datetime) -> tuple[float, float]:
        """How high and how far, by the positions that are told from arming on."""
        found = self.readings(plan, slot, start, end)
        sources = {plan.slots[slot].channels[name].source or name: place for place, name in enumerate(found.channels)}
        lat, lon, height = (found.sent[found.channel == sources[name]] for name in ("lat", "lon", "relative_altitude"))
        far_m, at = 0.0, (float(lat[0]), float(lon[0]))
        for place in zip(lat.tolist(), lon.tolist(), strict=True):
            step_m = _metres(at, place)
            if step_m >= 1.0:
                far_m, at = far_m + step_m, place
        return float(height.max()), far_m


ENCODER: Final = MavlinkEncoder
REPORTED: Final = MavlinkReported


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great circle between two places in degrees (haversine)."""
    (lat, lon), (other_lat, other_lon) = (tuple(map(math.radians, place)) for place in (one, other))
    half = (
        math.sin((other_lat - lat) / 2) ** 2
        + math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    )
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def _system(plan: Plan, slot: str) -> int:
    """The vehicle's number in the network of its autopilots."""
    return int(plan.slots[slot].select.get("system", 1))


def _silence_s(plan: Plan, slot: str) -> float:
    told = plan.connection_of(slot)[1].options.get("heartbeat", "5 s")
    return seconds(str(told))


def _topic(plan: Plan, connection: str, slot: str) -> str:
    definition = plan.slots[slot]
    for topic in definition.topics or (plan.connections[connection].topics if connection in plan.connections else ()):
        if {"+", "#"}.isdisjoint(topic.split("/")):
            return topic
    return f"pilots/{plan.pilot}/{slot}/mavlink"
