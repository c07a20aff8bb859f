"""How far a robot went: by its positions, else by what it says of the way since its last node. The sum never goes back."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from ingest.message import storable
from ingest.protocols.vda5050.remembered import Travel

_STILL_M: Final = 0.05
"""A position that is closer to the last one may be the same."""
_FASTEST_M_S: Final = 20.0
"""Beyond it a position was set, not driven to."""
_FARTHEST: Final = 1e9


class Where(NamedTuple):
    """What a message says of its robot's place; None where it does not say."""

    x: Any
    y: Any
    localized: Any
    map: Any
    since_m: Any
    node: str = ""
    """The node since which that is."""


def go_on(travel: Travel, where: Where, at_us: int) -> Travel | None:
    """The sum with the way to a place; None where it cannot be told.

    What was driven while the robot did not know its place, over a change of maps, or faster than any robot is, is not in it.
    """
    if at_us < travel.at_us:
        return None
    if _number(where.x) and _number(where.y) and where.localized is not False and type(where.map) in (str, type(None)):
        return _by_position(travel, where.x, where.y, storable(where.map or "", longest=120), at_us)
    if _number(where.since_m) and where.since_m >= 0:
        return _by_node(travel, where.since_m, where.node, at_us)
    return None


def _by_position(travel: Travel, x: float, y: float, on: str, at_us: int) -> Travel:
    if not travel.at_us or travel.since_m >= 0 or on != travel.map:
        return Travel(travel.total_m, x, y, on, at_us)
    step = math.hypot(x - travel.x, y - travel.y)
    if step < _STILL_M:
        return travel
    if step > _FASTEST_M_S * max((at_us - travel.at_us) / 1_000_000, 0.2):
        return Travel(travel.total_m, x, y, on, at_us)
    return Travel(travel.total_m + step, x, y, on, at_us)


def _by_node(travel: Travel, since_m: float, node: str, at_us: int) -> Travel:
    if travel.since_m < 0:
        return Travel(travel.total_m, 0.0, 0.0, "", at_us, node, since_m)
    # Of the edge before a new node it is not known how long it was: what was driven on it up to the last message counts.
    step = since_m if node != travel.node else max(0.0, since_m - travel.since_m)
    return replace(travel, total_m=travel.total_m + step, at_us=at_us, node=node, since_m=since_m)


def _number(raw: Any) -> bool:
    return (type(raw) is int or type(raw) is float) and -_FARTHEST < raw < _FARTHEST
