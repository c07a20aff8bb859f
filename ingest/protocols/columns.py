"""Numbers of one message → canonical units, all of a message at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, mul
from typing import Final

Convert = Callable[[Sequence[float]], Sequence[float]]

WHOLE: Final = 2.0**53
"""Numbers below it are the same as integers and as doubles."""
AS_IT_STANDS: Final = (1.0, -0.0)
"""Adding -0.0 leaves every number as it is; adding 0.0 would take the sign of -0.0 away."""


def converting(factors: Sequence[tuple[float, float]]) -> Convert:
    """What makes numbers canonical.

    :param factors: scale and offset of each.
    """
    scale, offset = factors[0]
    if any(one != factors[0] for one in factors):
        scales, offsets = [one for one, _ in factors], [one for _, one in factors]
        return lambda raw: list(map(add, map(mul, raw, scales), offsets))
    if factors[0] == AS_IT_STANDS:
        return lambda raw: raw
    return lambda raw: [value * scale + offset for value in raw]
