"""Share of time while a condition holds, in %.

Formula: time fulfilled / required time. Required is the part of the window in the plan's hours and on its days, less the
gaps during which the platform was down. A gap charged to the company counts as not fulfilled. A gap charged to nobody gives
both bounds; the value is then that of the time that is known.

Unit: %. Source: docs/kpi.md, the table of measures and "Gaps" (every gap is charged; ``pooled`` weighs by time).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpi.charges import unattributed
from kpi.intervals import Block
from kpi.measurement import Measurement, completeness, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePart:
    """One slot in one stretch of required time; all times in whole microseconds."""

    true_us: int
    covered_us: int
    """While a reading stood. covered + company + platform + nobody is the required time."""
    company_us: int
    platform_us: int
    nobody_us: int
    n: int
    obtained: float
    expected: float
    """Readings, without those due while the platform was down."""
    site_us: int = 0
    """While the site was down, as agreed: left out like ``platform_us``."""

    @property
    def known_us(self) -> int:
        return self.covered_us + self.company_us


def measure(parts: Sequence[SharePart], weeks: Sequence[tuple[float, Sequence[SharePart]]] = ()) -> Measurement:
    """The share over all slots together, each weighted by its required time.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.

    A day on which the condition held for 18 h, did not for 4 h, and nothing was heard for 2 h, of which 1 h is the
    platform's:

    >>> hour = 3_600_000_000
    >>> day = SharePart(true_us=18 * hour, covered_us=22 * hour, company_us=hour, platform_us=hour, nobody_us=0,
    ...                 n=22, obtained=22, expected=23)
    >>> found = measure([day])
    >>> round(found.value, 3), found.low == found.high == found.value
    (78.261, True)
    """
    true_us = sum(part.true_us for part in parts)
    known_us = sum(part.known_us for part in parts)
    nobody_us = unattributed(sum(part.nobody_us for part in parts))
    all_us = known_us + nobody_us
    return Measurement(
        value=ratio(true_us, known_us) if known_us else None,
        unit="%",
        n=sum(part.n for part in parts),
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=ratio(true_us, all_us) if all_us else None,
        high=ratio(true_us + nobody_us, all_us) if all_us else None,
        # What is charged to the company stays unfulfilled whatever its readings would have said.
        fill_low=ratio(true_us, all_us) if all_us else None,
        fill_high=ratio(true_us + nobody_us, all_us) if all_us else None,
        blocks=tuple(_block(at_s, week) for at_s, week in weeks),
        bounded=True,
        facts={
            "company_s": sum(part.company_us for part in parts) / 1e6,
            "platform_s": sum(part.platform_us for part in parts) / 1e6,
            "site_s": sum(part.site_us for part in parts) / 1e6,
            "nobody_s": nobody_us / 1e6,
        },
    )


def _block(at_s: float, parts: Sequence[SharePart]) -> Block:
    true_us, known_us = sum(part.true_us for part in parts), sum(part.known_us for part in parts)
    return Block(at_s=at_s, weight=known_us / 1e6, value=true_us / known_us if known_us else 0.0)
