"""VDA 5050's topics: ``{interface}/v{major}/{manufacturer}/{serial}/{what}``; an interface may take several levels, or none."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_MAJOR: Final = re.compile(r"v(\d{1,3})", re.ASCII)
_BY_ROBOTS: Final = ("state", "visualization", "connection", "factsheet")
_TO_ROBOTS: Final = ("order", "instantActions", "responses", "zoneSet")


class Spoken(NamedTuple):
    """Which robot a topic is about, and what is said on it."""

    interface: str
    major: int
    manufacturer: str
    serial: str
    what: str


def spoken(topic: str) -> Spoken | None:
    """None for a topic that is none of VDA 5050's.

    >>> spoken("uagv/v2/RobotCo/0001/state")
    Spoken(interface='uagv', major=2, manufacturer='RobotCo', serial='0001', what='state')
    >>> spoken("v3/RobotCo/0001/connection").interface
    ''
    """
    parts = topic.split("/")
    if len(parts) < 4 or parts[-1] not in _BY_ROBOTS + _TO_ROBOTS:
        return None
    major = _MAJOR.fullmatch(parts[-4])
    if major is None or not parts[-3] or not parts[-2]:
        return None
    return Spoken("/".join(parts[:-4]), int(major[1]), parts[-3], parts[-2], parts[-1])
