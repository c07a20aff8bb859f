"""What a channel comes to over time: power as energy, flow as volume.

Formula: ∫ value dt over the required time, from the hours' summaries with the bridges between them: by the trapezoid rule for
a periodic channel, in steps for one that reports on change. It is what was measured: a gap longer than a reading stands is
neither zero nor filled. It is charged as every gap is; what is charged to nobody, and what is missing at all, bounds the value
only where the plan says what is physically possible.

Over several slots: their sum. Unit: the channel's × s, shown in the target's (W: kWh); of a temperature the difference's.
Interval: none. Source: docs/kpi.md, the table of measures and "Gaps".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kpi.charges import unattributed
from kpi.measurement import Measurement, completeness


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegralPart:
    """One slot in one stretch of required time."""

    integral: float
    """In the channel's unit × s, over the covered time."""
    covered_s: float
    required_s: float
    n: int
    obtained: float
    expected: float
    """Readings (seconds of connection, for a channel without a period), without those due while the platform was down."""
    physical: tuple[float, float] | None = None
    """What is physically possible, in the channel's unit."""
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0

    @property
    def missing_s(self) -> float:
        """Time that no reading covers, without what is left out for outages."""
        return max(self.required_s - self.covered_s - self.platform_s - self.site_s, 0.0)


def measure(
    parts: Sequence[IntegralPart], weeks: Sequence[tuple[float, Sequence[IntegralPart]]] = (), *, unit: str
) -> Measurement:
    """The integral over all slots together.

    :param parts: one a slot.
    :param weeks: not used: a sum has no interval.
    :param unit: the channel's × s.

    1 kW held for 22 of 24 h; nobody knows what happened in the other two, in which it was 0 to 2 kW:

    >>> from core.units import conversion
    >>> part = IntegralPart(integral=22 * 3600.0, covered_s=22 * 3600, required_s=24 * 3600, n=22, obtained=22, expected=24,
    ...                     physical=(0, 2), nobody_s=2 * 3600)
    >>> found = measure([part], unit="(kW)*s")
    >>> [conversion("(kW)*s", "kWh")(end) for end in (found.value, found.low, found.high)]
    [22.0, 22.0, 26.0]
    """
    del weeks
    covered = math.fsum(part.covered_s for part in parts)
    value = math.fsum(part.integral for part in parts) if covered > 0 else None
    if value is not None and not math.isfinite(value):  # readings near the end of what a float holds
        value = None
    nobody_s = unattributed(round(math.fsum(part.nobody_s for part in parts) * 1e6)) / 1e6
    open_ends = _filled(parts, [part.nobody_s if nobody_s else 0.0 for part in parts])
    filled = _filled(parts, [part.missing_s for part in parts])
    if value is None:
        open_ends = None
    return Measurement(
        value=value,
        unit=unit,
        n=sum(part.n for part in parts),
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=value if open_ends is None else open_ends[0],
        high=value if open_ends is None else open_ends[1],
        fill_low=None if filled is None else filled[0],
        fill_high=None if filled is None else filled[1],
        facts={
            "covered_s": covered,
            "company_s": math.fsum(part.company_s for part in parts),
            "platform_s": math.fsum(part.platform_s for part in parts),
            "site_s": math.fsum(part.site_s for part in parts),
            "nobody_s": nobody_s,
        },
    )


def _filled(parts: Sequence[IntegralPart], seconds: Sequence[float]) -> tuple[float, float] | None:
    """The integral if those seconds had been at the lowest, and at the highest, that is physically possible."""
    if not parts or any(part.physical is None and s > 0 for part, s in zip(parts, seconds, strict=True)):
        return None
    ends = [
        math.fsum(
            part.integral + (part.physical or (0.0, 0.0))[end] * s for part, s in zip(parts, seconds, strict=True)
        )
        for end in (0, 1)
    ]
    return (ends[0], ends[1]) if all(map(math.isfinite, ends)) else None
