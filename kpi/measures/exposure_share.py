"""Share of what a counter or an integral came to, while a condition holds: distance in AUTOMATIC out of all, in %.

Formula: Σ exposure while the condition holds / Σ all exposure of the required time. What a counter went between two readings
is spread evenly over the time between them, so a step over a change of state, an edge of required time or a gap is divided
by time; an integral is taken where readings cover it. What was gone while no reading says whether the condition held is
charged as silence is: the company's counts as not fulfilled, that of an outage of the platform or of the site is left out,
nobody's makes both ends.

Over several slots: all that was gone together (a robot that goes further counts more). Unit: %. Interval: weekly shares,
weighted by the exposure. Source: docs/kpi.md, the table of measures and "Gaps".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kpi.intervals import Block, Interval, share_interval
from kpi.measurement import Measurement, completeness


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePart:
    """One slot in one stretch of required time; exposures in the unit of the counter, or of the integral."""

    true: float
    false: float
    company: float
    """Gone while the condition's channel was silent, and the company answers for that."""
    left_out: float
    nobody: float
    restarts: int
    n: int
    """Readings of the exposure's channel."""
    obtained: float
    expected: float
    """Readings of the condition's channel or of the exposure's, whichever is less complete."""
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0

    @property
    def known(self) -> float:
        return self.true + self.false + self.company


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Weeks in which more or less was gone."""

    weeks: tuple[Block, ...]

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """That of weekly shares, in %, of so many fewer observations as the weeks weigh unequally.

        :param value: in %.
        :source: Kish, Survey Sampling (1965) 11.7: m·Σw²/(Σw)².
        """
        weights = [block.weight for block in self.weeks if block.weight > 0]
        whole = math.fsum(weights)
        weighing = len(weights) * math.fsum(weight**2 for weight in weights) / whole**2 if whole else 1.0
        found = share_interval(value / 100, self.weeks, alpha, window_s=window_s, weighing=weighing)
        return None if found is None else replace(found, low=100 * found.low, high=100 * found.high)

    def lacking(self) -> str:
        return "few_weeks"


def measure(parts: Sequence[ExposurePart], weeks: Sequence[tuple[float, Sequence[ExposurePart]]] = ()) -> Measurement:
    """The share over all slots together.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.

    98 of 100 km were gone in AUTOMATIC, and of 4 km more nobody knows:

    >>> gone = {"true": 98.0, "false": 1.5, "company": 0.5, "left_out": 0.0, "nobody": 4.0}
    >>> day = ExposurePart(**gone, restarts=0, n=99, obtained=99, expected=99)
    >>> found = measure([day])
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (98.0, 94.231, 98.077)
    """
    true, known = math.fsum(part.true for part in parts), math.fsum(part.known for part in parts)
    nobody = math.fsum(part.nobody for part in parts)
    # An integral may run backwards: then its parts are no shares of it.
    sensible = all(min(part.true, part.false, part.company, part.nobody) >= 0 for part in parts)
    there = sensible and known > 0 and math.isfinite(known + nobody)
    low = 100 * true / (known + nobody) if there else None
    high = 100 * (true + nobody) / (known + nobody) if there else None
    blocks = tuple(_block(at_s, week) for at_s, week in weeks) if there else ()
    return Measurement(
        value=100 * true / known if there else None,
        unit="%",
        n=sum(part.n for part in parts),
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=low,
        high=high,
        # What is charged to the company stays unfulfilled whatever its readings would have said.
        fill_low=low,
        fill_high=high,
        blocks=blocks,
        own=Weekly(weeks=blocks) if blocks else None,
        bounded=True,
        facts={
            "exposure": known if math.isfinite(known) else 0.0,
            "exposure_company": _told(part.company for part in parts),
            "exposure_left_out": _told(part.left_out for part in parts),
            "exposure_nobody": nobody if math.isfinite(nobody) else 0.0,
            "restarts": sum(part.restarts for part in parts),
            "company_s": math.fsum(part.company_s for part in parts),
            "platform_s": math.fsum(part.platform_s for part in parts),
            "site_s": math.fsum(part.site_s for part in parts),
            "nobody_s": math.fsum(part.nobody_s for part in parts),
        },
    )


def _told(gone: Iterable[float]) -> float:
    """A sum as JSON can have it."""
    whole = math.fsum(gone)
    return whole if math.isfinite(whole) else 0.0


def _block(at_s: float, parts: Sequence[ExposurePart]) -> Block:
    known = math.fsum(part.known for part in parts)
    true = math.fsum(part.true for part in parts)
    return Block(at_s=at_s, weight=max(known, 0.0), value=true / known if known > 0 else 0.0)
