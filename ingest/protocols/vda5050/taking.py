"""The values of what was read the short way."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot
from typing import Any

from ingest.protocols.vda5050.layout import Rest
from ingest.protocols.vda5050.shape import WHOLE


def values(rest: Rest, found: Any) -> list[float] | None:
    """The values of a message but for the distance; None where one needs a closer look, or something follows."""
    shape, _, numbers, parts, speeds, compared, states, tail, converted, *_ = rest
    if compared and shape.compared(found) != compared:
        return None
    taken: list[float]
    if parts == 2:
        *taken, vx, vy = numbers(found)
        taken += tail
        speed = hypot(vx, vy)
    elif parts:
        *taken, vx = numbers(found)
        taken += tail
        speed = abs(vx)
    else:
        taken, speed = [*numbers(found), *tail], 0.0
    if speeds:
        if not speed < WHOLE:
            return None
        taken += [speed] * speeds
    for place, scale, offset in converted:
        taken[place] = taken[place] * scale + offset
    if states:
        for said, (place, codes) in zip(shape.states(found), states):  # noqa: B905 - as many by making, and cheaper so
            code = codes.get(said)
            if code is None:
                return None
            taken[place] = code
    return taken


def plainly(rest: Rest) -> Callable[[Any], list[float] | None] | None:
    """The same for most robots, with nothing to be decided any more; None where a message needs more than this."""
    if rest.parts != 2 or rest.speeds != 1 or rest.compared or rest.states:
        return None
    numbers, tail, converted = rest.numbers, rest.tail, rest.converted

    def of_numbers(found: Any) -> list[float] | None:
        taken: list[float]
        *taken, vx, vy = numbers(found)
        speed = hypot(vx, vy)
        if not speed < WHOLE:
            return None
        taken += tail
        taken.append(speed)
        for place, scale, offset in converted:
            taken[place] = taken[place] * scale + offset
        return taken

    return of_numbers
