"""A flight mode's name, by who flies: ArduPilot's are the dialect's enumerations, PX4's its own numbers.

Source: ardupilotmega.xml (COPTER_MODE, PLANE_MODE, ROVER_MODE, SUB_MODE, TRACKER_MODE); px4_custom_mode.h of PX4.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ingest.protocols.mavlink.dialect import CUSTOM_MODE, states

ARDUPILOT: Final = 3
PX4: Final = 12
_COPTERS: Final = frozenset({2, 3, 4, 13, 14, 15, 29, 35})
_PLANES: Final = frozenset({1, 7, 16, 19, 20, 21, 22, 23, 24, 25, 28})
_BY_TYPE: Final[Mapping[int, str]] = MappingProxyType(
    {
        **dict.fromkeys(_COPTERS, "COPTER_MODE"), **dict.fromkeys(_PLANES, "PLANE_MODE"), 10: "ROVER_MODE",
        11: "ROVER_MODE", 12: "SUB_MODE", 5: "TRACKER_MODE",
    }
)  # fmt: skip
_PX4_MAIN: Final = {
    1: "MANUAL", 2: "ALTCTL", 3: "POSCTL", 5: "ACRO", 6: "OFFBOARD", 7: "STABILIZED", 8: "RATTITUDE", 9: "SIMPLE",
    10: "TERMINATION",
}  # fmt: skip
_PX4_AUTO: Final = 4
_PX4_SUB: Final = {
    1: "READY", 2: "TAKEOFF", 3: "LOITER", 4: "MISSION", 5: "RTL", 6: "LAND", 7: "RTGS", 8: "FOLLOWME", 9: "PRECLAND",
    10: "VTOL_TAKEOFF",
}  # fmt: skip

AUTONOMOUS: Final = frozenset(
    {
        "AUTO", "GUIDED", "GUIDED_NOGPS", "RTL", "SMART_RTL", "AUTO_RTL", "LAND", "BRAKE", "FOLLOW", "AVOID_ADSB", "CIRCLE",
        "QRTL", "QLAND", "TAKEOFF", "LOITER_ALT_QLAND", "AUTOLAND", "MISSION", "RTGS", "FOLLOWME", "PRECLAND", "OFFBOARD",
        "VTOL_TAKEOFF", "READY", "SURFACE", "MOTOR_DETECT",
    }
)  # fmt: skip
"""Modes in which nobody steers. LOITER and the like are a person's to steer in."""


def mode(autopilot: int, vehicle: int, base_mode: int, custom_mode: int) -> str:
    """The name of a heartbeat's mode; its number, where nobody named it.

    >>> mode(ARDUPILOT, 2, 209, 5), mode(PX4, 2, 157, 4 << 16 | 4 << 24), mode(8, 18, 0, 7)
    ('LOITER', 'MISSION', '7')
    """
    if autopilot == PX4:
        main, sub = custom_mode >> 16 & 255, custom_mode >> 24 & 255
        found = _PX4_SUB.get(sub) if main == _PX4_AUTO else _PX4_MAIN.get(main)
        return found or f"{main}.{sub}"
    if autopilot == ARDUPILOT and base_mode & CUSTOM_MODE:
        return states(_BY_TYPE.get(vehicle, "")).get(custom_mode) or str(custom_mode)
    return str(custom_mode)
