"""Data capture (자료획득률): the expected readings that are there, in %.

Formula: 1 − missing / expected, over all channels and slots together. Missing readings of a periodic channel are
Σ max(round(Δt / period) − 1, 0) over neighbouring readings, plus the window's edges; expected are window / period. Readings
due while the platform was down are in neither. Those due while nobody knows whether it was are missing in the lower bound
and left out in the upper; they are missing in the value, because they are not there.

Unit: %. Source: docs/kpi.md, the table of measures and "Gaps".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpi.intervals import Block
from kpi.measurement import Measurement, completeness, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePart:
    """One channel in one stretch of required time, platform outages left out."""

    missing: int
    expected: int
    unattributed: int
    """How many of the missing ones were due while nobody knows whether the platform was up."""
    n: int
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0

    @property
    def obtained(self) -> int:
        return self.expected - self.missing


def measure(parts: Sequence[CapturePart], weeks: Sequence[tuple[float, Sequence[CapturePart]]] = ()) -> Measurement:
    """The capture over all channels and slots together, weighted by what is expected of each.

    :param parts: one a channel and slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.

    >>> measure([CapturePart(missing=242, expected=720, unattributed=0, n=478)]).value == 100 * 478 / 720
    True
    """
    expected = sum(part.expected for part in parts)
    obtained = sum(part.obtained for part in parts)
    doubtful = sum(min(part.unattributed, part.missing) for part in parts)
    low = ratio(obtained, expected) if expected else None
    high = None if low is None else ratio(obtained, expected - doubtful) if expected > doubtful else 100.0
    return Measurement(
        value=low,
        unit="%",
        n=sum(part.n for part in parts),
        completeness=completeness([obtained], [expected]),
        low=low,
        high=high,
        fill_low=low,
        fill_high=high,
        blocks=tuple(_block(at_s, week) for at_s, week in weeks),
        bounded=True,
        facts={
            "missing": expected - obtained,
            "expected": expected,
            "company_s": sum(part.company_s for part in parts),
            "platform_s": sum(part.platform_s for part in parts),
            "site_s": sum(part.site_s for part in parts),
            "nobody_s": sum(part.nobody_s for part in parts),
        },
    )


def _block(at_s: float, parts: Sequence[CapturePart]) -> Block:
    expected = sum(part.expected for part in parts)
    obtained = sum(part.obtained for part in parts)
    return Block(at_s=at_s, weight=expected, value=obtained / expected if expected else 0.0)
