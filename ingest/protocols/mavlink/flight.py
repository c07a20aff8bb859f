"""A slot's flights: what its vehicle's messages say of it, one after the other → events.

| event | when |
|---|---|
| ``flight`` | start: armed; end: disarmed, or started anew in the air |
| ``takeoff``, ``landing`` | the landed state leaves, or comes back to, the ground |
| ``mission_item`` | an item of the mission is reached |
| ``alert`` | a status text of severity ERROR or worse |
| ``failsafe`` | the system's state becomes CRITICAL, EMERGENCY, or FLIGHT_TERMINATION |
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from core.window import instant
from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded, Message, storable
from ingest.protocols.counted import require_counted
from ingest.protocols.mavlink import modes
from ingest.protocols.mavlink.dialect import NUMBERS, states
from ingest.protocols.mavlink.takers import ARMED, HEARTBEAT, NO_AUTOPILOT, text
from ingest.reasons import Refused
from telemetry.batch import EventRecord

EVENTS: Final = frozenset({"flight", "takeoff", "landing", "mission_item", "alert", "failsafe"})
"""The kinds that a plan's slot may name."""
_POSITION, _LANDED = NUMBERS["GLOBAL_POSITION_INT"], NUMBERS["EXTENDED_SYS_STATE"]
_REACHED, _MISSION, TEXT = NUMBERS["MISSION_ITEM_REACHED"], NUMBERS["MISSION_CURRENT"], NUMBERS["STATUSTEXT"]
MESSAGES: Final = frozenset({HEARTBEAT, _POSITION, _LANDED, _REACHED, _MISSION, TEXT})
_ON_GROUND, _IN_AIR, _TAKEOFF, _LANDING = 1, 2, 3, 4
_FAILING: Final = frozenset({5, 6, 8})
_WORST_TO_TELL: Final = 3
_EMERGENCY: Final = 0
_COMPLETE: Final = 5
_FLOWN_M: Final = 2.0
_MOVED_M: Final = 10.0
_STEP_M: Final = 1.0
"""Positions nearer than this are the same: a receiver at rest wanders."""
_EARTH_M: Final = 6_371_008.8
_UNSEEN_US: Final = 5_000_000
"""A flight that ends after a silence was not seen ending: so long, at least."""
_LONGEST_TEXT: Final = 250
_CHUNK: Final = 50


class Flight(msgspec.Struct, frozen=True, array_like=True):
    """A slot's vehicle, and its flight."""

    system: int = 0
    component: int = 0
    armed: int = -1
    """1, 0; -1: nobody knows yet."""
    id: str = ""
    """Of the flight that is under way; empty: none is."""
    boot: int = 0
    """Of its sender's starts."""
    start_us: int = 0
    last_us: int = 0
    """Of its last heartbeat."""
    state: int = 0
    mode: str = ""
    landed: int = 0
    """What it says of itself; 0: nothing."""
    airborne: int = -1
    """Whether it was in the air in this flight; -1: nobody knows."""
    top_m: float | None = None
    distance_m: float = 0.0
    lat: int = 0
    lon: int = 0
    item: int = -1
    items: int = 0
    complete: bool = False
    interventions: int = 0
    failure: str = ""
    texts: tuple[int, int, int, str] = (0, 0, 0, "")
    """A text that comes in pieces: its id, the next piece, its severity, and what there is of it."""


class Flights:
    """The flights of one slot. Nothing of a frame that came late."""

    __slots__ = ("_binding", "_slot", "name", "slot_id")

    def __init__(self, binding: ConnectionBinding, slot: SlotBinding) -> None:
        self._binding = binding
        self._slot = slot
        self.slot_id = slot.slot_id
        self.name = f"flight {slot.name}"

    def take(self, values: tuple[Any, ...], said: Said, message: Message, out: Decoded) -> None:
        """One message of the slot's vehicle."""
        turn = _Turn(self._binding, self._slot, said, message, out)
        memory, own = out.memory, self._binding.connection_id
        before = memory.get(own, self.name, Flight) or Flight()
        after = turn.take(before, values)
        if after is not before:
            memory.put(own, self.name, after)


class Said(msgspec.Struct, frozen=True, gc=False):
    """Who said something, and when."""

    number: int
    """Of the message."""
    system: int
    component: int
    boot: int
    frame: int
    """The frame's number, by which it is told from others of one instant."""
    at_us: int
    flags: int


