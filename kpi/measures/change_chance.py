"""What chance may have done to a change. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpi.intervals import MIN_BLOCKS, Interval
from kpi.intervals.changes import (
    Modelled,
    Weeks,
    change_interval,
    difference_of_intervals,
    rate_ratio,
    ratio_of_intervals,
)

if TYPE_CHECKING:
    from kpi.measurement import Counts, Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How the interval of a change is found: by its windows' weeks, both sides' counts, or the sides' own intervals."""

    ratio: bool
    centre: float
    """after / before, or after − before."""
    windows: tuple[Weeks, ...] = ()
    model: Modelled | None = None
    counts: tuple[Counts, Counts] | None = None
    sides: tuple[Measurement, Measurement] | None = None
    levels: tuple[float, float] | None = None
    """After and before, as the measure has them: sums by ``per``."""
    spans_s: tuple[float, float] = (0.0, 0.0)
    """How long both windows are."""

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """In the unit of the value: % of a ratio."""
        del value, window_s
        found = self._interval(alpha)
        if found is None or not self.ratio:
            return found
        return replace(found, low=100 * (found.low - 1), high=100 * (found.high - 1))

    def _interval(self, alpha: float) -> Interval | None:
        if self.windows:
            return change_interval(self.centre, self.windows, alpha, ratio=self.ratio, model=self.model)
        if self.counts is not None:
            after, before = ((one.count, one.exposure, one.days, one.independent) for one in self.counts)
            return rate_ratio(after, before, alpha)
        return None if self.sides is None else self._of_sides(self.sides, alpha)

    def _of_sides(self, sides: tuple[Measurement, Measurement], alpha: float) -> Interval | None:
        from kpi.sampling import sampling_interval  # it knows every measure's interval, this one too

        own, theirs = (sampling_interval(one, alpha, window_s=s) for one, s in zip(sides, self.spans_s, strict=True))
        after, before = (one.value for one in sides)
        if own is None or theirs is None or after is None or before is None:
            return None
        return (ratio_of_intervals if self.ratio else difference_of_intervals)(after, own, before, theirs)

    def lacking(self) -> str:
        """Why there is no interval."""
        few = any(0 < sum(block.weight > 0 for block in one.blocks) < MIN_BLOCKS for one in self.windows)
        return "few_weeks" if few else "no_interval"
