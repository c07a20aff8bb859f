"""One KPI judged: from its parts to a decision. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from core.numbers import printed
from devices.plan.measures import EventRatio, Statistic
from devices.plan.model import Kpi
from devices.plan.target import Bounds
from kpi.decision import Chance, Decision, Ends, Evidence, Terms, status, verdict, worst
from kpi.gathered import Gathered
from kpi.intervals import Interval
from kpi.measurement import Measurement
from kpi.measures import availability, capture, event_ratio, share, statistic
from kpi.quantity import converted, unit_for
from kpi.sampling import lacking, sampling_interval, share_form_interval
from kpi.spans import Spans

_Measure = Callable[..., Measurement]
_BY_KIND: Mapping[str, _Measure] = {
    "share": share.measure,
    "capture": capture.measure,
    "availability": availability.measure,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a KPI promises, with everything in the unit in which it is shown."""

    id: str
    kpi: Kpi
    channel_unit: str
    """The unit of what the measure gives: ``%``, or the channel's."""
    alpha: float
    """Of one look: 5 % over all evaluation dates."""
    zone: ZoneInfo
    spans: Spans
    uncertainty: Mapping[str, Any] | None = None
    """Of the channel's instrument, as the plan has it: carried with the result; no rule uses it yet."""

    @property
    def unit(self) -> str:
        return unit_for(self.kpi.bounds, self.channel_unit)

    @property
    def target(self) -> Bounds:
        return self.kpi.bounds if self.kpi.bounds.unit == self.unit else self.kpi.bounds.to(self.unit)

    @property
    def terms(self) -> Terms:
        return Terms(
            target=self.target,
            scope=self.kpi.scope,
            rule=self.kpi.rule,
            completeness=self.kpi.completeness / 100,
        )

    def measured(self, parts: Any, weeks: Any = ()) -> Measurement:
        of = self.kpi.measure.of
        if isinstance(of, Statistic):
            # The share form of a percentile compares readings, so it takes the target in their unit.
            target = self.kpi.bounds.to(self.channel_unit) if of.stat.startswith("p") else None
            return statistic.measure(parts, weeks, stat=of.stat, unit=self.channel_unit, target=target)
        if isinstance(of, EventRatio):
            return event_ratio.measure(parts, weeks, designed=of.designed)
        return _BY_KIND[self.kpi.measure.kind](parts, weeks)

    def shown(self, value: float, found: Measurement) -> float:
        return converted(value, found.unit, self.unit, difference=found.difference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One group of slots that is decided on its own: all together, or each for ``worst``."""

    slot: str | None
    found: Measurement
    month: Measurement | None
    quarters: tuple[float | None, ...]
    interval: Interval | None
    decision: Decision
    evidence: Evidence
    terms: Terms
    share_interval: Interval | None
    """Of a percentile's share form, 0 to 1."""


def judged(asked: Asked, gathered: Gathered[Any]) -> Case:
    """Decide about all slots together, or about the worst of them."""
    names = list(dict.fromkeys(gathered.slots))
    if asked.kpi.group == "worst" and len(names) > 1:
        cases = [_case(asked, gathered.of_slot(name), slot=name, several=len(names)) for name in names]
        return cases[_chosen(asked, cases)]
    return _case(asked, gathered, slot=None, several=1)


def _case(asked: Asked, gathered: Gathered[Any], *, slot: str | None, several: int) -> Case:
    found = asked.measured(gathered.whole, gathered.weeks)
    quarters = tuple(asked.measured(parts).completeness for parts in gathered.quarters)
    month = None if gathered.month is None else asked.measured(gathered.month)
    window_s = asked.spans.whole.seconds
    interval = sampling_interval(found, asked.alpha, window_s=window_s)
    evidence, terms = _evidence(asked, found, quarters, several=several)
    share = None if month is None else month.completeness
    decision = verdict(evidence, terms) if month is None else status(evidence, terms, month_completeness=share)
    return Case(
        slot=slot,
        found=found,
        month=month,
        quarters=quarters,
        interval=interval,
        decision=decision,
        evidence=evidence,
        terms=terms,
        share_interval=share_form_interval(found, asked.alpha, window_s=window_s),
    )


def _evidence(
    asked: Asked, found: Measurement, quarters: tuple[float | None, ...], *, several: int
) -> tuple[Evidence, Terms]:
    """What is known, in the unit of the target; for a percentile in its share form where that decides."""
    window_s = asked.spans.whole.seconds
    if found.as_share is not None:
        interval = share_form_interval(found, asked.alpha, window_s=window_s)
        missed = share_form_interval(found, asked.alpha / several, window_s=window_s)
        incomplete = any(one is not None and one < asked.terms.completeness for one in (found.completeness, *quarters))
        if incomplete or (interval is not None and asked.terms.scope == "capability"):
            return _share_form(asked, found, quarters, interval, missed, lacking(found, window_s=window_s))
    met = sampling_interval(found, asked.alpha, window_s=window_s)
    missed = sampling_interval(found, asked.alpha / several, window_s=window_s)
    value = None if found.value is None else asked.shown(found.value, found)
    return (
        Evidence(
            value=value,
            gaps=gaps_of(asked, found),
            filled=ends_of(asked, found, found.fill_low, found.fill_high),
            chance=_chance(asked, found, met, missed),
            no_chance=lacking(found, window_s=window_s),
            completeness=found.completeness,
            quarters=quarters,
        ),
        asked.terms,
    )


def _share_form(
    asked: Asked,
    found: Measurement,
    quarters: tuple[float | None, ...],
    met: Interval | None,
    missed: Interval | None,
    lack: str,
) -> tuple[Evidence, Terms]:
    form = found.as_share
    assert form is not None
    filled = None if form.fill_low is None or form.fill_high is None else Ends(low=form.fill_low, high=form.fill_high)
    chance = None
    if met is not None and missed is not None:
        chance = Chance(
            below=form.share - met.low,
            above=met.high - form.share,
            below_missed=form.share - missed.low,
            above_missed=missed.high - form.share,
        )
    target = Bounds(low=form.at_least, high=math.inf, low_closed=True, high_closed=False, unit="", text="")
    terms = Terms(target=target, scope=asked.terms.scope, rule=asked.terms.rule, completeness=asked.terms.completeness)
    evidence = Evidence(
        value=form.share,
        gaps=Ends(low=form.share, high=form.share),
        filled=filled,
        chance=chance,
        no_chance=lack,
        completeness=found.completeness,
        quarters=quarters,
    )
    return evidence, terms


def gaps_of(asked: Asked, found: Measurement) -> Ends | None:
    """The value's ends under the gaps that are charged to nobody.

    Of a ``period``, ends that print alike are the value: nobody could tell them apart, and as what is printed stands on
    the number's own side of the target, the decision stays what it is. Chance widens the ends of a ``capability``, so
    those stay unrounded.
    """
    ends = ends_of(asked, found, found.low, found.high)
    if ends is None or found.value is None or asked.kpi.scope != "period":
        return ends
    low, high = (printed(end, asked.unit, asked.target) for end in (ends.low, ends.high))
    if low != high:
        return ends
    value = asked.shown(found.value, found)
    return Ends(low=value, high=value)


def ends_of(asked: Asked, found: Measurement, low: float | None, high: float | None) -> Ends | None:
    if low is None or high is None:
        return None
    return Ends(low=asked.shown(low, found), high=asked.shown(high, found))


def _chance(asked: Asked, found: Measurement, met: Interval | None, missed: Interval | None) -> Chance | None:
    if met is None or missed is None or found.value is None:
        return None

    def distance(low: float, high: float) -> float:
        return converted(max(high - low, 0.0), found.unit, asked.unit, difference=True)

    return Chance(
        below=distance(met.low, found.value),
        above=distance(found.value, met.high),
        below_missed=distance(missed.low, found.value),
        above_missed=distance(found.value, missed.high),
    )


def _chosen(asked: Asked, cases: list[Case]) -> int:
    """The slot that stands for all: by its decision, among equals the one furthest on the wrong side."""
    first = cases[worst([case.decision for case in cases])].decision.answer
    equal = [index for index, case in enumerate(cases) if case.decision.answer == first]
    return min(equal, key=lambda index: _margin(asked, cases[index]))


def _margin(asked: Asked, case: Case) -> float:
    if case.found.value is None:
        return -math.inf
    value = asked.shown(case.found.value, case.found)
    return min(value - asked.target.low, asked.target.high - value)