class _Turn:
    def __init__(
        self, binding: ConnectionBinding, slot: SlotBinding, said: Said, message: Message, out: Decoded
    ) -> None:
        self._binding = binding
        self._slot = slot
        self._said = said
        self._message = message
        self._out = out

    def take(self, flight: Flight, values: tuple[Any, ...]) -> Flight:
        """What is known after a message, if it is of the vehicle that is meant."""
        said = self._said
        if said.number == HEARTBEAT:
            return self._heartbeat(flight, values)
        if said.number == TEXT:
            return self._text(flight, *values)
        if (said.system, said.component) != (flight.system, flight.component):
            return flight
        if said.number == _POSITION:
            return _moved(flight, values) if flight.id else flight
        if said.number == _LANDED:
            return self._landed(flight, values[1])
        if said.number == _REACHED:
            return self._reached(flight, values[0])
        complete = bool(flight.id) and values[2] == _COMPLETE and not flight.complete
        return replace(flight, complete=True) if complete else flight

    # Armed and disarmed

    def _heartbeat(self, flight: Flight, values: tuple[Any, ...]) -> Flight:
        custom, vehicle, autopilot, base_mode, state, _ = values
        said = self._said
        who = (said.system, said.component)
        if autopilot == NO_AUTOPILOT or (flight.id and who != (flight.system, flight.component)):
            return flight
        if who != (flight.system, flight.component):
            flight = Flight(system=said.system, component=said.component)
        if flight.id and flight.boot != said.boot:
            # What became of it nobody saw: the vehicle was started anew.
            self._end(replace(flight, failure="restart"), flight.last_us)
            flight = replace(flight, id="", armed=-1)
        armed, mode = base_mode & ARMED, modes.mode(autopilot, vehicle, base_mode, custom)
        if armed and not flight.id:
            flight = self._begin(flight, mode)
        if state in _FAILING and flight.state not in _FAILING:
            name = states("MAV_STATE").get(state, str(state))
            self._tell("failsafe", self._id(), {"state": name})
            flight = replace(flight, failure=flight.failure or name) if flight.id else flight
        if flight.id and flight.mode in modes.AUTONOMOUS and mode not in modes.AUTONOMOUS:
            flight = replace(flight, interventions=flight.interventions + 1)
        if not armed and flight.id:
            self._end(flight, said.at_us)
            flight = replace(flight, id="")
        return replace(flight, armed=int(armed > 0), last_us=said.at_us, state=state, mode=mode, boot=said.boot)

    def _begin(self, flight: Flight, mode: str) -> Flight:
        said = self._said
        made = self._stamp()
        attributes: dict[str, Any] = {"system": said.system, "mode": mode}
        if flight.armed < 0:
            attributes["joined"] = True  # it was under way when it was first heard
        self._tell("flight", made, attributes, "start")
        return Flight(
            system=said.system, component=said.component, armed=1, id=made, boot=said.boot, start_us=said.at_us,
            landed=flight.landed, airborne=-1 if not flight.landed else int(flight.landed != _ON_GROUND), mode=mode,
            state=flight.state, texts=flight.texts,
        )  # fmt: skip

    def _end(self, flight: Flight, at_us: int) -> None:
        attributes: dict[str, Any] = {}
        known = flight.airborne >= 0 or flight.top_m is not None
        flown = (
            flight.airborne > 0 or (flight.top_m or 0.0) >= _FLOWN_M or flight.distance_m >= _MOVED_M if known else None
        )
        result = "failed" if flight.failure else "not_flown" if flown is False else "completed"
        attributes["result"] = "lost" if flight.failure == "restart" else result
        if flight.failure:
            attributes["why"] = flight.failure
        attributes["duration_s"] = round((at_us - flight.start_us) / 1e6, 3)
        if at_us - flight.last_us > _UNSEEN_US:
            attributes["unseen_s"] = round((at_us - flight.last_us) / 1e6, 3)
        if flown is not None:
            attributes["flown"] = flown
        if flight.top_m is not None:
            attributes |= {"max_altitude_m": round(flight.top_m, 2), "distance_m": round(flight.distance_m, 1)}
        attributes |= {"items": flight.items, "interventions": flight.interventions}
        if flight.complete:
            attributes["mission_complete"] = True
        self._tell("flight", flight.id, attributes, "end", at_us)

    # In between

    def _landed(self, flight: Flight, state: int) -> Flight:
        if state not in (_ON_GROUND, _IN_AIR, _TAKEOFF, _LANDING) or state == flight.landed:
            return flight
        position = {"lat": flight.lat / 1e7, "lon": flight.lon / 1e7} if flight.lat or flight.lon else {}
        if flight.landed == _ON_GROUND:
            self._tell("takeoff", self._id(), position)
        elif state == _ON_GROUND and flight.landed:
            self._tell("landing", self._id(), position)
        airborne = max(flight.airborne, int(state != _ON_GROUND)) if flight.id else flight.airborne
        return replace(flight, landed=state, airborne=airborne)

    def _reached(self, flight: Flight, item: int) -> Flight:
        if item == flight.item:
            return flight
        self._tell("mission_item", self._id(), {"item": item, **({"flight": flight.id} if flight.id else {})})
        return replace(flight, item=item, items=flight.items + 1)

    def _text(self, flight: Flight, severity: int, raw: bytes, whole: int, piece: int) -> Flight:
        if severity > _WORST_TO_TELL:
            return flight
        found = text(raw)
        ended = len(raw.rstrip(b"\0")) < _CHUNK or not whole
        _, following, _, begun = flight.texts if flight.texts[0] == whole else (0, 0, 0, "")
        if whole and piece and piece != following:
            begun = "…"  # a piece before it was lost
        found = (begun + found)[:_LONGEST_TEXT] if piece else found
        if not ended and piece < 255:
            return replace(flight, texts=(whole, piece + 1, severity, found))
        self._tell("alert", self._id(), {"severity": states("MAV_SEVERITY").get(severity, ""), "text": storable(found)})
        mine = (self._said.system, self._said.component) == (flight.system, flight.component)
        if severity == _EMERGENCY and flight.id and mine and not flight.failure:
            flight = replace(flight, failure="EMERGENCY")
        return replace(flight, texts=(0, 0, 0, "")) if flight.texts[0] else flight

    # Telling

    def _stamp(self) -> str:
        said = self._said
        return f"{said.system}.{said.component}-{instant(said.at_us):%Y%m%dT%H%M%S}.{said.at_us // 1000 % 1000:03}"

    def _id(self) -> str:
        return f"{self._stamp()}-{self._said.frame}"

    def _tell(
        self, event: str, id_: str, attributes: dict[str, Any], phase: Literal["", "start", "end"] = "",
        at_us: int | None = None,
    ) -> None:  # fmt: skip
        if event not in self._slot.events:
            return
        at_us = self._said.at_us if at_us is None else at_us
        encoded = msgspec.json.encode(attributes)
        try:
            require_counted(at_us, self._binding, self._message)
        except Refused as why:
            self._out.reject(
                slot_id=self._slot.slot_id, topic=self._message.topic, item=f"event {event} {id_}",
                observed=instant(at_us).isoformat(), value=encoded.decode(), reason=why.reason, detail=why.detail,
            )  # fmt: skip
            return
        self._out.events.append(
            EventRecord(
                slot_id=self._slot.slot_id,
                kind=event,
                id=id_,
                phase=phase,
                number=None,
                at_us=at_us,
                attributes=encoded,
                flags=self._said.flags,
            )
        )


def _moved(flight: Flight, values: tuple[Any, ...]) -> Flight:
    """How far it went, and how high."""
    _, lat, lon, _, relative_mm, *_ = values
    top = relative_mm / 1000
    if flight.top_m is not None and top <= flight.top_m:
        top = flight.top_m
    if not lat and not lon:
        return flight if top == flight.top_m else replace(flight, top_m=top)
    if not flight.lat and not flight.lon:
        return replace(flight, top_m=top, lat=lat, lon=lon)
    step = _metres(flight.lat, flight.lon, lat, lon)
    if step >= _STEP_M:
        return replace(flight, top_m=top, lat=lat, lon=lon, distance_m=flight.distance_m + step)
    return flight if top == flight.top_m else replace(flight, top_m=top)


def _metres(lat: int, lon: int, other_lat: int, other_lon: int) -> float:
    """The great circle between two positions (haversine)."""
    one, other = math.radians(lat / 1e7), math.radians(other_lat / 1e7)
    across = math.radians((other_lon - lon) / 1e7)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(across / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(half, 1.0)))
