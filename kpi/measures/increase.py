"""How far a counter went: an odometer, an energy meter, a number of boardings.

Formula: Σ of the steps between neighbouring readings of one run of the counter. Steps go on over gaps: the counter counted on
while nobody listened. At the ends of the required time a step is divided by its time, if it is no longer than a reading
stands.

A **fall** ends a run. With ``wrap`` given, one by more than half of it is the counter passing its end: the step is wrap −
before + after. Any other begins a new run, counted **from its own first value**: what lies between two readings of one run is
proven, whether the new one began at zero is not. Where it fell below half of what it was, it may have begun at zero: the upper
end counts from there. A device put in another's place begins a new run too, even where its counter stands higher.

Over several slots: their sum. Unit: the channel's. Interval: none. Source: docs/kpi.md, the table of measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kpi.measurement import Measurement, completeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a counter did between two neighbouring readings."""

    proven: float
    """How far it went for sure."""
    from_zero: float = 0.0
    """How much more it may have been, had it begun again at zero."""
    restart: bool = False
    wrapped: bool = False


def step(before: float, after: float, wrap: float | None = None) -> Step:
    """One step of a counter.

    >>> step(10, 12).proven, step(65_530, 4, wrap=65_536).proven
    (2, 10)
    >>> step(500, 3), step(500, 499)
    (Step(proven=0.0, from_zero=3, restart=True, wrapped=False), Step(proven=0.0, from_zero=0.0, restart=True, wrapped=False))
    """
    if after >= before:
        return Step(proven=after - before)
    if wrap is not None and before - after > wrap / 2 and before <= wrap:
        return Step(proven=wrap - before + after, wrapped=True)
    return Step(proven=0.0, from_zero=max(after, 0.0) if after < before / 2 else 0.0, restart=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncreasePart:
    """One slot in one stretch of required time."""

    proven: float
    from_zero: float
    restarts: int
    wraps: int
    n: int
    obtained: float
    expected: float
    """Readings (seconds of connection, for a channel without a period), without those due while the platform was down."""
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0


def measure(
    parts: Sequence[IncreasePart], weeks: Sequence[tuple[float, Sequence[IncreasePart]]] = (), *, unit: str
) -> Measurement:
    """The increase over all slots together.

    :param parts: one a slot.
    :param weeks: not used: a sum has no interval.

    >>> part = IncreasePart(proven=120.0, from_zero=3.0, restarts=1, wraps=0, n=50, obtained=50, expected=60)
    >>> found = measure([part], unit="km")
    >>> found.value, found.low, found.high
    (120.0, 120.0, 123.0)
    """
    del weeks
    n = sum(part.n for part in parts)
    value = math.fsum(part.proven for part in parts)
    high = value + math.fsum(part.from_zero for part in parts)
    there = n > 0 and math.isfinite(high)
    return Measurement(
        value=value if there else None,
        unit=unit,
        n=n,
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=value if there else None,
        high=high if there else None,
        # What was not heard can only add to it.
        fill_low=value if there else None,
        fill_high=math.inf if there else None,
        open_by="restarts",
        facts={
            "restarts": sum(part.restarts for part in parts),
            "wraps": sum(part.wraps for part in parts),
            "company_s": math.fsum(part.company_s for part in parts),
            "platform_s": math.fsum(part.platform_s for part in parts),
            "site_s": math.fsum(part.site_s for part in parts),
            "nobody_s": math.fsum(part.nobody_s for part in parts),
        },
    )
