"""What a channel's ``source`` may say, and where in which message that stands.

Either a word of :data:`WORDS`, or ``MESSAGE.field`` of any message of the dialect: ``VFR_HUD.airspeed``; an element of an array
as ``BATTERY_STATUS.voltages[0]``; one of several sensors as ``DISTANCE_SENSOR[1].current_distance`` or
``NAMED_VALUE_FLOAT[flow].value``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ingest.protocols.mavlink.dialect import NUMBERS, Field, Kind, kind, symbol

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Position and movement
        "lat": "GLOBAL_POSITION_INT.lat", "lon": "GLOBAL_POSITION_INT.lon", "altitude": "GLOBAL_POSITION_INT.alt",
        "relative_altitude": "GLOBAL_POSITION_INT.relative_alt", "vx": "GLOBAL_POSITION_INT.vx",
        "vy": "GLOBAL_POSITION_INT.vy", "vz": "GLOBAL_POSITION_INT.vz", "heading": "GLOBAL_POSITION_INT.hdg",
        "ground_speed": "VFR_HUD.groundspeed", "air_speed": "VFR_HUD.airspeed", "climb_rate": "VFR_HUD.climb",
        "throttle": "VFR_HUD.throttle", "roll": "ATTITUDE.roll", "pitch": "ATTITUDE.pitch", "yaw": "ATTITUDE.yaw",
        # Energy
        "voltage": "SYS_STATUS.voltage_battery", "current": "SYS_STATUS.current_battery",
        "battery": "SYS_STATUS.battery_remaining", "battery_temperature": "BATTERY_STATUS.temperature",
        "energy_consumed": "BATTERY_STATUS.energy_consumed", "charge_consumed": "BATTERY_STATUS.current_consumed",
        "time_remaining": "BATTERY_STATUS.time_remaining", "board_voltage": "POWER_STATUS.Vcc",
        # Satellites
        "satellites": "GPS_RAW_INT.satellites_visible", "fix": "GPS_RAW_INT.fix_type", "gps_lat": "GPS_RAW_INT.lat",
        "gps_lon": "GPS_RAW_INT.lon", "gps_altitude": "GPS_RAW_INT.alt", "gps_speed": "GPS_RAW_INT.vel",
        "gps_course": "GPS_RAW_INT.cog", "horizontal_accuracy": "GPS_RAW_INT.h_acc",
        "vertical_accuracy": "GPS_RAW_INT.v_acc",
        # What it is doing, and how it is
        "mode": "HEARTBEAT.custom_mode", "armed": "HEARTBEAT.base_mode", "status": "HEARTBEAT.system_status",
        "landed": "EXTENDED_SYS_STATE.landed_state", "vtol": "EXTENDED_SYS_STATE.vtol_state",
        "load": "SYS_STATUS.load", "mission_item": "MISSION_CURRENT.seq", "mission_state": "MISSION_CURRENT.mission_state",
        "vibration_x": "VIBRATION.vibration_x", "vibration_y": "VIBRATION.vibration_y",
        "vibration_z": "VIBRATION.vibration_z",
        # Its link
        "rssi": "RADIO_STATUS.rssi", "remote_rssi": "RADIO_STATUS.remrssi", "noise": "RADIO_STATUS.noise",
        "remote_noise": "RADIO_STATUS.remnoise", "radio_errors": "RADIO_STATUS.rxerrors",
        "radio_corrected": "RADIO_STATUS.fixed", "radio_buffer": "RADIO_STATUS.txbuf", "rc_rssi": "RC_CHANNELS.rssi",
        "drop_rate": "SYS_STATUS.drop_rate_comm",
        # Around it
        "wind_speed": "WIND.speed", "wind_direction": "WIND.direction", "distance": "DISTANCE_SENSOR.current_distance",
        "pressure": "SCALED_PRESSURE.press_abs", "temperature": "SCALED_PRESSURE.temperature",
        "air_temperature": "HYGROMETER_SENSOR.temperature", "humidity": "HYGROMETER_SENSOR.humidity",
    }
)  # fmt: skip
COUNTERS: Final = ("frames.received", "frames.lost", "frames.repeated", "frames.unknown", "frames.unreadable")
"""What we count of a sender, told with each of its heartbeats."""
_POSITION: Final = frozenset({"lat", "lon", "alt", "latitude", "longitude", "altitude"})
_WRITTEN: Final = re.compile(r"([A-Z][A-Z0-9_]*)(?:\[([^\]]{1,32})\])?\.([A-Za-z0-9_]+)(?:\[(\d{1,3})\])?", re.ASCII)
_LIKE_A_FIELD: Final = re.compile(r"[A-Z][A-Z0-9_]+(\[[^\]]*\])?\.", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value stands."""

    kind: Kind
    field: Field
    at: int
    """Its place in the unpacked message."""
    instance: str | None
    """Of the sensor that it must be of; None: of any."""
    unit: str | None
    """By the name that ``core/units.py`` has for it."""
    word: str
    """What is special about it: ``mode``, ``armed``, or nothing."""
    needs_fix: bool
    """Whether it is part of a position, which 0/0 is not."""


def place(source: str) -> Place | None:
    """Where a source stands; None: it is none of MAVLink's (a counter of ours, or nothing)."""
    match = _WRITTEN.fullmatch(WORDS.get(source, source))
    found = None if match is None else kind(NUMBERS.get(match[1], -1))
    if match is None or found is None:
        return None
    field = found.fields.get(match[3])
    if field is None or (field.length > 0) != (match[4] is not None) or int(match[4] or 0) >= max(field.length, 1):
        return None
    if match[2] is not None and found.instance is None:
        return None
    instance = match[2]
    if instance is None and found.instance is not None and not found.instance.is_text and field is not found.instance:
        instance = "0"
    return Place(
        kind=found, field=field, at=field.place + int(match[4] or 0), instance=instance,
        unit=symbol(field.unit), word=source if source in ("mode", "armed") else "",
        needs_fix=field.name in _POSITION and located(found) is not None,
    )  # fmt: skip


def located(of: Kind) -> tuple[int, int] | None:
    """The places of latitude and longitude in a message that has both, as integers."""
    for names in (("lat", "lon"), ("latitude", "longitude")):
        both = [of.fields.get(name) for name in names]
        if both[0] is not None and both[1] is not None and not both[0].is_float:
            return both[0].place, both[1].place
    return None


def unit_of(source: str) -> str | None:
    """The unit that the protocol itself states; None where it states none, or the source is not of its kind.

    :raises LookupError: no message has such a field.
    """
    if source in COUNTERS:
        return "1"
    found = place(source)
    if found is None and _LIKE_A_FIELD.match(source):
        raise LookupError(source)
    return None if found is None else found.unit
