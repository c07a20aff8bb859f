"""What became of another measure since a baseline: in % of it, or the difference.

Formulas. A is the measure over the judged window, B over the baseline, sums (integral, increase, count) told by ``per``:

- ratio: 100·(A/B − 1) %; difference: A − B, in the measure's unit. Without ``pair``, ``normalise`` and ``control`` each window is
  measured as a whole.
- with one of the three, days are compared: A is the mean of the judged days' values, B that of the baseline's. A day counts if
  75 % of what it should have is there at every slot that is looked at.
- ``pair``: B is the mean of the counterparts of the judged days (``day_pairs``); ``normalise``: of what the baseline's model says
  for the weather of the judged days (``degree_days``); it must be fit enough.
- ``control``: what the controls did from C_B to C_A would have happened anyway: 100·((A/B)/(C_A/C_B) − 1) %, or
  (A − B) − (C_A − C_B). A day that a control lacks is left out on both sides.

Gaps: both sides stay those of the data there are; nothing is filled. Where too little of the baseline is there, a ratio has
nothing to divide by, no day has a counterpart, or the model does not fit, there is no value, and ``refused`` says why.

Unit: %, or the measure's. Interval: of weeks (``kpi/intervals/changes.py``); of counted rates the exact conditional one; of
shares and ratios of events both sides' own bounds together (MOVER); none of max, min, percentiles, and of a baseline that is a
single value. Source: docs/kpi.md, "Changes".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from devices.plan.measures import Change
from kpi.intervals import Block
from kpi.intervals.changes import Weeks
from kpi.measurement import Counts, Measurement, Refused
from kpi.measures.change_chance import Changed
from kpi.measures.change_days import Days
from kpi.measures.change_parts import Before, Cell, ChangePart, Inner
from kpi.measures.change_sides import Sides


def measure(
    parts: Sequence[ChangePart],
    weeks: Sequence[tuple[float, Sequence[ChangePart]]] = (),
    *,
    of: Inner,
    change: Change,
    per_s: float,
    unit: str,
) -> Measurement:
    """The change over all slots together.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.
    :param of: the measure itself.
    :param per_s: by how many seconds a sum is told.

    A meter took 100 a day before, and 80 a day in two days of which one was half covered:

    >>> from kpi.measures.change_parts import Beside
    >>> from kpi.measures.integral import IntegralPart, measure as integral
    >>> def cell(days, rate):
    ...     s = days * 86400
    ...     part = IntegralPart(integral=days * rate, covered_s=s, required_s=s, n=1, obtained=1, expected=1)
    ...     return Cell(part=part, seconds=part.covered_s, required_s=part.required_s)
    >>> from devices.plan.measures import Change
    >>> change = Change.model_validate({"of": {"integral": "power"}, "baseline": {"window": ["2025-03-01", "2025-03-05"]}})
    >>> before = Before(whole=cell(4, 100.0), weeks=(), days={})
    >>> part = ChangePart(after=cell(1.5, 80.0), days={}, before=before, beside=Beside(), window_s=172800.0)
    >>> found = measure([part], of=lambda parts, weeks=(): integral(parts, weeks, unit="(kW)*s"), change=change, per_s=86400.0,
    ...                 unit="%")
    >>> round(found.value, 9), found.compared["after"], found.compared["before"]
    (-20.0, 80.0, 100.0)
    """
    comparing = (Days if change.by_day else _Windows)(parts, weeks, of, change, per_s, unit)
    if not parts:
        return comparing.none()
    refused = parts[0].beside.refused
    return comparing.measured() if refused is None else comparing.none(refused)


class _Windows(Sides):
    """Each window as a whole."""

    def measured(self) -> Measurement:
        assert self.whole is not None
        beside = self.parts[0].beside
        if beside.given is not None:
            return self._told(beside.given, None)
        befores = self.befores()
        if (beside.among or len(self.parts)) != len(self.parts) or not befores:
            return self.none(Refused(code="baseline_together", values={"slots": beside.among}))
        cells = [one.whole for one in befores]
        found = self.of([cell.part for cell in cells])
        lacking = self.lacking(found.completeness)
        if lacking is not None:
            return self.none(lacking)
        level = self.level(cells)
        if level is None:
            return self.none(Refused(code="baseline_none"))
        return self._told(level, found)

    def _told(self, before: float, found: Measurement | None) -> Measurement:
        assert self.whole is not None
        after = self.level([part.after for part in self.parts])
        if self.ratio and before <= 0:
            return self.none(Refused(code="baseline_zero"))
        if after is None:
            return self.none()
        value = self.changed(after, before)
        low, high = self._ends(before, found)
        return Measurement(
            value=value,
            unit=self.unit,
            n=self.whole.n,
            completeness=self.whole.completeness,
            low=value if low is None else low,
            high=value if high is None else high,
            difference=not self.ratio,
            own=replace(self._by_weeks(after, before, found), levels=(after, before)),
            open_by=self.whole.open_by,
            facts=dict(self.whole.facts),
            compared={**self.shown_levels(after, before), **self._shown_weeks()},
        )

    def _ends(self, before: float, found: Measurement | None) -> tuple[float | None, float | None]:
        """Under what nobody is charged with, on both sides."""
        whole = self.whole
        if whole is None or self.change.summed or whole.low is None or whole.high is None:
            return None, None
        low, high = (before, before) if found is None or None in (found.low, found.high) else (found.low, found.high)
        assert low is not None and high is not None
        if whole.low == whole.high and low == high:
            return None, None
        if self.ratio and low <= 0:
            return None, None
        return self.changed(whole.low, high), self.changed(whole.high, low)

    def _by_weeks(self, after: float, before: float, found: Measurement | None) -> Changed:
        assert self.whole is not None
        kind = self.change.of.kind
        spans_s = self.parts[0].window_s, self.parts[0].beside.window_s
        centre = after / before if self.ratio else after - before
        if found is None:
            return Changed(ratio=self.ratio, centre=centre)
        if self.whole.counts is not None and found.counts is not None:
            if self.ratio:
                return Changed(ratio=True, centre=centre, counts=(self._counts(self.whole), self._counts(found)))
            if self.change.summed:
                return Changed(ratio=False, centre=centre)
            return Changed(ratio=False, centre=centre, sides=(self.whole, found), spans_s=spans_s)
        if kind in ("integral", "increase") or self._is_mean():
            own = self._weeks([(at_s, [part.after for part in week]) for at_s, week in self.weeks], after)
            theirs = self._weeks(_weeks_before(self.befores()), before)
            windows = tuple(Weeks(blocks=b, window_s=s) for b, s in zip((own, theirs), spans_s, strict=True))
            return Changed(ratio=self.ratio, centre=centre, windows=windows)
        parts = [part.after.part for part in self.parts]
        weeks = [(at_s, [part.after.part for part in week]) for at_s, week in self.weeks]
        their_weeks = [(at_s, [cell.part for cell in cells]) for at_s, cells in _weeks_before(self.befores())]
        sides = self.of(parts, weeks), self.of([one.whole.part for one in self.befores()], their_weeks)
        return Changed(ratio=self.ratio, centre=centre, sides=sides, spans_s=spans_s)

    def _counts(self, side: Measurement) -> Counts:
        """Of a count the exposure is the connected time, by which both sides are told."""
        assert side.counts is not None
        if not self.change.summed:
            return side.counts
        cells = [part.after for part in self.parts] if side is self.whole else [one.whole for one in self.befores()]
        return replace(side.counts, exposure=math.fsum(cell.seconds for cell in cells))

    def _shown_weeks(self) -> dict[str, list[list[float | str]]]:
        """The level of each week, where the measure has one: what a picture of both windows shows."""
        if not (self.change.of.kind in ("integral", "increase") or self._is_mean()):
            return {}
        sides = (
            ("weeks", [(at_s, [part.after for part in week]) for at_s, week in self.weeks]),
            ("weeks_before", _weeks_before(self.befores())),
        )
        scale = self.parts[0].beside.scale
        found: dict[str, list[list[float | str]]] = {}
        for name, weeks in sides:
            levels = [(at_s, self.level(cells)) for at_s, cells in weeks if any(cell.required_s > 0 for cell in cells)]
            found[name] = [[_day(at_s), level * scale] for at_s, level in levels if level is not None]
        return found

    def _is_mean(self) -> bool:
        return self.change.of.kind == "statistic" and getattr(self.change.of.of, "stat", "") == "mean"

    def _weeks(self, weeks: Sequence[tuple[float, Sequence[Cell]]], level: float) -> tuple[Block, ...]:
        found = []
        for at_s, cells in weeks:
            weight = math.fsum(cell.required_s * (self.there(cell) or 0.0) for cell in cells)
            value = self.level(cells) if weight > 0 else None
            deviation = 0.0 if value is None else (value - level) / (level if self.ratio else 1.0)
            found.append(Block(at_s=at_s, weight=0.0 if value is None else weight, value=deviation))
        return tuple(found)


def _weeks_before(befores: Sequence[Before]) -> list[tuple[float, list[Cell]]]:
    return [(week[0][0], [cell for _, cell in week]) for week in zip(*(one.weeks for one in befores), strict=True)]


def _day(at_s: float) -> str:
    return (date(1970, 1, 1) + timedelta(seconds=at_s)).isoformat()
